// A measure by dimension: a curve with its 95% band for each quantization, and the marked points.
// The curves stay in place while only the marks move.

// At least 3:1 against both backgrounds, and the colours of no curve.
const MARKS = {
  chosen: [CHOSEN, 10, ""],
  pinned: ["#7A7F87", 8, ""],
  beside: ["#8259D9", 10, "4 3"],
};

const BAND = "M-7,-4H7V4H-7Z";

// A curve that is a band alone has neither line nor points.
function curve({ name, points, only_band: onlyBand }, place, colour, { x, y }) {
  const group = node("g", { class: "curves-curve" });
  group.dataset.name = name;
  const there = points.map(([dim, , , high]) => `${x(dim)},${y(high)}`);
  const back = points.map(([dim, , low]) => `${x(dim)},${y(low)}`).reverse();
  const line = points.map(([dim, value]) => `${x(dim)},${y(value)}`).join(" ");
  const band = { points: [...there, ...back].join(" "), fill: colour };
  group.append(node("polygon", { ...band, class: `curves-band${onlyBand ? " alone" : ""}` }));
  if (onlyBand) return group;
  group.append(
    node("polyline", {
      points: line,
      stroke: colour,
      "stroke-dasharray": DASHES[place % DASHES.length],
      class: "curves-line",
    }),
  );
  return group;
}

function pointsOf({ name, points, only_band: onlyBand }, place, colour, { x, y }) {
  if (onlyBand) return [];
  return points.map(([dim, value, low, high]) => {
    const made = node("path", {
      d: SHAPES[place % SHAPES.length],
      transform: `translate(${x(dim)},${y(value)})`,
      fill: colour,
      class: "chart-point",
    });
    Object.assign(made.dataset, { dim, name, value, low, high });
    return made;
  });
}

// A ring around the point, and what it is in a box beside it.
// Boxes that would cover one another stand one below the other: `taken` holds where others stand.
function mark({ kind, dim, value, text, above: wanted }, dims, { x, y }, taken) {
  const [colour, radius, dash] = MARKS[kind];
  const shift = dim === dims[0] ? "-1rem" : dim === dims[dims.length - 1] ? "1rem - 100%" : "-50%";
  // Below the point where there is room: curves rise to the right and leave that side free.
  const below = y(value) + radius + 5;
  const above = y(value) - radius - 23;
  let top = below + 18 < HEIGHT - FRAME.bottom ? below : above;
  if (wanted && above >= 0) top = above;
  const covers = (other) => Math.abs(other.x - x(dim)) < 200 && Math.abs(other.top - top) < 20;
  if (taken.some(covers) && above >= 0) top = above;
  while (taken.some(covers)) top += 20;
  taken.push({ x: x(dim), top });
  const box = labelBox(text, colour, x(dim), shift, top);
  const ring = { cx: x(dim), cy: y(value), r: radius, stroke: colour };
  const look = { "stroke-dasharray": dash, class: "chart-mark" };
  return { ring: node("circle", { ...ring, ...look }), box };
}

function draw(root) {
  const { data, width } = root;
  if (!width) return;
  const { dims, lowest, ticks, measure } = data;
  const fit = scales({ least: dims[0], most: dims[dims.length - 1], lowest }, width);
  const { marks, ...still } = data;
  const colours = palette(root);
  const drawn = JSON.stringify([still, width, colours]);
  if (root.drawn !== drawn) {
    root.drawn = drawn;
    const svg = node("svg", { width, height: HEIGHT, role: "img" });
    svg.setAttribute("aria-label", data.about);
    const names = { across: data.across, upwards: `${measure} ${data.axis}` };
    svg.append(axes({ lowest, stops: dims, ticks, ...names }, fit));
    data.curves.forEach((one, i) => svg.append(curve(one, i, colours[i % colours.length], fit)));
    data.curves.forEach((one, i) =>
      svg.append(...pointsOf(one, i, colours[i % colours.length], fit)),
    );
    root.rings = node("g", {});
    svg.append(root.rings);
    root.boxes = html("div", "chart-boxes");
    const chart = html("div", "chart-frame");
    chart.append(svg, root.boxes);
    const series = data.curves.map(({ name, only_band: onlyBand }, i) => ({
      name,
      colour: colours[i % colours.length],
      shape: onlyBand ? BAND : SHAPES[i % SHAPES.length],
      dash: onlyBand ? undefined : DASHES[i % DASHES.length],
    }));
    root.replaceChildren(legend(series), chart, html("div", "chart-tooltip"));
  }
  const taken = [];
  const made = marks.map((one) => mark(one, data.dims, fit, taken));
  root.rings.replaceChildren(...made.map(({ ring }) => ring));
  root.boxes.replaceChildren(...made.map(({ box }) => box));
}

function listen(root) {
  const pointOf = (event) => event.target.closest?.(".chart-point");
  root.addEventListener("click", (event) => {
    const point = pointOf(event);
    if (point) root.select([Number(point.dataset.dim), point.dataset.name]);
  });
  root.addEventListener("mouseover", (event) => {
    const named = event.target.closest?.(".chart-legend span")?.dataset.name;
    root.classList.toggle("apart", named !== undefined);
    for (const one of root.querySelectorAll(".curves-curve")) {
      one.classList.toggle("named", one.dataset.name === named);
    }
    const tooltip = root.querySelector(".chart-tooltip");
    // Before the first drawing, while there is no width yet, there is nothing to point at.
    if (!tooltip) return;
    const point = pointOf(event);
    if (!point) return tell(tooltip, "");
    const { name, dim, value, low, high } = point.dataset;
    const [mean, least, most] = [value, low, high].map(share);
    // What is so by construction, or has no interval, has both ends in one place.
    const ends = low === high ? "" : `, 95% ${least} to ${most}`;
    tell(tooltip, `${name} at ${dim} ${root.data.unit}: ${root.data.measure} ${mean}${ends}`, point, root);
  });
  root.addEventListener("mouseleave", () => {
    root.classList.remove("apart");
    root.querySelector(".chart-tooltip")?.style.setProperty("visibility", "hidden");
  });
}

export default function (component) {
  const root = mount(component, "curves", draw, listen);
  root.select = (point) => component.setTriggerValue("point", point);
}

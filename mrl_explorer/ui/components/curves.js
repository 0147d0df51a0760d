// A measure by dimension: a curve with its 95% band for each quantization, and the marked points.
// The curves stay in place while only the marks move. All text is set with textContent.
const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 306;
const FRAME = { left: 52, right: 14, top: 8, bottom: 40 };
// At least 3:1 against both backgrounds, and the colours of no curve.
const MARKS = {
  chosen: ["#D9480F", 10, ""],
  pinned: ["#7A7F87", 8, ""],
  beside: ["#8259D9", 10, "4 3"],
};
// Shape and dash tell the curves apart without colour; they repeat after five, colours do not.
const DASHES = ["", "2 3", "7 4", "9 3 2 3", "3 2"];
const SHAPES = [
  "M-4.5,0A4.5,4.5 0 1 0 4.5,0A4.5,4.5 0 1 0 -4.5,0Z",
  "M-4,-4H4V4H-4Z",
  "M0,-5.5L5.5,0L0,5.5L-5.5,0Z",
  "M0,-5.2L5,4H-5Z",
  "M0,5.2L5,-4H-5Z",
];

function node(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function html(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// As the page writes a share everywhere else: ".873", and "1.000".
function share(text) {
  return Number(text).toFixed(3).replace(/^0/, "");
}

function scales(data, width) {
  const least = Math.log2(data.dims[0] / 1.12);
  const most = Math.log2(data.dims[data.dims.length - 1] * 1.12);
  const right = width - FRAME.right;
  const foot = HEIGHT - FRAME.bottom;
  return {
    right,
    foot,
    x: (dim) => FRAME.left + ((Math.log2(dim) - least) / (most - least)) * (right - FRAME.left),
    y: (value) => foot - ((value - data.lowest) / (1 - data.lowest)) * (foot - FRAME.top),
  };
}

function axes(data, { x, y, right, foot }) {
  const group = node("g", {});
  const n = Math.round((1 - data.lowest) * 10);
  const step = n > 6 ? 2 : 1;
  for (let i = 0; i <= n; i += step) {
    const value = 1 - i / 10;
    const line = { x1: FRAME.left, x2: right, y1: y(value), y2: y(value), class: "curves-axis" };
    const label = { x: FRAME.left - 8, y: y(value) + 4, "text-anchor": "end" };
    group.append(node("line", line), node("text", label, value.toFixed(1)));
  }
  for (const dim of data.dims) {
    const tick = { x1: x(dim), x2: x(dim), y1: foot, y2: foot + 5, class: "curves-axis" };
    group.append(node("line", tick));
  }
  for (const dim of data.ticks) {
    group.append(node("text", { x: x(dim), y: foot + 18, "text-anchor": "middle" }, dim));
  }
  const middle = { x: (FRAME.left + right) / 2, y: HEIGHT - 4, "text-anchor": "middle" };
  const turned = `rotate(-90) translate(${-(FRAME.top + foot) / 2}, 13)`;
  group.append(
    node("text", middle, "dimensions kept (log scale)"),
    node("text", { transform: turned, "text-anchor": "middle" }, `${data.measure} ${data.axis}`),
  );
  return group;
}

function curve({ name, points }, place, colour, { x, y }) {
  const group = node("g", { class: "curves-curve" });
  group.dataset.name = name;
  const there = points.map(([dim, , , high]) => `${x(dim)},${y(high)}`);
  const back = points.map(([dim, , low]) => `${x(dim)},${y(low)}`).reverse();
  const line = points.map(([dim, value]) => `${x(dim)},${y(value)}`).join(" ");
  group.append(
    node("polygon", { points: [...there, ...back].join(" "), fill: colour, class: "curves-band" }),
    node("polyline", {
      points: line,
      stroke: colour,
      "stroke-dasharray": DASHES[place % DASHES.length],
      class: "curves-line",
    }),
  );
  return group;
}

function pointsOf({ name, points }, place, colour, { x, y }) {
  return points.map(([dim, value, low, high]) => {
    const made = node("path", {
      d: SHAPES[place % SHAPES.length],
      transform: `translate(${x(dim)},${y(value)})`,
      fill: colour,
      class: "curves-point",
    });
    Object.assign(made.dataset, { dim, name, value, low, high });
    return made;
  });
}

function legend(data, colours) {
  const made = html("div", "curves-legend");
  data.curves.forEach(({ name }, place) => {
    const item = html("span", "", "");
    const sample = node("svg", { width: 26, height: 12, viewBox: "-13 -6 26 12" });
    const dash = DASHES[place % DASHES.length];
    const style = { stroke: colours[place], "stroke-width": 2, "stroke-dasharray": dash };
    sample.append(
      node("line", { x1: -13, x2: 13, y1: 0, y2: 0, ...style }),
      node("path", { d: SHAPES[place % SHAPES.length], fill: colours[place] }),
    );
    item.dataset.name = name;
    item.append(sample, name);
    made.append(item);
  });
  return made;
}

// A ring around the point, and what it is in a box beside it. The box is aligned, not measured:
// measuring would lay the whole page out once more on every move.
// Boxes that would cover one another stand one below the other: `taken` holds where others stand.
function mark({ kind, dim, value, text, above: wanted }, dims, { x, y }, taken) {
  const [colour, radius, dash] = MARKS[kind];
  const box = html("div", "curves-label", text);
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
  box.style.background = colour;
  box.style.transform = `translate(calc(${x(dim)}px + ${shift}), ${top}px)`;
  const ring = { cx: x(dim), cy: y(value), r: radius, stroke: colour };
  const look = { "stroke-dasharray": dash, class: "curves-mark" };
  return { ring: node("circle", { ...ring, ...look }), box };
}

function draw(root) {
  const { data, width } = root;
  if (!width) return;
  const fit = scales(data, width);
  const { marks, ...still } = data;
  const colours = getComputedStyle(root)
    .getPropertyValue("--st-chart-categorical-colors")
    .split(",")
    .map((colour) => colour.trim());
  const drawn = JSON.stringify([still, width, colours]);
  if (root.drawn !== drawn) {
    root.drawn = drawn;
    const svg = node("svg", { width, height: HEIGHT, role: "img" });
    svg.setAttribute("aria-label", `${data.about} A click on a point selects it.`);
    svg.append(axes(data, fit));
    data.curves.forEach((one, i) => svg.append(curve(one, i, colours[i % colours.length], fit)));
    data.curves.forEach((one, i) =>
      svg.append(...pointsOf(one, i, colours[i % colours.length], fit)),
    );
    root.rings = node("g", {});
    svg.append(root.rings);
    root.boxes = html("div", "curves-boxes");
    const chart = html("div", "curves-chart");
    chart.append(svg, root.boxes);
    root.replaceChildren(legend(data, colours), chart, html("div", "curves-tooltip"));
  }
  const taken = [];
  const made = marks.map((one) => mark(one, data.dims, fit, taken));
  root.rings.replaceChildren(...made.map(({ ring }) => ring));
  root.boxes.replaceChildren(...made.map(({ box }) => box));
}

function listen(root) {
  const pointOf = (event) => event.target.closest?.(".curves-point");
  root.addEventListener("click", (event) => {
    const point = pointOf(event);
    if (point) root.select([Number(point.dataset.dim), point.dataset.name]);
  });
  root.addEventListener("mouseover", (event) => {
    const named = event.target.closest?.(".curves-legend span")?.dataset.name;
    root.classList.toggle("apart", named !== undefined);
    for (const one of root.querySelectorAll(".curves-curve")) {
      one.classList.toggle("named", one.dataset.name === named);
    }
    const tooltip = root.querySelector(".curves-tooltip");
    // Before the first drawing, while there is no width yet, there is nothing to point at.
    if (!tooltip) return;
    const point = pointOf(event);
    tooltip.style.visibility = point ? "visible" : "hidden";
    if (!point) return;
    const { name, dim, value, low, high } = point.dataset;
    const [mean, least, most] = [value, low, high].map(share);
    tooltip.textContent =
      `${name} at ${dim} dims: ${root.data.measure} ${mean}, 95% ${least} to ${most}`;
    const at = point.getBoundingClientRect();
    const frame = root.getBoundingClientRect();
    const left = at.x - frame.x + 14;
    const fits = left + tooltip.offsetWidth < frame.width;
    tooltip.style.left = `${fits ? left : at.x - frame.x - tooltip.offsetWidth - 6}px`;
    tooltip.style.top = `${at.y - frame.y - 28}px`;
  });
  root.addEventListener("mouseleave", () => {
    root.classList.remove("apart");
    root.querySelector(".curves-tooltip")?.style.setProperty("visibility", "hidden");
  });
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let root = parentElement.querySelector(".curves");
  if (!root) {
    root = html("div", "curves");
    parentElement.append(root);
    listen(root);
    new ResizeObserver(([entry]) => {
      root.width = entry.contentRect.width;
      draw(root);
    }).observe(root);
  }
  root.data = data;
  root.select = (point) => setTriggerValue("point", point);
  draw(root);
}

// Share against bytes: a point for each configuration, the best at each size, what is asked, and the
// configuration that is recommended. The points stay in place while only these marks move.
const LINE = "#7A7F87";
const RING = 11;

function pointsOf({ points }, place, colour, { x, y }) {
  return points.map(([number, size, value, text, native]) => {
    const made = node("path", {
      d: SHAPES[place % SHAPES.length],
      transform: `translate(${x(size)},${y(value)})`,
      class: native ? "chart-point" : "chart-point hollow",
    });
    if (native) made.setAttribute("fill", colour);
    else made.style.color = colour;
    Object.assign(made.dataset, { number, text });
    return made;
  });
}

function best(steps, { x, y, right }) {
  const path = steps.map(([size, value], i) => `${i ? `H${x(size)}V` : `M${x(size)},`}${y(value)}`);
  return node("path", { d: `${path.join("")}H${right}`, stroke: LINE, class: "frontier-best" });
}

function asked({ share: value, text }, { y, right }) {
  const line = { x1: FRAME.left, x2: right, y1: y(value), y2: y(value), stroke: LINE };
  const label = { x: FRAME.left + 6, y: y(value) - 4 };
  return [node("line", line), node("text", label, text)];
}

function mark({ size, share: value, text }, { least, most }, { x, y }) {
  const ring = { cx: x(size), cy: y(value), r: RING, stroke: CHOSEN, class: "chart-mark" };
  const place = (Math.log2(size) - Math.log2(least)) / (Math.log2(most) - Math.log2(least));
  const shift = place < 0.2 ? "-1rem" : place > 0.8 ? "1rem - 100%" : "-50%";
  const below = y(value) + RING + 5;
  const top = below + 18 < HEIGHT - FRAME.bottom ? below : y(value) - RING - 23;
  return [node("circle", ring), labelBox(text, CHOSEN, x(size), shift, top)];
}

function draw(root) {
  const { data, width } = root;
  if (!width) return;
  const { asked: target, chosen, ...still } = data;
  const fit = scales(data, width);
  const colours = palette(root);
  const drawn = JSON.stringify([still, width, colours]);
  if (root.drawn !== drawn) {
    root.drawn = drawn;
    const series = data.series.map((one, i) => ({
      ...one,
      colour: colours[i % colours.length],
      shape: SHAPES[i % SHAPES.length],
    }));
    const svg = node("svg", { width, height: HEIGHT, role: "img" });
    svg.setAttribute("aria-label", data.about);
    root.asked = node("g", {});
    root.ring = node("g", {});
    svg.append(axes({ ...data, stops: data.ticks }, fit), root.asked, best(data.best, fit));
    series.forEach((one, i) => svg.append(...pointsOf(one, i, one.colour, fit)));
    svg.append(root.ring);
    root.boxes = html("div", "chart-boxes");
    const chart = html("div", "chart-frame");
    chart.append(svg, root.boxes);
    root.replaceChildren(legend(series), chart, html("div", "chart-tooltip"));
  }
  root.asked.replaceChildren(...(target ? asked(target, fit) : []));
  const [ring, box] = chosen ? mark(chosen, data, fit) : [];
  root.ring.replaceChildren(...(ring ? [ring] : []));
  root.boxes.replaceChildren(...(box ? [box] : []));
}

function listen(root) {
  const pointOf = (event) => event.target.closest?.(".chart-point");
  root.addEventListener("click", (event) => {
    const point = pointOf(event);
    if (point) root.select(Number(point.dataset.number));
  });
  root.addEventListener("mouseover", (event) => {
    const tooltip = root.querySelector(".chart-tooltip");
    const point = pointOf(event);
    if (tooltip) tell(tooltip, point?.dataset.text, point, root);
  });
  root.addEventListener("mouseleave", () => {
    root.querySelector(".chart-tooltip")?.style.setProperty("visibility", "hidden");
  });
}

export default function (component) {
  const root = mount(component, "frontier", draw, listen);
  root.select = (number) => component.setTriggerValue("point", number);
}

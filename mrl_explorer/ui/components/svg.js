// What charts with a share against a logarithmic axis have in common. All text is set with
// textContent.
const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 306;
const FRAME = { left: 52, right: 14, top: 8, bottom: 40 };
const CHOSEN = "#D9480F";
// Shape and dash tell curves and points apart without colour; they repeat after five, colours do not.
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

// Where the values from `least` to `most` stand from left to right, and shares from `lowest` to 1
// upwards.
function scales({ least, most, lowest }, width) {
  const first = Math.log2(least / 1.12);
  const last = Math.log2(most * 1.12);
  const right = width - FRAME.right;
  const foot = HEIGHT - FRAME.bottom;
  return {
    right,
    foot,
    x: (value) =>
      FRAME.left + ((Math.log2(value) - first) / (last - first)) * (right - FRAME.left),
    y: (value) => foot - ((value - lowest) / (1 - lowest)) * (foot - FRAME.top),
  };
}

function axes({ lowest, stops, ticks, across, upwards }, { x, y, right, foot }) {
  const group = node("g", {});
  const n = Math.round((1 - lowest) * 10);
  const step = n > 6 ? 2 : 1;
  for (let i = 0; i <= n; i += step) {
    const value = 1 - i / 10;
    const line = { x1: FRAME.left, x2: right, y1: y(value), y2: y(value), class: "chart-axis" };
    const label = { x: FRAME.left - 8, y: y(value) + 4, "text-anchor": "end" };
    group.append(node("line", line), node("text", label, value.toFixed(1)));
  }
  for (const stop of stops) {
    const tick = { x1: x(stop), x2: x(stop), y1: foot, y2: foot + 5, class: "chart-axis" };
    group.append(node("line", tick));
  }
  for (const tick of ticks) {
    const label = { x: x(tick), y: foot + 18, "text-anchor": "middle" };
    group.append(node("text", label, tick < 1 ? String(tick) : tick.toLocaleString("en")));
  }
  const middle = { x: (FRAME.left + right) / 2, y: HEIGHT - 4, "text-anchor": "middle" };
  const turned = `rotate(-90) translate(${-(FRAME.top + foot) / 2}, 13)`;
  group.append(
    node("text", middle, across),
    node("text", { transform: turned, "text-anchor": "middle" }, upwards),
  );
  return group;
}

// A sample of each series beside its name: its point, and its line where it has one.
function legend(series) {
  const made = html("div", "chart-legend");
  for (const { name, colour, shape, dash } of series) {
    const item = html("span", "");
    const half = dash === undefined ? 7 : 13;
    const sample = node("svg", { width: 2 * half, height: 12, viewBox: `${-half} -6 ${2 * half} 12` });
    if (dash !== undefined) {
      const style = { stroke: colour, "stroke-width": 2, "stroke-dasharray": dash };
      sample.append(node("line", { x1: -13, x2: 13, y1: 0, y2: 0, ...style }));
    }
    if (shape) sample.append(node("path", { d: shape, fill: colour }));
    item.dataset.name = name;
    item.append(sample, name);
    made.append(item);
  }
  return made;
}

// What a marked point is, in a box. It is aligned, not measured: measuring would lay the whole page
// out once more on every move. `shift` says where the box stands from x.
function labelBox(text, colour, x, shift, top) {
  const box = html("div", "chart-label", text);
  box.style.background = colour;
  box.style.transform = `translate(calc(${x}px + ${shift}), ${top}px)`;
  return box;
}

// The theme's colours for curves and points, in their order.
function palette(root) {
  return getComputedStyle(root)
    .getPropertyValue("--st-chart-categorical-colors")
    .split(",")
    .map((colour) => colour.trim());
}

// Shows a text beside an element; an empty one hides it.
function tell(tooltip, text, element, root) {
  tooltip.style.visibility = text ? "visible" : "hidden";
  if (!text) return;
  tooltip.textContent = text;
  const at = element.getBoundingClientRect();
  const frame = root.getBoundingClientRect();
  const left = at.x - frame.x + 14;
  const fits = left + tooltip.offsetWidth < frame.width;
  tooltip.style.left = `${fits ? left : at.x - frame.x - tooltip.offsetWidth - 6}px`;
  tooltip.style.top = `${at.y - frame.y - 28}px`;
}

// Finds or makes the chart's element, which outlives a run of the page, and draws the data into it
// whenever they or its width change.
function mount({ data, parentElement }, className, draw, listen) {
  let root = parentElement.querySelector(`.${className}`);
  if (!root) {
    root = html("div", `mrl-chart ${className}`);
    parentElement.append(root);
    listen(root);
    new ResizeObserver(([entry]) => {
      root.width = entry.contentRect.width;
      draw(root);
    }).observe(root);
  }
  root.data = data;
  draw(root);
  return root;
}

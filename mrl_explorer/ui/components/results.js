// Columns of result cards. All text is set with textContent, so it shows literally whatever it
// holds. One tab stop per list; arrow keys move within it, Enter opens a card.
const NARROW = 620;

function element(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function card(item, config, opened) {
  const node = element("li", `card mark-${item.mark}`);
  const spoken = item.spoken + (item.other ? `, at rank ${item.other} in the other` : "");
  node.dataset.row = item.row;
  node.tabIndex = -1;
  node.setAttribute("role", "button");
  node.setAttribute("aria-expanded", opened.has(item.row) ? "true" : "false");
  node.setAttribute(
    "aria-label",
    `Rank ${item.rank}, ${spoken}: ${item.title || item.text.slice(0, 80)} ${item.source}`.trim(),
  );
  const title = element("span", "card-title", item.title || item.id);
  const text = element("span", "card-text", item.text || "(vectors only: no text to show)");
  title.dir = text.dir = "auto";
  if (item.source) title.append(element("span", "card-source", item.source));
  node.append(
    element("span", "card-rank", item.rank),
    title,
    ...(item.other ? [element("span", "card-other", `⇄ ${item.other}`)] : []),
    element("span", "card-score", item.score),
    element("span", "card-badge", item.badge),
    text,
    element("span", "card-meta", `${item.id} · score ${item.score} (${config}), ${spoken}`),
  );
  node.title = `${item.id} · score ${item.score} · ${spoken}`;
  return node;
}

function listOf(cards, config, opened) {
  const list = element("ol", "results-list");
  for (const item of cards) list.append(card(item, config, opened));
  if (list.firstChild) list.firstChild.tabIndex = 0;
  return list;
}

function column(content, opened) {
  const node = element("section", "results-column");
  node.setAttribute("aria-label", `${content.title}: ${content.config}`);
  const head = element("div", "results-head");
  head.append(
    element("span", "results-title", content.title),
    element("span", "results-config", content.config),
    element("span", "results-note", content.note),
  );
  node.append(head);
  if (content.empty) node.append(element("p", "results-empty", content.empty));
  else node.append(listOf(content.cards, content.config, opened));
  if (content.lost?.length) {
    node.append(
      element("p", "results-lost", "Lost of its own full dimension, by true rank"),
      listOf(content.lost, content.config, opened),
    );
  }
  return node;
}

function highlight(root, row) {
  for (const node of root.querySelectorAll(".card")) {
    node.classList.toggle("twin", row !== undefined && node.dataset.row === row);
  }
}

function toggle(node, opened) {
  const open = node.getAttribute("aria-expanded") !== "true";
  node.setAttribute("aria-expanded", open ? "true" : "false");
  if (open) opened.add(Number(node.dataset.row));
  else opened.delete(Number(node.dataset.row));
}

function listen(root, opened) {
  const cardOf = (event) => event.target.closest(".card");
  root.addEventListener("click", (event) => {
    const node = cardOf(event);
    if (node && !String(getSelection())) toggle(node, opened);
  });
  root.addEventListener("mouseover", (event) => highlight(root, cardOf(event)?.dataset.row));
  root.addEventListener("mouseleave", () => highlight(root));
  root.addEventListener("focusin", (event) => highlight(root, cardOf(event)?.dataset.row));
  root.addEventListener("focusout", () => highlight(root));
  root.addEventListener("keydown", (event) => {
    const node = cardOf(event);
    if (!node) return;
    const steps = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" };
    if (event.key in steps) {
      const next = node[steps[event.key]];
      if (next) {
        node.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      }
    } else if (event.key === "Enter" || event.key === " ") {
      toggle(node, opened);
    } else {
      return;
    }
    event.preventDefault();
  });
}

export default function (component) {
  const { data, parentElement } = component;
  let root = parentElement.querySelector(".results");
  if (!root) {
    root = element("div", "results mrl-results");
    root.opened = new Set();
    parentElement.append(element("p", "results-query"), root);
    listen(root, root.opened);
    new ResizeObserver(([entry]) =>
      root.classList.toggle("narrow", entry.contentRect.width < NARROW),
    ).observe(parentElement);
  }
  const query = parentElement.querySelector(".results-query");
  query.dir = "auto";
  query.textContent = data.query ? `“${data.query}”` : "";
  query.append(element("span", "results-note", data.note));
  if (root.dataset.query !== data.query) root.opened.clear();
  root.dataset.query = data.query;
  root.dataset.dim = data.dim;
  root.style.setProperty("--columns", data.columns.length);
  root.replaceChildren(...data.columns.map((content) => column(content, root.opened)));
}

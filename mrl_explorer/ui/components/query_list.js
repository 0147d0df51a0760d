// Queries, each a button: its figure, then its text. All text is set with textContent.
export default function ({ data, parentElement, setTriggerValue }) {
  let list = parentElement.querySelector(".query-list");
  if (!list) {
    list = document.createElement("ol");
    list.className = "query-list";
    parentElement.append(list);
  }
  const rows = data.queries.map(([id, figure, text]) => {
    const row = document.createElement("li");
    const button = document.createElement("button");
    const label = document.createElement("span");
    button.type = "button";
    label.textContent = text;
    label.dir = "auto";
    button.append(Object.assign(document.createElement("b"), { textContent: figure }), label);
    button.onclick = () => setTriggerValue("query", id);
    row.append(button);
    return row;
  });
  list.replaceChildren(...rows);
}

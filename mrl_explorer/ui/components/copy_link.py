"""A button that copies the page's address."""

import streamlit as st

_JS = """
export default function (component) {
  const button = component.parentElement.querySelector("button");
  const status = component.parentElement.querySelector("[role=status]");
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      // Without a secure context there is no clipboard: the old way still works.
      const field = document.createElement("textarea");
      field.value = location.href;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    status.textContent = "Copied";
    setTimeout(() => { status.textContent = ""; }, 2000);
  };
}
"""
_CSS = """
.copy-link { display: flex; align-items: center; gap: 0.5rem; font-family: var(--st-font); }
.copy-link button { font: inherit; color: var(--st-text-color); background: transparent;
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
  padding: 0.35rem 0.8rem; cursor: pointer; white-space: nowrap; min-height: 2.4rem; }
.copy-link button:hover, .copy-link button:focus-visible {
  border-color: var(--st-primary-color); color: var(--st-primary-color); }
.copy-link span { font-size: 0.8rem; min-width: 3.4rem; color: var(--st-text-color); }
"""
_HTML = """
<div class="copy-link"><button type="button">Copy link</button><span role="status"></span></div>
"""
_component = st.components.v2.component(
    "mrl_explorer_copy_link", html=_HTML, css=_CSS, js=_JS, isolate_styles=False
)


def show_copy_link() -> None:
    """Show the button; the address holds the whole view."""
    _component(key="copy_link")

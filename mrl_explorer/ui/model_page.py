"""Model: whether this model is Matryoshka, whether it can be made so, and another beside it."""

import streamlit as st

from mrl_explorer.ui import adapter_panel
from mrl_explorer.ui.frame import show_data_line
from mrl_explorer.ui.matryoshka_panel import show_matryoshka
from mrl_explorer.ui.models_beside import show_models_beside

_STYLE = """
<style>
.mrl-card { border: 1px solid var(--st-border-color, #8886); border-radius: .5rem;
  padding: .55rem .85rem .6rem; }
.mrl-card small { opacity: .75; }
.mrl-card h3 { margin: 0; padding: .1rem 0 .25rem; font-size: 1.25rem; line-height: 1.25; }
.mrl-card p { margin: 0 0 .35rem; }
.mrl-card p:last-child { margin: 0; }
/* The chart keeps its place while it is drawn. */
.st-key-orders-chart { min-height: 330px; }
</style>
"""


def show() -> None:
    """Run the page from top to bottom."""
    dataset = show_data_line()
    st.html(_STYLE)
    # Each part has its place: what a finished measurement adds moves no control that is in use.
    with st.container():
        st.subheader("Is this model Matryoshka?", anchor=False)
        measured = show_matryoshka(dataset)
    with st.container():
        st.subheader("Make it Matryoshka", anchor=False)
        adapter_panel.show(dataset)
    with st.container():
        show_models_beside(dataset)
    # Tells who waits for it that all above is there.
    st.html(f'<span class="mrl-end" data-measured="{measured}" hidden></span>')

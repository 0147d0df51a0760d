"""Open the dashboard: `streamlit run streamlit_app.py`."""

import gc
from pathlib import Path

import streamlit as st

from mrl_explorer.ui import (
    data_page,
    decide_page,
    explore_page,
    frame,
    guide_page,
    model_page,
    tiers_page,
)

st.set_page_config(
    page_title="MRL Explorer",
    # A file of our own: for a Material icon the browser would ask a server of Google's.
    page_icon=Path(__file__).parent / "mrl_explorer/ui/icon.svg",
    layout="wide",
    initial_sidebar_state="collapsed",
)


@st.cache_resource
def settle() -> None:
    """Set what is loaded by now apart from the garbage collector: it stays, and costs no scan."""
    gc.collect()
    gc.freeze()


explore = st.Page(
    explore_page.show, title="Explore", icon=":material/tune:", url_path="explore", default=True
)
decide = st.Page(decide_page.show, title="Decide", icon=":material/rule:", url_path="decide")
tiers = st.Page(tiers_page.show, title="Tiers", icon=":material/filter_alt:", url_path="tiers")
model = st.Page(model_page.show, title="Model", icon=":material/layers:", url_path="model")
data = st.Page(data_page.show, title="Data", icon=":material/database:", url_path="data")
guide = st.Page(guide_page.show, title="How it works", icon=":material/school:", url_path="guide")
st.session_state["explore page"], st.session_state["data page"] = explore, data
page = st.navigation([explore, decide, tiers, model, data, guide], position="top")
frame.show_style()
page.run()
settle()

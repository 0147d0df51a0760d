"""Data: bring documents, queries and judgements."""

import streamlit as st


def show() -> None:
    """Run the page."""
    st.title("Data")

"""What the page keeps in the address bar beyond the widgets that bind to it."""

import streamlit as st


def set_parameter(name: str, value: str | None) -> None:
    """Put a value into the address bar, or take it out with None.

    Each write is a message that the browser answers by changing its history, 10 ms of a slider
    move, so nothing is written that stands there already.
    """
    if st.query_params.get(name) == value:
        return
    if value is None:
        st.query_params.pop(name)
    else:
        st.query_params[name] = value

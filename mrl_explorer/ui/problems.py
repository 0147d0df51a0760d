"""Sentences for the reader that hold names of theirs."""

import re

import streamlit as st

# What Streamlit's Markdown would act on: emphasis, formulas, links, code, tags, and names between
# or before colons (icons, colours).
_MARKUP = re.compile(r"[*$`\[\]<>~\\]|:(?=\w)")


def literal(text: str) -> str:
    """Escape a text so that Markdown shows it as it is."""
    return _MARKUP.sub(lambda found: "\\" + found[0], text)


def show_error(text: str) -> None:
    """Show what is wrong, in one sentence, whatever the names in it look like."""
    st.error(literal(text), icon=":material/error:")

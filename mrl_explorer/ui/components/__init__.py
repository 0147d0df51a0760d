"""Pieces of a page that Streamlit has no element for."""

from pathlib import Path

_HERE = Path(__file__).parent


def source(*names: str) -> str:
    """Give the text of files beside this one, one after the other."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)

"""Pieces of a page that Streamlit has no element for."""

"""What is said of the model behind a data set, read once."""

import streamlit as st

from mrl_explorer.embed import Matryoshka, stated_matryoshka
from mrl_explorer.ui.datasets import Dataset


def stated_of(dataset: Dataset) -> Matryoshka:
    """Tell whether a data set's model is said to be trained to be cut, and by whom."""
    source = dataset.evaluation.source
    return _stated(source.model, source.trained_dims)


@st.cache_data(show_spinner=False, max_entries=32)
def _stated(model: str | None, trained_dims: tuple[int, ...]) -> Matryoshka:
    """Read a model's own files once."""
    return stated_matryoshka(model, trained_dims)

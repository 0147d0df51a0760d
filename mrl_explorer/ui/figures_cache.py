"""Figures that are read once for each cut-off: every slider move after that is a look-up."""

import streamlit as st

from mrl_explorer.decide.summary import Summary, summarise
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.metrics import Cutoff
from mrl_explorer.ui.datasets import Dataset


def summary_of(dataset: Dataset, cutoff: Cutoff) -> Summary:
    """Give all figures of a data set at a cut-off.

    Raises
    ------
    InputError
        If its lists cannot answer it.
    """
    return _summary(dataset.evaluation, (dataset.key, dataset.version), cutoff)


@st.cache_resource(show_spinner=False, max_entries=64)
def _summary(_evaluation: Evaluation, key: tuple[str, str], cutoff: Cutoff) -> Summary:
    """Read them. The key stands for the evaluation, which is too large to hash."""
    return summarise(_evaluation, cutoff)

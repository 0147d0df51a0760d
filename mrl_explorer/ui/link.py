"""What a link names that this run has not."""

from collections.abc import Callable, Mapping

import streamlit as st

from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.metrics import Cutoff
from mrl_explorer.retrieval.rankings import Rankings
from mrl_explorer.ui.controls import COUNTS, OVERSAMPLES, parse_config
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.number_field import read_number
from mrl_explorer.ui.problems import literal

_SHOWN = 40


def tell_link(dataset: Dataset) -> None:
    """Say what a link to Explore asks for in vain; to be called before the controls are drawn."""
    if "quantization" in st.session_state:
        return
    rankings = dataset.evaluation.rankings
    tell_unknown(_known(dataset))
    needed = _needed(rankings)
    if rankings.depth < needed <= rankings.n_docs:
        st.info(
            f"These lists hold {rankings.depth} places, and the link needs {needed}: rank deeper "
            "to see what it shows.",
            icon=":material/info:",
        )


def tell_unknown(known: Mapping[str, Callable[[str], bool]]) -> None:
    """Say which values in the link this run has nothing for.

    Parameters
    ----------
    known : mapping of str to callable
        For each name that may be in the link: tells whether a value of it is known.
    """
    unknown = [
        f"{name} {literal(text[:_SHOWN])}"
        for name, is_known in known.items()
        for text in st.query_params.get_all(name)
        if not is_known(text)
    ]
    if unknown:
        st.info(
            f"This run has nothing for {', '.join(unknown)}, which the link names: the usual is "
            "shown instead.",
            icon=":material/info:",
        )


def _known(dataset: Dataset) -> dict[str, Callable[[str], bool]]:
    """Tell of each name in the link which values this run has."""
    evaluation = dataset.evaluation
    rankings = evaluation.rankings
    configs = rankings.configs
    return {
        "dim": lambda text: read_number(text, 1, rankings.full_dim) is not None,
        "k": lambda text: read_number(text, 1, rankings.n_docs) is not None,
        "quantization": {config.quantization for config in configs}.__contains__,
        "basis": {config.basis for config in configs}.__contains__,
        "vectors": COUNTS.__contains__,
        "oversample": set(map(str, OVERSAMPLES)).__contains__,
        "pin": lambda text: _is_config(text, rankings),
        "q": set(evaluation.queries.ids).__contains__,
        "segment": {"All segments", *(evaluation.queries.segments or ())}.__contains__,
    }


def _is_config(text: str, rankings: Rankings) -> bool:
    try:
        return parse_config(text) in rankings
    except InputError:
        return False


def _needed(rankings: Rankings) -> int:
    """Give the places that the link's k and oversampling take."""
    k, oversample = (
        read_number(st.query_params.get(name, ""), 1, rankings.n_docs) or 1
        for name in ("k", "oversample")
    )
    rescored = st.query_params.get("rescore") == "true"
    return Cutoff(k, oversample, rescore=rescored).candidates

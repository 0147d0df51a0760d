"""What a link names that this run has not."""

import re

import streamlit as st

from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.metrics import Cutoff
from mrl_explorer.retrieval.rankings import Rankings
from mrl_explorer.ui.controls import COUNTS, OVERSAMPLES, parse_config
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.problems import literal

_WHOLE = re.compile(r"[0-9]{1,6}")
_SHOWN = 40


def tell_link(dataset: Dataset) -> None:
    """Say what a link asks for in vain; to be called before the controls are drawn."""
    if "quantization" in st.session_state:
        return
    rankings = dataset.evaluation.rankings
    unknown = [name for name, known in _known(dataset).items() if not known]
    if unknown:
        named = ", ".join(f"{name} {literal(st.query_params[name][:_SHOWN])}" for name in unknown)
        st.info(
            f"This run has nothing for {named}, which the link names: the usual is shown instead.",
            icon=":material/info:",
        )
    needed = _needed(rankings)
    if rankings.depth < needed <= rankings.n_docs:
        st.info(
            f"These lists hold {rankings.depth} places, and the link needs {needed}: rank deeper "
            "to see what it shows.",
            icon=":material/info:",
        )


def _known(dataset: Dataset) -> dict[str, bool]:
    """Tell of each value in the link whether this run has it."""
    evaluation = dataset.evaluation
    rankings = evaluation.rankings
    configs = rankings.configs
    tests = {
        "dim": lambda text: _whole(text) in range(1, rankings.full_dim + 1),
        "k": lambda text: _whole(text) in range(1, rankings.n_docs + 1),
        "quantization": {config.quantization for config in configs}.__contains__,
        "basis": {config.basis for config in configs}.__contains__,
        "vectors": COUNTS.__contains__,
        "oversample": set(map(str, OVERSAMPLES)).__contains__,
        "pin": lambda text: _is_config(text, rankings),
        "q": set(evaluation.queries.ids).__contains__,
        "segment": {"All segments", *(evaluation.queries.segments or ())}.__contains__,
    }
    return {
        name: test(st.query_params[name]) for name, test in tests.items() if name in st.query_params
    }


def _whole(text: str) -> int:
    return int(text) if _WHOLE.fullmatch(text) else 0


def _is_config(text: str, rankings: Rankings) -> bool:
    try:
        return parse_config(text) in rankings
    except InputError:
        return False


def _needed(rankings: Rankings) -> int:
    """Give the places that the link's k and oversampling take."""
    k, oversample = (max(1, _whole(st.query_params.get(name, ""))) for name in ("k", "oversample"))
    rescored = st.query_params.get("rescore") == "true"
    return Cutoff(min(k, rankings.n_docs), oversample, rescore=rescored).candidates

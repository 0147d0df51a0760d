"""More of the run that is shown: another dimension, or longer lists."""

from functools import partial

import streamlit as st

from mrl_explorer.progress import OnProgress
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.extension import deepest, extend
from mrl_explorer.ui import datasets, jobs
from mrl_explorer.ui.datasets import Dataset


def show_extend(dataset: Dataset, *, needed: int) -> None:
    """Offer one more stop of the slider, or longer lists."""
    if dataset.collection is None:
        return
    with st.popover(
        "Extend",
        icon=":material/add:",
        help="Add a dimension to the slider, or rank deeper: longer lists allow a larger "
        "k × oversampling.",
    ):
        _offer_dim(dataset)
        _offer_depth(dataset, needed=needed)


def show_rank_deeper(dataset: Dataset, *, needed: int) -> None:
    """Offer longer lists, as long as is needed or as wished."""
    if dataset.collection is None:
        return
    with st.popover(
        "Deeper",
        icon=":material/vertical_align_bottom:",
        type="tertiary",
        help="Rank deeper: longer lists allow a larger k × oversampling.",
    ):
        _offer_depth(dataset, needed=needed)


def _offer_dim(dataset: Dataset) -> None:
    rankings = dataset.evaluation.rankings
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        dim = st.number_input(
            "Add a dimension",
            1,
            rankings.full_dim,
            None,
            key="new dim",
            placeholder=f"1 to {rankings.full_dim}",
            help=f"From 1 to {rankings.full_dim}: ranked in every quantization and basis of this "
            "run. It is added in this browser session.",
        )
        there = dim in {config.dim for config in rankings.configs}
        st.button(
            "Rank it",
            icon=":material/play_arrow:",
            disabled=dim is None or there or _is_busy(),
            on_click=_start,
            args=(dataset,),
            kwargs={"dim": dim},
            help="The slider stops there already." if there else None,
        )


def _offer_depth(dataset: Dataset, *, needed: int) -> None:
    rankings = dataset.evaluation.rankings
    most = deepest(rankings)
    if most <= rankings.depth:
        all_of_them = rankings.depth == rankings.n_docs
        st.caption(
            f"These lists hold all {rankings.n_docs:,} documents."
            if all_of_them
            else "Longer lists of so many configurations and queries would not fit in memory."
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        depth = st.number_input(
            "Places in each list",
            rankings.depth + 1,
            most,
            min(needed, most),
            help=f"These lists hold {rankings.depth:,}; k × oversampling can go up to it. Every "
            f"configuration is ranked again, at most {most:,} deep.",
        )
        st.button(
            "Rank again",
            icon=":material/play_arrow:",
            help="Makes every list as long as is set above, with progress; it can be cancelled.",
            disabled=_is_busy(),
            on_click=_start,
            args=(dataset,),
            kwargs={"depth": int(depth)},
        )


def show_progress() -> None:
    """Show how such work goes, and why it failed if it did."""
    jobs.show("extend", cancelled="Cancelled: nothing was changed.")


def _is_busy() -> bool:
    return jobs.running("extend")


def _start(dataset: Dataset, *, dim: int | None = None, depth: int | None = None) -> None:
    collection = dataset.collection
    if collection is None or _is_busy():
        return

    def work(on_progress: OnProgress) -> Evaluation:
        return extend(
            dataset.evaluation,
            collection(),
            dims=() if dim is None else (dim,),
            depth=depth,
            on_progress=on_progress,
        )

    jobs.begin("extend", work, then=partial(_take_in, dataset, dim))


def _take_in(dataset: Dataset, dim: int | None, evaluation: Evaluation) -> None:
    datasets.extend(dataset, evaluation)
    if dim is not None and datasets.is_current(dataset.key):
        st.session_state["added dim"] = dim

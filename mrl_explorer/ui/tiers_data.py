"""What the Tiers page works on: a data set, its candidates perhaps scored directly by now."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from mrl_explorer.data import Collection
from mrl_explorer.decide.needs import rescoring_configs
from mrl_explorer.progress import OnProgress
from mrl_explorer.retrieval.candidates import (
    Candidates,
    gather_candidates,
    rank_directly,
    scorer_of,
)
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.ui import jobs
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.extend_panel import show_progress, show_rank_deeper

NO_VECTORS = (
    "This data set is an evaluation without its vectors, and this needs them: run the data on the "
    "Data page."
)
_DEEPER = 4


@dataclass(frozen=True, eq=False)
class Tiered:
    """A data set as this page sees it.

    Attributes
    ----------
    dataset : Dataset
        What is shown.
    candidates : Candidates
        Of its lists.
    unseen : Candidates or None
        Of its held-out lists.
    direct : bool
        Whether candidates were scored directly.
    """

    dataset: Dataset
    candidates: Candidates
    unseen: Candidates | None
    direct: bool

    @property
    def evaluation(self) -> Evaluation:
        """The ranked lists."""
        return self.dataset.evaluation

    @property
    def identity(self) -> tuple[str, str, bool]:
        """What tells one state from another, for caches."""
        return (self.dataset.key, self.dataset.version, self.direct)

    def kept(self) -> dict[str, Any]:
        """Give what this session has worked out for this state of the data; to be added to."""
        store: dict[object, dict[str, Any]] = st.session_state.setdefault("tiers", {})
        return store.setdefault(self.identity[:2], {})


def tiered(dataset: Dataset) -> Tiered:
    """Find what this session knows of a data set."""
    store = st.session_state.setdefault("tiers", {}).get((dataset.key, dataset.version), {})
    direct: Candidates | None = store.get("direct")
    candidates, unseen = _candidates(dataset.evaluation, (dataset.key, dataset.version))
    return Tiered(dataset, direct or candidates, unseen, direct=direct is not None)


@st.cache_resource(show_spinner="Gathering candidates", max_entries=4)
def _candidates(
    _evaluation: Evaluation, key: tuple[str, str]
) -> tuple[Candidates, Candidates | None]:
    """Gather once for each run: the key stands for the evaluation, which is too large to hash."""
    there = _evaluation.held_out
    return (
        gather_candidates(_evaluation.rankings),
        None if there is None else gather_candidates(there.rankings),
    )


def collection_of(data: Tiered) -> Callable[[], Collection]:
    """Give what reads the vectors, to be called inside a job.

    Raises
    ------
    ValueError
        If the data set has none: ask `dataset.collection` first.
    """
    if data.dataset.collection is None:
        raise ValueError("this data set has no vectors")
    return data.dataset.collection


def show_longer_lists(data: Tiered) -> None:
    """Offer to rank deeper and to score candidates directly, and show how that goes."""
    possible = data.dataset.collection is not None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        show_rank_deeper(data.dataset, needed=_DEEPER * data.evaluation.rankings.depth)
        if st.button(
            "Candidates scored directly" if data.direct else "Score candidates directly",
            icon=":material/check:" if data.direct else ":material/calculate:",
            disabled=jobs.running("direct") or not possible or data.direct,
            help="Where a later stage's list is too short to tell how it ranks what it is handed, "
            "scores these documents by its codes. Also lets a float32 query rescore on stored "
            "binary or int4 codes, which costs no memory." + ("" if possible else f" {NO_VECTORS}"),
        ):
            _begin_direct(data)
    show_progress()
    jobs.show("direct")


def _begin_direct(data: Tiered) -> None:
    read, candidates, kept = collection_of(data), data.candidates, data.kept()
    evaluation, rankings = data.evaluation, data.evaluation.rankings

    def score(on_progress: OnProgress) -> Candidates:
        return rank_directly(
            candidates,
            rescoring_configs(rankings.full_dim, rankings.configs),
            scorer_of(evaluation, read()),
            on_progress=on_progress,
        )

    jobs.begin("direct", score, then=lambda scored: kept.update(direct=scored))
    # Drawn anew, the button is closed for as long as it goes on.
    st.rerun()

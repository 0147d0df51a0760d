"""Measured latency of the chosen chain and its runner-up on the Tiers page."""

import streamlit as st

from mrl_explorer.decide.funnels import Plan
from mrl_explorer.progress import OnProgress
from mrl_explorer.report.formats import count_text
from mrl_explorer.report.latency import latency_rows, modelled_text
from mrl_explorer.retrieval.candidates import scorer_of
from mrl_explorer.retrieval.chains import Chain, chain
from mrl_explorer.retrieval.latency import Latency, measure_latency
from mrl_explorer.retrieval.staged import StagedSearch
from mrl_explorer.ui import jobs
from mrl_explorer.ui.problems import literal
from mrl_explorer.ui.tiers_data import NO_VECTORS, Tiered, collection_of

FULL = "full dimension"
HELP_LATENCY = (
    "Measured on this server, warm, one query at a time on one thread, the searches in turn, "
    "queries encoded beforehand. Flat search and rescoring are this program's own compiled loops, "
    "the same for every search, over codes of as many bytes as are claimed for them, all in "
    "memory; a graph is usearch's. On all threads the first stage runs as one batch and later ones "
    "on one thread. Ratios first: milliseconds of another machine differ, ratios less. The spread "
    "is that of the rounds."
)


def show_latency(data: Tiered, found: Plan) -> None:
    """Offer to measure the cheapest chain and its runner-up beside full dimension."""
    timed = [tiers for tiers in (found.chosen, found.runner_up) if tiers is not None]
    chains = [tiers.chain for tiers in timed]
    if not chains:
        return
    st.markdown("**Latency**", help=HELP_LATENCY)
    if data.dataset.collection is None:
        st.caption(NO_VECTORS)
        return
    key = f"latency {[one.spelling for one in chains]}"
    measured: dict[str, Latency] | None = data.kept().get(key)
    if measured is None:
        if st.button(
            "Measure on this machine",
            icon=":material/timer:",
            disabled=jobs.running("latency"),
            help=HELP_LATENCY,
        ):
            _begin(data, chains, key, k=found.aim.k)
        jobs.show("latency")
        return
    needs = {FULL: found.full, **{str(tiers.chain): tiers.need for tiers in timed}}
    st.dataframe(
        latency_rows(
            measured,
            compared_with=FULL,
            bytes_read={name: need.bytes_read for name, need in needs.items()},
        ),
        hide_index=True,
    )
    n_docs = data.evaluation.rankings.n_docs
    model = modelled_text(measured, needs, n_docs=n_docs, n_vectors=found.aim.n_vectors)
    st.caption(
        literal(
            f"Times were measured at {n_docs:,} documents on this machine, bytes are those of "
            f"{count_text(found.aim.n_vectors)} vectors. {model}"
        )
    )


def _begin(data: Tiered, chains: list[Chain], key: str, *, k: int) -> None:
    read, evaluation, kept = collection_of(data), data.evaluation, data.kept()

    def measure(on_progress: OnProgress) -> dict[str, Latency]:
        scorer = scorer_of(evaluation, read())
        every = {
            FULL: chain((evaluation.rankings.baseline, k)),
            **{str(one): one for one in chains},
        }
        searches = {
            name: StagedSearch(one, scorer, on_progress=on_progress) for name, one in every.items()
        }
        return measure_latency(searches, compared_with=FULL, on_progress=on_progress)

    jobs.begin("latency", measure, then=lambda found: kept.update({key: found}))
    # Drawn anew, the button is closed for as long as it goes on.
    st.rerun()

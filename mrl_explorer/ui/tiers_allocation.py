"""Dims by query on the Tiers page: which queries need more than the cheap search."""

import streamlit as st

from mrl_explorer.decide.allocation import (
    Allocation,
    Ladder,
    Policy,
    allocate,
    make_ladder,
)
from mrl_explorer.errors import InputError
from mrl_explorer.report.formats import share_text
from mrl_explorer.report.work import example_rows, policy_rows, verdict_text
from mrl_explorer.retrieval.basis import BASES
from mrl_explorer.retrieval.metrics import Cutoff
from mrl_explorer.retrieval.quantization import QUANTIZATIONS
from mrl_explorer.ui.controls import show_k
from mrl_explorer.ui.problems import literal, show_error
from mrl_explorer.ui.tiers_data import Tiered
from mrl_explorer.ui.tiers_plan import TARGETS

_RECALL, _NDCG = "recall", "nDCG"


def show_allocation(data: Tiered) -> None:
    """Ask between which dims to choose, tune every policy, and show what each brings."""
    st.caption(
        "Every query starts with a cheap search of few dims, and some go on to more. Each policy "
        "is tuned on one half of the queries, drawn at random, and reported on the other half."
    )
    try:
        choice = _show_choice(data)
        if choice is None:
            return
        found = _allocation(data, data.identity, *choice)
    except InputError as error:
        show_error(str(error))
        return
    full_bytes = data.evaluation.rankings.baseline.bytes_per_vector
    st.markdown(f"**{literal(verdict_text(found, full_bytes=full_bytes))}**")
    st.info(
        "Storage is set by the largest dimension stored: "
        f"{found.ladder.configs[found.deep].dim} dims are kept for every document, however few "
        "queries use them. What is saved is work, not memory.",
        icon=":material/database:",
    )
    judged = found.fixed[0].ndcg is not None
    measure = _RECALL
    if judged:
        measure = (
            st.segmented_control(
                "Quality",
                [_RECALL, _NDCG],
                default=_RECALL,
                required=True,
                key="allocation_measure",
                persist_state="session",
                help="recall@k vs full dimension, or nDCG@k by your judgements, over the queries "
                "held out.",
            )
            or _RECALL
        )
    _show_chart(found, data, relevance=measure == _NDCG)
    _show_table(found, data)
    _show_examples(found, data)


def _show_choice(data: Tiered) -> tuple[str, str, int, int, float, int, tuple[str, ...]] | None:
    """Ask for quantization, basis, both dims, the target, k, and the segments of most value."""
    evaluation = data.evaluation
    rankings = evaluation.rankings
    quantizations = [n for n in QUANTIZATIONS if any(c.quantization == n for c in rankings.configs)]
    bases = [name for name in BASES if any(c.basis == name for c in rankings.configs)]
    with st.container(
        border=True, horizontal=True, vertical_alignment="bottom", gap="medium", key="allocation"
    ):
        quantization = st.selectbox(
            "Quantization",
            quantizations,
            index=quantizations.index("int8") if "int8" in quantizations else 0,
            key="allocation_quantization",
            persist_state="session",
            width=150,
            help="The same at every dim.",
        )
        basis = st.selectbox(
            "Basis",
            bases,
            key="allocation_basis",
            persist_state="session",
            width=130,
            help="The axes that are cut, the same at every dim.",
        )
        dims = sorted(
            c.dim for c in rankings.configs if (c.quantization, c.basis) == (quantization, basis)
        )
        if len(dims) < 2:
            # Says what is missing, in the same words as for a run of one dim.
            make_ladder(evaluation, quantization=quantization, basis=basis, cutoff=Cutoff(1))
            return None
        usual = (dims[len(dims) // 4], dims[-1])
        cheap, deep = st.select_slider(
            "From, to dims",
            dims,
            value=usual,
            key=f"allocation dims {dims}",
            persist_state="session",
            width=260,
            help="The cheap search of every query, and the deeper one of some.",
        )
        target = st.select_slider(
            "Recall to keep",
            list(TARGETS),
            value=".950",
            key="allocation_target",
            persist_state="session",
            width=170,
            help="Mean recall@k that each policy is tuned for, at the least work.",
        )
        k = show_k(min(rankings.depth - 1, rankings.n_docs))
        segments = sorted(set(evaluation.queries.segments or ()))
        valued: list[str] = []
        if len(segments) > 1:
            valued = st.multiselect(
                "High-value segments",
                segments,
                key=f"valued of {data.identity}",
                width=260,
                placeholder="none",
                help="Their queries get all dims in the policy by segment, whatever they need.",
            )
    if cheap == deep:
        st.info("Choose two different dims: where every query starts, and where some go on to.")
        return None
    return (
        quantization,
        basis,
        dims.index(cheap),
        dims.index(deep),
        TARGETS[str(target)],
        k,
        tuple(valued),
    )


@st.cache_resource(show_spinner="Tuning on one half of the queries", max_entries=16)
def _allocation(
    _data: Tiered,
    identity: tuple[str, str, bool],
    quantization: str,
    basis: str,
    cheap: int,
    deep: int,
    target: float,
    k: int,
    valued: tuple[str, ...],
) -> Allocation:
    """Tune once for each question; the identity stands for the data, too large to hash."""
    cutoff = Cutoff(k)
    ladder: Ladder = make_ladder(
        _data.evaluation, quantization=quantization, basis=basis, cutoff=cutoff
    )
    return allocate(
        _data.evaluation,
        ladder,
        cutoff=cutoff,
        cheap=cheap,
        deep=deep,
        target=target,
        valued=valued,
    )


def _show_chart(found: Allocation, data: Tiered, *, relevance: bool) -> None:
    # Plotly takes a third of a second to import.
    from mrl_explorer.report.tier_figures import quality_by_work  # noqa: PLC0415

    full = data.evaluation.rankings.baseline.bytes_per_vector
    st.plotly_chart(
        quality_by_work(found, full_bytes=full, relevance=relevance),
        key="allocation chart",
        height=400,
    )
    st.caption(
        "One dim for all is what a policy has to beat; the oracle, who knows beforehand what each "
        "query keeps at each dim, is what none can. A policy that sends a query deeper pays for "
        "both searches. Flat searches: bytes are all codes of the dims read."
    )


def _show_table(found: Allocation, data: Tiered) -> None:
    full = data.evaluation.rankings.baseline.bytes_per_vector
    st.dataframe(
        policy_rows(found, full_bytes=full),
        hide_index=True,
        column_config={
            "work, % of full": st.column_config.NumberColumn(
                format="%.2f",
                help="Mean bytes read a query, of what full-dimension float32 reads.",
            ),
            "sent deeper, %": st.column_config.NumberColumn(
                format="%.0f", help="Queries that end at more dims than the cheap search has."
            ),
            "recall (95%)": st.column_config.TextColumn(
                help="recall@k over the queries held out, and its 95% interval."
            ),
            "nDCG": st.column_config.NumberColumn(
                format="%.3f", help="By your judgements, over the queries held out."
            ),
        },
    )
    held_out, tuning = len(found.ladder.held_out), len(found.ladder.tuning)
    notes = [f"Tuned on {tuning:,} queries, reported on the other {held_out:,}."]
    notes += [f"{policy.name}: {policy.rule}" for policy in found.policies]
    notes += [
        f"{policy.name}: {share_text(found.target)} was out of reach on the tuning half."
        for policy in found.policies
        if not policy.reached
    ]
    notes += found.left_out
    st.caption("\n".join(f"- {literal(note)}" for note in notes))


def _show_examples(found: Allocation, data: Tiered) -> None:
    """Show queries that a policy sends deeper, and those that it should have."""
    with st.expander("Examples"):
        names = {policy.name: policy for policy in found.policies}
        name = st.segmented_control(
            "Policy",
            list(names),
            default=next(iter(names)),
            required=True,
            key="example_policy",
            label_visibility="collapsed",
            help="Whose decisions are shown below, on queries held out.",
        )
        policy: Policy = names.get(str(name), found.policies[0])
        st.dataframe(
            example_rows(found, policy, data.evaluation.queries),
            hide_index=True,
            height=320,
            column_config={
                column: st.column_config.NumberColumn(format="%.2f", help=note)
                for column, note in (
                    ("recall cheap", "recall of this query at the cheap search's dims."),
                    ("recall deep", "recall of this query at the deeper search's dims."),
                )
            },
        )

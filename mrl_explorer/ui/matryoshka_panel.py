"""Whether the model is Matryoshka: what is said of it, and what its first dims carry here."""

import html

import streamlit as st

from mrl_explorer.data import Collection
from mrl_explorer.decide.matryoshka import CARRIES_MORE, NO_ADVANTAGE, Diagnosis, diagnose
from mrl_explorer.embed import Matryoshka
from mrl_explorer.progress import OnProgress
from mrl_explorer.report.formats import percent_text, share_text, signed_text
from mrl_explorer.report.matryoshka import (
    ORDER_HELP,
    STATED_TITLES,
    energy_chart,
    order_rows,
    orders_chart,
    pca_text,
    relevance_text,
    standing_text,
    stated_text,
    verdict_text,
    verdict_title,
)
from mrl_explorer.retrieval.orders import (
    MAX_DOCUMENTS,
    MAX_QUERIES,
    N_RANDOM,
    Orders,
    measure_orders,
)
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.measured import measured
from mrl_explorer.ui.problems import literal
from mrl_explorer.ui.stated import stated_of

_AT_ONCE = 500_000_000
"""Products of one search, n_docs x n_queries x full_dim, up to which it takes a few seconds."""

_CHART_HEIGHT = 330
_RECALL, _NDCG, _ENERGY = "recall", "nDCG", "energy"
_STATED_ICONS = {"yes": "✓", "likely": "✓?", "no": "✕", "unknown": "?"}
_MEASURED_ICONS = {CARRIES_MORE: "✓", NO_ADVANTAGE: "="}
_HELP_MEASURE = (
    f"Searches your documents again with the first dims, the last, {N_RANDOM} random choices and "
    f"principal axes; of large data a fixed random sample of {MAX_DOCUMENTS:,} documents and "
    f"{MAX_QUERIES:,} queries. It can be cancelled."
)


def show_matryoshka(dataset: Dataset) -> bool:
    """Say what is known of the model, then what was measured, then the figures.

    Returns
    -------
    bool
        Whether there is a measurement by now.
    """
    source = dataset.evaluation.source
    stated = stated_of(dataset)
    with st.grid(2, min_column_width=440, gap=("small", "medium")):
        words, chart = st.container(gap="small"), st.container(gap="xsmall")
    with words:
        _show_card(
            "What is said of it",
            _STATED_ICONS[stated.verdict],
            STATED_TITLES[stated.verdict],
            stated_text(source.model, stated),
        )
        measurement = _measured(dataset, stated)
    if measurement is None:
        with chart:
            _show_what_it_would_be(dataset)
        return False
    orders, found = measurement
    with words:
        _show_card(
            "What was measured",
            _MEASURED_ICONS.get(found.verdict, "?"),
            verdict_title(found),
            verdict_text(found, orders),
            standing_text(found, stated),
            relevance_text(found, orders),
            pca_text(found),
        )
        _show_figures(found, orders)
    with chart:
        _show_chart(found, orders)
    _show_table(found, orders)
    return True


def _show_card(head: str, icon: str, title: str, *sentences: str) -> None:
    lines = "".join(f"<p>{html.escape(one)}</p>" for one in sentences if one)
    st.html(
        f'<div class="mrl-card"><small>{html.escape(head)}</small>'
        f"<h3><span>{icon}</span> {html.escape(title)}</h3>{lines}</div>"
    )


def _measured(dataset: Dataset, stated: Matryoshka) -> tuple[Orders, Diagnosis] | None:
    source, rankings = dataset.evaluation.source, dataset.evaluation.rankings
    trained = (*source.trained_dims, *stated.dims)

    def measure(collection: Collection, on_progress: OnProgress) -> tuple[Orders, Diagnosis]:
        orders = measure_orders(
            collection,
            exclude_self=source.exclude_self,
            trained=trained,
            on_progress=on_progress,
        )
        return orders, diagnose(orders)

    return measured(
        dataset,
        "orders",
        measure,
        quick=rankings.n_docs * rankings.n_queries * rankings.full_dim <= _AT_ONCE,
        label="Measure",
        explained=_HELP_MEASURE,
    )


def _show_what_it_would_be(dataset: Dataset) -> None:
    """Say, before there is a figure, what the measurement compares."""
    full_dim = dataset.evaluation.rankings.full_dim
    st.html(
        '<div class="mrl-card"><small>What the measurement compares</small>'
        f"<p>A cut keeps the first of the {full_dim:,} dims. In a Matryoshka model these carry "
        f"more than others: so they are compared with {N_RANDOM} random choices of as many, with "
        "the last ones, and with principal axes of your documents. An advantage counts when it is "
        "beyond what your queries and chance can give.</p></div>"
    )


def _show_figures(found: Diagnosis, orders: Orders) -> None:
    quarter = min(found.rows, key=lambda row: abs(row.dim - orders.full_dim / 4))
    advantage = found.advantage
    ends = f"{signed_text(advantage.low)} to {signed_text(advantage.high)}"
    figures = [
        (
            "prefix advantage",
            signed_text(advantage.difference),
            ends,
            f"recall@{orders.k} of the first dims minus the mean of {N_RANDOM} random subsets as "
            "large, averaged over the dims. Below it the 95% interval of the paired difference "
            "over your queries.",
        ),
        (
            "best random subset",
            signed_text(found.chance),
            "above their mean",
            "By how much the luckiest of the random subsets exceeds their mean: an advantage "
            "within this is chance.",
        ),
    ]
    if quarter.pca_gain is not None:
        gain = quarter.pca_gain
        figures.append(
            (
                f"PCA at {quarter.dim} dims",
                signed_text(gain.difference),
                f"{signed_text(gain.low)} to {signed_text(gain.high)}",
                "Recall of principal axes minus that of the prefix, on the half of the documents "
                "that the axes were not fitted on, with its 95% interval.",
            )
        )
    figures.append(
        (
            f"energy in {quarter.dim} dims",
            percent_text(quarter.energy),
            f"even: {percent_text(quarter.dim / orders.full_dim)}",
            "Share of the squared length of your documents that lies in the first dims, and what "
            "it would be if all dims had the same. Energy is not recall: dims all documents "
            "share tell none apart.",
        )
    )
    with st.grid(4, min_column_width=120, gap="small"):
        for label, value, below, note in figures:
            st.metric(
                label,
                value,
                below,
                delta_color="off",
                delta_arrow="off",
                border=True,
                help=note,
            )


def _show_chart(found: Diagnosis, orders: Orders) -> None:
    judged = found.full_ndcg is not None
    measure = st.segmented_control(
        "By dimension",
        [_RECALL, *([_NDCG] if judged else []), _ENERGY],
        default=_RECALL,
        required=True,
        key="orders measure",
        help="Recall against full dimension, nDCG by your judgements, or the share of the squared "
        "length in the first dims.",
    )
    with st.container(key="orders chart"):
        if measure == _ENERGY:
            st.echarts_chart(
                energy_chart(orders),
                height=_CHART_HEIGHT,
                key="energy by dim",
                renderer="svg",
                alt="Share of the squared length of the documents in the first dims, beside an "
                "even spread.",
            )
            st.caption("Above the straight line, the first dims hold more of the length.")
            return
        st.echarts_chart(
            orders_chart(found, orders, relevance=measure == _NDCG),
            height=_CHART_HEIGHT,
            key=f"orders {measure}",
            renderer="svg",
            alt=f"{measure} by dims kept: "
            + "; ".join(
                f"{row.dim} dims: prefix {share_text(row.recall.prefix)}, random "
                f"{share_text(row.recall.random)}"
                for row in found.rows
            ),
        )
        held_out = (
            " PCA held out is measured on half of the documents; the prefix on that half stands in "
            "the table."
            if measure == _RECALL and orders.held_out
            else ""
        )
        st.caption(f"The grey band runs from the worst to the best random subset.{held_out}")


def _show_table(found: Diagnosis, orders: Orders) -> None:
    rows = order_rows(found)
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            name: (
                st.column_config.NumberColumn(
                    format="%d" if name == "dims" else "%.3f", help=ORDER_HELP[name]
                )
                if isinstance(value, int | float)
                else st.column_config.TextColumn(help=ORDER_HELP[name])
            )
            for name, value in rows[0].items()
        },
    )
    note = f" {orders.note}" if orders.note else ""
    st.caption(
        literal(
            f"recall@{orders.k} and nDCG@{orders.k} in float32, {orders.n_docs:,} documents, "
            f"{orders.n_queries:,} queries.{note}"
        )
    )

"""All figures of the run as a table, to sort and to take away."""

import csv
import io

import streamlit as st

from mrl_explorer.decide.summary import Summary
from mrl_explorer.ui.controls import View


def show_every_configuration(summary: Summary, view: View) -> None:
    """Show the table when it is asked for: a closed one costs nothing while sliding."""
    if not st.toggle(
        "Every configuration",
        key="table",
        persist_state="session",
        help="All figures of this run as a table, and as a CSV file.",
    ):
        return
    rows = [row.as_dict() for row in summary.rows()]
    k = summary.cutoff.k
    shares = {
        name: st.column_config.NumberColumn(label, format="%.3f")
        for name, label in (
            ("recall", f"recall@{k}"),
            ("recall_low", "95% from"),
            ("recall_high", "95% to"),
            ("ndcg", f"nDCG@{k}"),
            ("mrr", f"MRR@{k}"),
            ("success", f"success@{k}"),
        )
    }
    st.dataframe(
        rows,
        hide_index=True,
        height=320,
        column_config={
            "dim": "dimension",
            "bytes_per_vector": "bytes per vector",
            **shares,
        },
    )
    table = io.StringIO()
    writer = csv.DictWriter(table, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    st.download_button(
        "Download CSV",
        table.getvalue(),
        f"configurations-at-{k}.csv",
        "text/csv",
        icon=":material/download:",
    )

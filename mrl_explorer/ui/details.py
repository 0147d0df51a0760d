"""What stands below the results when it is asked for; a closed view costs nothing while sliding."""

import csv
import io

import streamlit as st

from mrl_explorer.decide.summary import Summary
from mrl_explorer.ui.controls import View

_TABLE, _SEGMENTS = "Every configuration", "Recall by segment"


def show_details(summary: Summary, view: View) -> None:
    """Show the view that is chosen, if any."""
    segmented = summary.evaluation.queries.segments is not None
    chosen = st.segmented_control(
        "Details",
        [_TABLE, _SEGMENTS] if segmented else [_TABLE],
        key="details",
        persist_state="session",
        help="All figures of this run as a table and a CSV file; or where recall is lost, segment "
        "by segment.",
    )
    if chosen == _TABLE:
        _show_table(summary)
    elif chosen == _SEGMENTS:
        _show_segments(summary, view)


def _show_table(summary: Summary) -> None:
    rows = [row.as_dict() for row in summary.rows()]
    k = summary.cutoff.k
    shares = {
        name: st.column_config.NumberColumn(label, format="%.3f", help=note)
        for name, label, note in (
            ("recall", f"recall@{k}", "Share of full dimension's results that are found."),
            ("recall_low", "95% from", "Lower end of the 95% interval of recall."),
            ("recall_high", "95% to", "Upper end of the 95% interval of recall."),
            ("ndcg", f"nDCG@{k}", "By your judgements: good results early count most."),
            ("mrr", f"MRR@{k}", "By your judgements: 1 / rank of the first relevant result."),
            ("success", f"success@{k}", "Share of queries with a relevant result."),
            ("held_out", f"recall@{k} held out", "On documents that the basis was not fitted on."),
            ("held_out_low", "95% from, held out", "Lower end of the interval of that."),
            ("held_out_high", "95% to, held out", "Upper end of the interval of that."),
            ("held_out_native", f"native recall@{k} there", "Native dims on those documents."),
        )
    }
    st.dataframe(
        rows,
        hide_index=True,
        height=320,
        column_config={
            "dim": st.column_config.Column("dimension", help="Dims kept."),
            "quantization": st.column_config.Column(help="How a component is stored."),
            "basis": st.column_config.Column(help="The axes that are cut."),
            "bytes_per_vector": st.column_config.Column(
                "bytes per vector", help="Of one stored code."
            ),
            **shares,
        },
    )
    table = io.StringIO()
    writer = csv.DictWriter(table, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    st.download_button(
        "Download CSV",
        table.getvalue(),
        f"configurations-at-{k}.csv",
        "text/csv",
        icon=":material/download:",
        help="The table above as a file, in full.",
    )


def _show_segments(summary: Summary, view: View) -> None:
    # Plotly takes a third of a second to import, and most views show none of its figures.
    from mrl_explorer.report.figures import recall_by_segment  # noqa: PLC0415

    shown = [view.config] if view.pinned in (None, view.config) else [view.config, view.pinned]
    st.plotly_chart(recall_by_segment(summary, shown), key="segments", height=340)
    st.caption(
        "Number of queries in brackets. Bars are 95% intervals: where they overlap widely, these "
        "queries cannot tell the segments apart."
    )

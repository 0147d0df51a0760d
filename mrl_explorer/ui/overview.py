"""What was understood of the reader's data, and what it does to the numbers."""

import streamlit as st

from mrl_explorer.data import Collection, CollectionOverview, Overview, Records
from mrl_explorer.report.histogram import length_histogram
from mrl_explorer.ui.problems import literal

_CHART_HEIGHT = 140
_SHOWN_LANGUAGES = 3


def show_overview(collection: Collection, overview: CollectionOverview) -> None:
    """Show counts, lengths, languages, examples, and one sentence for each thing that is odd."""
    with st.grid(2, min_column_width=400, gap="medium"):
        with st.container():
            _show_records(collection.documents, overview.documents, "documents")
        with st.container():
            _show_records(collection.queries, overview.queries, "queries")
    judgements = collection.judgements
    if judgements is None:
        st.caption("No judgements: recall against full dimension needs none; nDCG, MRR do.")
    else:
        st.caption(
            f"{len(judgements):,} judgements from {literal(judgements.name)}. "
            f"{collection.unjudged_note}"
        )
    if overview.warnings:
        st.warning(
            "\n".join(f"- {literal(sentence)}" for sentence in overview.warnings),
            icon=":material/warning:",
        )


def _show_records(records: Records, overview: Overview | None, what: str) -> None:
    """Show counts, columns, lengths and examples."""
    facts = [f"{len(records):,} {what}"]
    if overview is not None and records.source_ids is not None:
        facts = [f"{len(records):,} passages of {overview.n_sources:,} {what}"]
    if records.vectors is not None:
        facts.append(f"vectors of {records.vectors.shape[1]:,} dimensions")
    facts.append("ids from the file" if records.has_ids else "numbered by row")
    st.markdown("**" + ", ".join(facts) + "**")
    st.text(f"from {records.name}")
    if records.texts is None or overview is None:
        return
    st.caption(
        _lengths_and_languages(overview),
        help="Languages as told from a sample of 200 texts, as ISO 639-1 codes. Lengths are those "
        "of what is embedded: title and text.",
    )
    st.echarts_chart(
        length_histogram(overview.lengths, what),
        height=_CHART_HEIGHT,
        key=f"lengths {what}",
        renderer="svg",
        alt=f"Histogram of the lengths of {what}: "
        + ", ".join(f"{n:,} of {span} characters" for span, n in overview.lengths),
    )
    examples: dict[str, list[str]] = {"id": list(records.ids[:5])}
    for name, cells in (("title", records.titles), ("segment", records.segments)):
        if cells is not None:
            examples[name] = list(cells[:5])
    examples["text"] = [text[:300] for text in records.texts[:5]]
    st.dataframe(examples, hide_index=True)


def _lengths_and_languages(overview: Overview) -> str:
    told = [f"{code} {share:.0%}" for code, share in overview.languages[:_SHOWN_LANGUAGES]]
    languages = f" Language: {', '.join(told)}." if told else " Too short to tell the language."
    return (
        f"Half are shorter than {overview.median_length:,} characters, the longest has "
        f"{overview.longest:,}.{languages}"
    )

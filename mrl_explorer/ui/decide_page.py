"""Decide: which configuration to ship, and how sure that is."""

import html
from functools import partial
from zlib import crc32

import streamlit as st

from mrl_explorer.decide.diagnosis import Worth, worth_tuning
from mrl_explorer.decide.options import Options, list_options
from mrl_explorer.decide.recommendation import Choice, Recommendation, recommend
from mrl_explorer.errors import InputError
from mrl_explorer.report.decide_charts import frontier_chart
from mrl_explorer.report.formats import (
    byte_text,
    change_text,
    money_text,
    percent_text,
)
from mrl_explorer.report.verdicts import choice_pairs, verdict, worth_text
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.ui.components.frontier import show_frontier
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.decide_controls import Question, show_engine_notes, show_question
from mrl_explorer.ui.decide_evidence import show_evidence
from mrl_explorer.ui.explorer_link import go_if_asked, open_in_explore
from mrl_explorer.ui.frame import show_data_line
from mrl_explorer.ui.problems import literal, show_error

_FAILED_AT_ONCE = 50
_FAILED_HEIGHT = 320
_STYLE = """
<style>
.mrl-choice h2 { padding: 0 0 .3rem; font-size: 1.75rem; line-height: 1.2; }
.mrl-choice p { font-size: 1.02rem; margin: 0 0 .5rem; }
.mrl-choice ul { margin: .2rem 0 0; padding-left: 1.1rem; }
.mrl-choice li { margin: 0 0 .2rem; }
.st-key-frontier { min-height: 330px; }
</style>
"""


def show() -> None:
    """Run the page from top to bottom."""
    go_if_asked()
    dataset = show_data_line()
    st.html(_STYLE)
    _show_decision(dataset)


@st.fragment
def _show_decision(dataset: Dataset) -> None:
    """Show all that a control changes: what stands above is not sent again."""
    go_if_asked()
    warning = st.container()
    with st.grid(2, min_column_width=440, gap=("small", "medium")):
        answer, controls = st.container(gap="small"), st.container(gap="small")
    with controls:
        question = show_question(dataset.evaluation)
    key = (dataset.key, dataset.version)
    try:
        options = _options(dataset.evaluation, key, question.k)
        worth = _worth(dataset.evaluation, key, question.k)
        found = recommend(options, question.constraints, production=question.production)
    except InputError as error:
        show_error(str(error))
        st.stop()
    with warning:
        _show_worth(dataset, worth)
    with answer:
        _show_verdict(found, question, _pairs(options, found, (*key, repr(question))))
    with controls:
        if question.production.engine is not None:
            show_engine_notes(found)
        _show_frontier(options, found)
    show_evidence(dataset, options, found, marker=_marker(question))


def _marker(question: Question) -> str:
    """Name a question in one line: its usual parts in words, and all of it in a number."""
    asked, production = question.constraints, question.production
    return html.escape(
        f"{asked.min_recall or asked.min_ndcg_kept} {'mean' if asked.on_mean else 'low'} "
        f"k={question.k} {production.n_vectors:g} {'rescore' if asked.rescore else 'plain'} "
        f"{crc32(repr(question).encode()):08x}"
    )


@st.cache_resource(show_spinner=False, max_entries=32)
def _options(_evaluation: Evaluation, key: tuple[str, str], k: int) -> Options:
    """Read the recall of every option once for each k; the key stands for the evaluation."""
    return list_options(_evaluation, k)


@st.cache_resource(show_spinner=False, max_entries=32)
def _worth(_evaluation: Evaluation, key: tuple[str, str], k: int) -> Worth:
    return worth_tuning(_evaluation, k)


@st.cache_resource(show_spinner=False, max_entries=64)
def _pairs(_options: Options, _found: Recommendation, key: tuple[str, ...]) -> tuple[str, ...]:
    """Compare the choice with its neighbours once for each question, which the key holds."""
    return tuple(choice_pairs(_options, _found))


def _show_worth(dataset: Dataset, worth: Worth) -> None:
    """Say first whether any of this can help."""
    text = worth_text(worth)
    if not text:
        return
    queries = dataset.evaluation.queries
    with st.container(gap="xsmall"):
        if worth.weak:
            st.warning(literal(text), icon=":material/warning:")
        else:
            st.info(literal(text), icon=":material/info:")
        if worth.failed and st.toggle(
            f"Show the {len(worth.failed):,} of them",
            key="show_failed",
            help="Judged queries for which even full dimension in float32 puts nothing relevant "
            f"among its first {worth.k}.",
        ):
            items = "".join(
                f"<li>{html.escape(queries.texts[row] or queries.ids[row])}</li>"
                for row in worth.failed
            )
            many = len(worth.failed) > _FAILED_AT_ONCE
            with st.container(height=_FAILED_HEIGHT if many else "content", border=False):
                st.html(f'<ul style="margin:0;columns:22rem">{items}</ul>')


def _show_verdict(found: Recommendation, question: Question, pairs: tuple[str, ...]) -> None:
    said = verdict(found)
    sentences = (*said.beside, *pairs)
    recipe = f"<p><b>{html.escape(said.recipe)}</b></p>" if said.recipe else ""
    beside = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
    st.html(
        f'<div class="mrl-choice" data-choice="{html.escape(said.title)}" '
        f'data-question="{_marker(question)}">'
        f"<h2>{html.escape(said.title)}</h2>{recipe}<p>{html.escape(said.sentence)}</p></div>"
    )
    if found.choice is not None:
        _show_figures(found.choice, found.baseline)
        if question.production.engine is None:
            show_engine_notes(found)
    st.html(f'<div class="mrl-choice"><ul>{beside}</ul></div>')
    if found.choice is not None:
        st.button(
            "See its results in Explore",
            icon=":material/tune:",
            help="Opens this configuration on the Explore page, query by query.",
            on_click=open_in_explore,
            args=(found.choice.config,),
            kwargs={"cutoff": found.choice.cutoff},
        )


def _show_figures(choice: Choice, full: Choice) -> None:
    """Show the choice's figures, each beside full dimension's."""
    with st.grid(4, min_column_width=120, gap="small"):
        if choice.ndcg_kept is None or choice.ndcg_kept_low is None:
            name, kept, low = "results kept", choice.recall, choice.joint_low
            what = "Mean share of full dimension's results that are still found, over your queries."
        else:
            name, kept, low = "nDCG kept", choice.ndcg_kept, choice.ndcg_kept_low
            what = "Share of full dimension's nDCG by your judgements."
        st.metric(
            name,
            percent_text(kept),
            f"at least {percent_text(low)}",
            delta_color="off",
            delta_arrow="off",
            border=True,
            help=f"{what} Below it the lower end, allowing for the choice among all "
            "configurations: what holds for other queries of the same kind in 97.5 of 100 samples.",
        )
        for label, value, before, text, note in (
            (
                "bytes per vector",
                choice.config.bytes_per_vector,
                full.config.bytes_per_vector,
                f"{choice.config.bytes_per_vector:,}",
                "Of the stored code alone. Below it, the change against full dimension in float32.",
            ),
            (
                "RAM",
                choice.need.ram,
                full.need.ram,
                byte_text(choice.need.ram),
                "Codes, graph and its tables in the engine chosen, over all replicas; with any, "
                "those of an HNSW graph as usearch's with M = 16. 1 GB = 10⁹ bytes.",
            ),
            (
                "a month",
                choice.need.cost,
                full.need.cost,
                money_text(choice.need.cost),
                "RAM and disk at the prices set above; queries and machines around it are not in "
                "it.",
            ),
        ):
            st.metric(
                label,
                text,
                change_text(before, value) if before > 0 and value != before else "as full",
                delta_color="off",
                delta_arrow="off",
                border=True,
                help=note,
            )


def _show_frontier(options: Options, found: Recommendation) -> None:
    with st.container(key="frontier", gap="xsmall"):
        show_frontier(
            frontier_chart(options, found),
            key="frontier chart",
            on_point=partial(_open_point, options.configs),
        )
        st.caption(
            "Every configuration without rescoring: higher keeps more, further left is smaller; a "
            "choice that is rescored floats above its own point. "
            "The dashed line is the best at its bytes. Hollow marks are of a basis other than "
            "native. A click on a point opens it in Explore."
        )


def _open_point(configs: tuple[Config, ...]) -> None:
    """Open the configuration that was clicked."""
    place = int(st.session_state["frontier chart"]["point"])
    # A click on a chart that is just being replaced may name a point that is no longer there.
    if 0 <= place < len(configs):
        open_in_explore(configs[place])

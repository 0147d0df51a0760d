"""How it works: the ideas behind the numbers, drawn from the data that are shown."""

import html

import streamlit as st

from mrl_explorer.data import Collection
from mrl_explorer.decide.illustration import Funnel, Illustration, draw_funnel, illustrate
from mrl_explorer.decide.rules_of_thumb import Finding, try_rules
from mrl_explorer.embed import Matryoshka
from mrl_explorer.progress import OnProgress
from mrl_explorer.report.formats import share_text
from mrl_explorer.report.rules_of_thumb import SAYINGS, how_tested, kept_text
from mrl_explorer.retrieval.evaluation import Evaluation, vectors_of
from mrl_explorer.retrieval.rankings import Rankings
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.frame import show_data_line
from mrl_explorer.ui.guide_pictures import (
    STYLE,
    code_table,
    funnel_picture,
    nested_dims,
    rule_card,
    similarity_table,
)
from mrl_explorer.ui.measured import measured
from mrl_explorer.ui.stated import stated_of

_AT_ONCE = 50_000_000
"""Components of the documents, n_docs x full_dim, up to which they are read in a few seconds."""

_LONGEST_NAME = 70


def show() -> None:
    """Run the page from top to bottom."""
    dataset = show_data_line()
    st.html(STYLE)
    st.subheader("How it works", anchor=False)
    st.caption("Every picture and figure on this page is drawn from the data set above.")
    stated = stated_of(dataset)
    _show_training(dataset, stated)
    picture = _show_truncation(dataset)
    _show_quantization(dataset, picture)
    _show_tiering(dataset)
    _show_rules(dataset, stated)


def _show_training(dataset: Dataset, stated: Matryoshka) -> None:
    full_dim = dataset.evaluation.rankings.full_dim
    st.markdown("#### 1 · Matryoshka training: what matters comes first")
    st.markdown(
        "A model is trained to put texts that mean the same close together. A *Matryoshka* loss "
        "asks that of several prefixes at once: of the first few dims alone, of the first half, "
        "and of all. So each prefix is an embedding of its own, inside the next like the doll it "
        "is named after ([Kusupati et al. 2022](https://arxiv.org/abs/2205.13147))."
    )
    trained = [dim for dim in stated.dims if dim <= full_dim]
    dims = trained or [full_dim // part for part in (8, 4, 2, 1) if full_dim >= part]
    st.html(nested_dims(dims, full_dim))
    st.caption(_trained_text(stated, named=bool(trained)))


def _trained_text(stated: Matryoshka, *, named: bool) -> str:
    if named:
        return "The dims that this model was trained at."
    where = "Where such a loss would be taken for a model of as many dims."
    if stated.verdict == "no":
        return f"{where} This one was not trained so."
    if stated.verdict == "unknown":
        return (
            f"{where} Whether this one was trained so is not known: the Model page measures what "
            "its first dims carry."
        )
    return "Dims that such a loss is often taken at: those of this model's training are not named."


def _show_truncation(dataset: Dataset) -> Illustration | None:
    st.markdown("#### 2 · Truncation: keep the first dims, forget the rest")
    st.markdown(
        "A cut vector is shorter, so it is scaled back to length 1; then cosines are taken as "
        "before. What a cut loses shows in the similarities: here are the best documents of three "
        "of your queries, each beside each. Documents of one query should stay alike, and the "
        "others apart."
    )
    picture = _picture(dataset)
    if picture is None:
        return None
    full_dim = dataset.evaluation.rankings.full_dim
    with st.grid(3, min_column_width=360, gap="small"):
        for cut in picture.cuts:
            st.html(similarity_table(cut, picture, full_dim=full_dim))
    names = dataset.evaluation.listed.shown(picture.rows)
    items = "".join(f"<li>{html.escape(_short(*names[row]))}</li>" for row in picture.rows)
    st.html(
        '<ol style="margin:0;columns:24rem;font-size:.85rem;padding-left:1.5rem">' + items + "</ol>"
    )
    kept = ", ".join(f"{share_text(length)} at {dim:,} dims" for dim, length in picture.lengths)
    st.caption(
        "Numbers and shades are cosines, each table shaded from its least to its greatest; lines "
        "part the queries. Before it is scaled back, document 1 keeps this much of its length: "
        f"{kept}."
    )
    return picture


def _short(identity: str, title: str, text: str) -> str:
    """Name a document in one line."""
    name = title or text or identity
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _picture(dataset: Dataset) -> Illustration | None:
    rankings: Rankings = dataset.evaluation.rankings

    def draw(collection: Collection, on_progress: OnProgress) -> Illustration:
        return illustrate(vectors_of(collection.documents), rankings)

    return measured(
        dataset,
        "pictures",
        draw,
        quick=rankings.n_docs * rankings.full_dim <= _AT_ONCE,
        label="Draw from these data",
        explained="Reads the vectors of this data set and shows some of them; nothing is sent "
        "anywhere.",
    )


def _show_quantization(dataset: Dataset, picture: Illustration | None) -> None:
    st.markdown("#### 3 · Quantization: fewer bits for each component")
    st.markdown(
        "The dims stay, and each is stored more coarsely: as a shorter float, as one of 255 or 15 "
        "steps scaled by the vector's own largest component, or as its sign alone. Cuts and "
        "quantization multiply: a quarter of the dims in an eighth of the bits is a 32nd of the "
        "bytes."
    )
    if picture is None:
        st.caption("The first components of a vector stand here once its data set has vectors.")
        return
    st.html(code_table(picture.codes, full_dim=dataset.evaluation.rankings.full_dim))
    st.caption("The first components of document 1 above, as each quantization stores them.")


def _show_tiering(dataset: Dataset) -> None:
    st.markdown("#### 4 · Tiering: search short, re-order long")
    st.markdown(
        "A short code finds candidates cheaply, and the long vectors re-order only those. What "
        "the first stage lets through is all that the second can find, so recall after rescoring "
        "is the share of the true results among the candidates. The Tiers page plans such a funnel."
    )
    st.html(funnel_picture(_funnel(dataset.evaluation, (dataset.key, dataset.version))))


@st.cache_resource(show_spinner=False, max_entries=16)
def _funnel(_evaluation: Evaluation, key: tuple[str, str]) -> Funnel:
    """Read it once; the key stands for the evaluation."""
    return draw_funnel(_evaluation)


def _show_rules(dataset: Dataset, stated: Matryoshka) -> None:
    st.markdown("#### 5 · Rules of thumb, tested on these data")
    trained, known = stated.verdict in ("yes", "likely"), stated.verdict != "unknown"
    key = (dataset.key, dataset.version)
    findings = _findings(dataset.evaluation, key, trained=trained)
    with st.grid(2, min_column_width=420, gap="small"):
        for finding in findings:
            _show_finding(finding, dataset.evaluation.rankings, known=known)
    st.caption(
        "In brackets the 95% interval over your queries, each compared with itself at full "
        "dimension. A rule holds, or fails, when the whole interval lies on one side of its limit; "
        "else these queries cannot tell. Recall counts the results kept, nDCG how good they are by "
        "your judgements: a result lost may be one that nobody missed."
    )


@st.cache_resource(show_spinner="Testing the rules of thumb", max_entries=16)
def _findings(
    _evaluation: Evaluation, key: tuple[str, str], *, trained: bool
) -> tuple[Finding, ...]:
    """Test them once; the key stands for the evaluation."""
    return try_rules(_evaluation, trained=trained)


def _show_finding(finding: Finding, rankings: Rankings, *, known: bool) -> None:
    tested = how_tested(finding, n_docs=rankings.n_docs, full_dim=rankings.full_dim, known=known)
    figures = [(one.verdict, kept_text(one, finding.cutoff.k)) for one in finding.kept]
    st.html(rule_card(SAYINGS[finding.rule], figures, tested))

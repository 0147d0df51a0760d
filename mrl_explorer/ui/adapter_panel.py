"""The part of the Model page that trains an adapter, judges it and gives it away."""

import threading
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import streamlit as st

from mrl_explorer.data import passages
from mrl_explorer.decide.adapter_verdict import Teacher
from mrl_explorer.decide.adapters import LEAST_JUDGED, Trained, join_grid, train_and_judge
from mrl_explorer.decide.training import LEAST_QUERIES, train_head
from mrl_explorer.embed import (
    Told,
    adapted_zip,
    adapter_npz,
    check_same_model,
    is_hosted,
    load_model,
)
from mrl_explorer.embed.training import PairCheck, TrainingSettings
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress
from mrl_explorer.report.adapters import (
    best_sentence,
    decisive,
    loss_chart,
    taught_sentence,
    verdict_chart,
    verdict_rows,
    verdict_sentences,
    verdict_title,
)
from mrl_explorer.retrieval.adapter import LEAST_DOCUMENTS, Checkpoint, adapter_dims
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.ui import datasets, jobs
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.problems import literal
from mrl_explorer.ui.tiers_data import NO_VECTORS

_CHART_HEIGHT = 280
_TEACHERS: dict[Teacher, str] = {"neighbours": "Neighbours", "pairs": "Judged pairs"}
_LOSS_CAPTIONS: dict[Teacher, str] = {
    "neighbours": "How far the similarities in the first dims are from those in all dims, on "
    "documents that are neither trained on nor judged on. Step 0 is the start, PCA.",
    "pairs": "How hard it is to tell a query's relevant document from those of other queries by "
    "the first dims, on pairs that are neither trained on nor judged on. Step 0 is the start, PCA.",
}


@dataclass
class _Lesson:
    """A training that goes on, as its thread and the page both see it.

    Attributes
    ----------
    teacher : str
        What it learns from.
    dims : tuple of int
        Dims trained, full dimension last; empty before the first check.
    steps, losses : list
        Checks so far: step, and (n_dims,) losses.
    enough : threading.Event
        Set when the reader wants the best so far.
    """

    teacher: Teacher
    dims: tuple[int, ...] = ()
    steps: list[int] = field(default_factory=list)
    losses: list[np.ndarray] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)

    def goes_on(self, checkpoint: Checkpoint | PairCheck) -> bool:
        """Take a check of the loss, and tell whether there are to be more."""
        self.dims = checkpoint.dims
        self.losses.append(checkpoint.losses)
        self.steps.append(checkpoint.step)
        return not self.enough.is_set()


def show(dataset: Dataset) -> None:
    """Train a linear map from the data set's vectors, and say whether it is worth having.

    Parameters
    ----------
    dataset : Dataset
        What the page shows; what is trained is kept in this session under its key.
    """
    rankings = dataset.evaluation.rankings
    st.caption(
        "An adapter is a linear map behind the model, the same for documents and queries. It "
        "starts from the principal axes of your documents, learns from one half of them what the "
        "first dims are to hold, and is judged on the other half, by queries that did not teach it."
    )
    if dataset.collection is None:
        st.info(NO_VECTORS, icon=":material/info:")
        return
    if rankings.n_docs < LEAST_DOCUMENTS:
        st.info(
            f"{rankings.n_docs:,} documents are too few to train an adapter on one half and judge "
            f"it on the other: it takes {LEAST_DOCUMENTS}.",
            icon=":material/info:",
        )
        return
    dims = adapter_dims(rankings.full_dim, (config.dim for config in rankings.configs))
    if not dims:
        st.info("Add a dimension on the Explore page first: this run cuts nothing.")
        return
    trained: Trained | None = st.session_state.get("adapters", {}).get(dataset.key)
    teacher = _choose_teacher(dataset, trained)
    if st.button(
        "Train an adapter" if trained is None else "Train again",
        type="primary" if trained is None else "secondary",
        icon=":material/model_training:",
        disabled=jobs.running("adapter"),
        help=f"For {', '.join(map(str, dims))} dims at once. Seconds to a few minutes on this "
        "server; it stops by itself when what is kept apart to tell when no longer gains.",
    ):
        _begin(dataset, dims, teacher)
    jobs.show("adapter", cancelled="Cancelled: what was trained is gone.")
    if jobs.running("adapter"):
        _show_lesson()
    elif trained is not None:
        _show_trained(dataset, trained)


def _choose_teacher(dataset: Dataset, trained: Trained | None) -> Teacher:
    """Let the reader choose what it learns from, where there is a choice."""
    judgements = dataset.evaluation.judgements
    n_judged = 0 if judgements is None else judgements.n_answered
    # Those that taught it have left the run where it has joined the grid, and can teach again.
    has_taught = trained is not None and len(trained.taught) > 0
    if n_judged < LEAST_QUERIES and not has_taught:
        st.caption(
            f"It learns from neighbours. To learn from judged pairs takes {LEAST_QUERIES} queries "
            f"with a relevant document; this run has {n_judged or 'none'}."
        )
        return "neighbours"
    teacher = st.segmented_control(
        "Learns from",
        list(_TEACHERS),
        default="neighbours",
        format_func=_TEACHERS.__getitem__,
        key="adapter teacher",
        disabled=jobs.running("adapter"),
        required=True,
        persist_state="session",
        help="Neighbours: the first dims learn to keep the neighbours that all dims give, and "
        f"with {LEAST_JUDGED} judged queries half of these teach what is relevant as well. "
        "Judged pairs: sentence-transformers' MatryoshkaLoss on your queries and the documents "
        "judged relevant to them moves all dims; it is offered by nDCG.",
    )
    if teacher == "pairs":
        st.caption(
            "All dims weigh alike here. The command `train` takes weights by dim (`--weights`), "
            "draws dims for each step (`--dims-per-step`), reads pairs from a table (`--pairs`), "
            "and trains the whole model (`--whole-model`)."
        )
    return teacher


def _begin(dataset: Dataset, dims: tuple[int, ...], teacher: Teacher) -> None:
    read, evaluation, lesson = dataset.collection, dataset.evaluation, _Lesson(teacher)
    if read is None:
        return
    there = evaluation.held_out

    train = (
        partial(train_head, settings=TrainingSettings((*dims, evaluation.rankings.full_dim)))
        if teacher == "pairs"
        else partial(train_and_judge, dims=dims)
    )

    def work(on_progress: OnProgress) -> Trained:
        on_progress(Progress(0, 1, "reading the vectors"))
        return train(
            read(),
            k=min(10, evaluation.rankings.depth),
            exclude_self=evaluation.source.exclude_self,
            unseen=None if there is None else there.rows,
            goes_on=lesson.goes_on,
            on_progress=on_progress,
        )

    st.session_state["adapter lesson"] = lesson
    jobs.begin("adapter", work, then=partial(_keep, dataset.key))
    # Drawn anew, the button is closed for as long as it goes on.
    st.rerun()


def _keep(key: str, trained: Trained) -> None:
    st.session_state.setdefault("adapters", {})[key] = trained
    st.session_state.get("adapter models", {}).pop(key, None)


@st.fragment(run_every=1)
def _show_lesson() -> None:
    """Draw the loss of each dim as it falls, with a button to have it end."""
    lesson: _Lesson = st.session_state["adapter lesson"]
    n_checks = len(lesson.steps)
    st.button(
        "Stop and keep the best so far",
        icon=":material/stop_circle:",
        on_click=lesson.enough.set,
        disabled=n_checks == 0 or lesson.enough.is_set(),
        help="Ends the training at its next check; the map that was best so far is judged.",
    )
    if n_checks > 1:
        losses = np.array(lesson.losses[:n_checks])
        _show_losses(lesson.steps[:n_checks], losses, lesson.dims, lesson.teacher)


def _show_losses(
    steps: list[int], losses: np.ndarray, dims: tuple[int, ...], teacher: Teacher
) -> None:
    if teacher == "neighbours":
        # All dims keep all neighbours, so their loss starts at nothing.
        losses, dims = losses[:, :-1], dims[:-1]
    st.echarts_chart(
        loss_chart(steps, losses, dims, log=teacher == "neighbours"),
        height=_CHART_HEIGHT,
        key="adapter losses",
        renderer="svg",
        alt="Loss of each number of dims by training step.",
    )
    st.caption(_LOSS_CAPTIONS[teacher])


def _show_trained(dataset: Dataset, trained: Trained) -> None:
    verdict = trained.verdict
    said = "\n\n".join((*verdict_sentences(verdict), taught_sentence(trained)))
    show_said = st.success if verdict.offered else st.info
    show_said(
        literal(f"{verdict_title(verdict)}. {said}"),
        icon=":material/check_circle:" if verdict.offered else ":material/info:",
    )
    measure, _ = decisive(verdict)
    against = "by your judgements" if measure.startswith("nDCG") else "vs full dimension"
    with st.grid(2, min_column_width=420, gap="medium"):
        with st.container(gap="xsmall"):
            st.echarts_chart(
                verdict_chart(verdict),
                height=_CHART_HEIGHT,
                key="adapter verdict",
                renderer="svg",
                alt=f"Held-out {measure} by dimension of the model's prefix, PCA and the adapter.",
            )
            st.caption(
                f"{measure} {against} on the {verdict.n_docs:,} documents held out. PCA is fitted "
                "on the other half as well."
            )
        with st.container(gap="xsmall"):
            _show_losses(list(trained.steps), trained.losses, trained.dims, verdict.teacher)
            st.caption(best_sentence(trained))
    rows = verdict_rows(verdict)
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            label: st.column_config.NumberColumn(label, format="%.3f")
            if isinstance(value, float)
            else st.column_config.Column(
                label,
                help="Difference at this dim with its own 95% interval over the queries. Of many "
                "dims, one in twenty would be told apart by luck.",
            )
            for label, value in rows[0].items()
            if label != "dim"
        },
    )
    if verdict.offered:
        _show_offers(dataset, trained)


def _show_offers(dataset: Dataset, trained: Trained) -> None:
    """Let the reader have it: in the grid, as a matrix, as a model."""
    there = any(basis is trained.basis for basis in dataset.evaluation.bases)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if st.button(
            "In the grid" if there else "Add to the grid",
            icon=":material/check:" if there else ":material/add:",
            disabled=there or jobs.running("adapter grid"),
            help="Ranks it in every dim and quantization of this run, as the basis adapter: "
            "Explore, Decide and Tiers then count it in, by its held-out figure. The queries that "
            "taught it leave this run, whatever the basis, so that no figure flatters it. It stays "
            "in this browser session.",
        ):
            _begin_adding(dataset, trained)
        st.download_button(
            "Matrix (NPZ)",
            adapter_npz(trained.components, dims=trained.cuts),
            "adapter.npz",
            "application/octet-stream",
            icon=":material/download:",
            help="The matrix as `components`, and as `recipe` five lines of Python that apply it "
            "to documents and queries.",
        )
        _show_model(dataset, trained)
    jobs.show("adapter grid", cancelled="Cancelled: nothing was added.")
    jobs.show("adapter model")


def _begin_adding(dataset: Dataset, trained: Trained) -> None:
    read = dataset.collection
    if read is None:
        return

    def work(on_progress: OnProgress) -> Evaluation:
        return join_grid(dataset.evaluation, read(), trained, on_progress=on_progress)

    jobs.begin("adapter grid", work, then=partial(datasets.extend, dataset))
    st.rerun()


def _show_model(dataset: Dataset, trained: Trained) -> None:
    """Offer the model with the adapter behind it, made when it is asked for."""
    source = dataset.evaluation.source
    if source.model is None or is_hosted(source.model):
        st.button(
            "Model folder (ZIP)",
            icon=":material/download:",
            disabled=True,
            help="These vectors came without the name of their model: name it on the Data page."
            if source.model is None
            else "This model is behind its provider's API: put the matrix behind its vectors.",
        )
        return
    made: dict[str, bytes] = st.session_state.setdefault("adapter models", {})
    if dataset.key in made:
        st.download_button(
            "Model folder (ZIP)",
            made[dataset.key],
            "adapted-model.zip",
            "application/zip",
            icon=":material/download:",
            help="Unpack it and load it with SentenceTransformer; cut with truncate_dim.",
        )
        return
    if st.button(
        "Make the model folder",
        icon=":material/deployed_code:",
        disabled=jobs.running("adapter model"),
        help=f"{literal(source.model)} with the adapter behind it, as a folder that "
        "`SentenceTransformer` loads.",
    ):
        _begin_model(dataset, trained)


def _begin_model(dataset: Dataset, trained: Trained) -> None:
    source, read = dataset.evaluation.source, dataset.collection

    def work(on_progress: OnProgress) -> bytes:
        on_progress(Progress(0, 2, "loading the model"))
        if source.model is None or read is None:
            raise InputError(
                "There is no model to put the adapter behind: name it on the Data page."
            )
        # With the prompts of the run, whatever its files say by now.
        model = load_model(source.model, Told(source.query_prompt, source.document_prompt))
        documents = read().documents
        if source.query_prompt is None and documents.texts is not None:
            # The vectors came ready: what is said of their model may be wrong.
            vectors = documents.vectors
            if vectors is not None:
                check_same_model(model, passages(documents), vectors, kind="document")
        on_progress(Progress(1, 2, "writing the model"))
        return adapted_zip(model, trained.components, dims=trained.cuts)

    def keep(content: bytes) -> None:
        st.session_state["adapter models"][dataset.key] = content

    jobs.begin("adapter model", work, then=keep)
    st.rerun()

"""The approximate index on the Tiers page: built, measured, beside exact search."""

from dataclasses import dataclass

import streamlit as st

from mrl_explorer.data import own_rows
from mrl_explorer.decide.engines import usearch_memory
from mrl_explorer.progress import OnProgress, Progress
from mrl_explorer.report.formats import byte_text, share_text
from mrl_explorer.report.latency import latency_rows
from mrl_explorer.report.losses import losses_html
from mrl_explorer.retrieval.candidates import Scorer, scorer_of
from mrl_explorer.retrieval.chains import Chain, chain
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.hnsw import (
    INDEXED,
    MAX_EXPANSION,
    MAX_LINKS,
    Graph,
    GraphRecall,
    GraphSettings,
    build_graph,
    measure_graph,
)
from mrl_explorer.retrieval.latency import Latency, measure_latency
from mrl_explorer.retrieval.quantization import QUANTIZATIONS
from mrl_explorer.retrieval.query_subset import with_same_queries
from mrl_explorer.retrieval.staged import StagedSearch
from mrl_explorer.ui import jobs
from mrl_explorer.ui.controls import show_k
from mrl_explorer.ui.problems import literal
from mrl_explorer.ui.tiers_data import NO_VECTORS, Tiered, collection_of
from mrl_explorer.ui.tiers_latency import FULL, HELP_LATENCY

_EFS = (16, 32, 64, 128, 256, 512)
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What index is asked for.

    Attributes
    ----------
    config : Config
        What is indexed.
    settings : GraphSettings
        How.
    k, candidates : int
        Results, and what is handed on to rescoring.
    """

    config: Config
    settings: GraphSettings
    k: int
    candidates: int


@dataclass(frozen=True, eq=False)
class Measured:
    """An index that was built and measured.

    Attributes
    ----------
    graph : Graph
        What it took.
    recalls : tuple of GraphRecall
        One for each ef_search.
    latencies : dict of str to Latency
        By search: full dimension, the same configuration flat, and each ef_search.
    n_docs : int
        Documents indexed.
    """

    graph: Graph
    recalls: tuple[GraphRecall, ...]
    latencies: dict[str, Latency]
    n_docs: int


def show_index(data: Tiered) -> None:
    """Ask for a configuration, build its graph, and show what the graph loses and gains."""
    st.caption(
        "Everything else on these pages is exact search. In production a graph finds most of the "
        "same, faster: here it is built on your vectors by usearch, so the whole loss reads as "
        "dims + bits + graph."
    )
    wanted = _show_wanted(data)
    if wanted is None:
        return
    if data.dataset.collection is None:
        st.info(NO_VECTORS, icon=":material/info:")
        return
    key = f"index {wanted}"
    measured: Measured | None = data.kept().get(key)
    if st.button(
        "Build and measure" if measured is None else "Build and measure again",
        type="primary" if measured is None else "secondary",
        icon=":material/hub:",
        help="Builds a usearch HNSW graph of these vectors and searches it; it can be cancelled.",
        disabled=jobs.running("index"),
    ):
        _begin(data, wanted, key)
    jobs.show("index", cancelled="Cancelled: the graph built so far is gone.")
    if measured is not None:
        _show_measured(measured, wanted)


def _show_wanted(data: Tiered) -> Wanted | None:
    rankings = data.evaluation.rankings
    configs = {
        str(config): config
        for config in sorted(rankings.configs)
        # The loss to dims and bits is told apart by the same dim in float32.
        if config.quantization in INDEXED
        and Config(config.dim, "float32", config.basis) in rankings
    }
    left_out = [
        name
        for name in QUANTIZATIONS
        if name not in INDEXED and any(config.quantization == name for config in rankings.configs)
    ]
    names = list(configs)
    usual = str(Config(rankings.full_dim, "int8"))
    with st.container(
        border=True, horizontal=True, vertical_alignment="bottom", gap="medium", key="index"
    ):
        name = st.selectbox(
            "Configuration",
            names,
            index=names.index(usual) if usual in names else len(names) - 1,
            key="index_config",
            persist_state="session",
            width=210,
            help=f"usearch indexes {', '.join(INDEXED)} codes as they are stored here. Its own "
            "int8 (a unit vector times 127) is another, coarser encoding and is not used.",
        )
        links = st.number_input(
            "M",
            2,
            MAX_LINKS,
            16,
            key="index_links",
            persist_state="session",
            width=110,
            help="Neighbours of a node: more find more, and take more memory.",
        )
        construction = st.number_input(
            "ef_construction",
            1,
            MAX_EXPANSION,
            128,
            key="index_construction",
            persist_state="session",
            width=150,
            help="Candidates looked at when a vector is added: more take longer to build.",
        )
        k = show_k(min(rankings.depth, rankings.n_docs))
        most = rankings.n_docs
        candidates = st.number_input(
            "Candidates for rescoring",
            k,
            most,
            min(max(4 * k, k), most),
            key=f"index candidates {k} {most}",
            persist_state="session",
            width=190,
            help="What the graph hands on to full-dimension float32 rescoring.",
        )
    if left_out:
        st.caption(
            f"usearch has no graph over {', '.join(left_out)} codes, so these are not offered: the "
            "nearest are int8 and binary at the same dim. Plan a funnel times them searched flat."
        )
    if not name:
        st.info("This run has no configuration that usearch indexes.")
        return None
    settings = GraphSettings(int(links), int(construction))
    return Wanted(configs[name], settings, k, int(candidates))


def _begin(data: Tiered, wanted: Wanted, key: str) -> None:
    read, evaluation, kept = collection_of(data), data.evaluation, data.kept()

    def build(on_progress: OnProgress) -> Measured:
        collection = with_same_queries(read(), evaluation)
        scorer = scorer_of(evaluation, collection)
        graph = build_graph(
            scorer.all_codes(wanted.config, on_progress=on_progress),
            wanted.config,
            wanted.settings,
            on_progress=on_progress,
        )
        excluded = (
            own_rows(collection.documents, collection.queries)
            if evaluation.source.exclude_self
            else None
        )
        efs = [ef for ef in _EFS if ef >= wanted.k]
        recalls = []
        for done, ef in enumerate(efs):
            on_progress(Progress(done, len(efs), "measuring recall"))
            recalls.append(
                measure_graph(
                    graph,
                    evaluation.rankings,
                    scorer,
                    ef_search=ef,
                    k=wanted.k,
                    candidates=wanted.candidates,
                    excluded=excluded,
                )
            )
        latencies = measure_latency(
            _searches(evaluation, wanted, graph, scorer, efs, on_progress),
            compared_with=FULL,
            rounds=_ROUNDS,
            on_progress=on_progress,
        )
        return Measured(graph, tuple(recalls), latencies, evaluation.rankings.n_docs)

    jobs.begin("index", build, then=lambda done: kept.update({key: done}))
    # Drawn anew, the button is closed for as long as it goes on.
    st.rerun()


def _searches(
    evaluation: Evaluation,
    wanted: Wanted,
    graph: Graph,
    scorer: Scorer,
    efs: list[int],
    on_progress: OnProgress,
) -> dict[str, StagedSearch]:
    """Line up full dimension, the configuration searched flat, and the graph at each ef_search."""
    rankings = evaluation.rankings
    alone = chain((rankings.baseline, wanted.k))
    rescored: Chain = chain((wanted.config, wanted.candidates), (rankings.baseline, wanted.k))
    searches = {
        FULL: StagedSearch(alone, scorer, on_progress=on_progress),
        f"{wanted.config} flat, rescored": StagedSearch(rescored, scorer, on_progress=on_progress),
    }
    shared = searches[f"{wanted.config} flat, rescored"]
    for ef in efs:
        searches[_name(ef)] = shared.through(graph, ef_search=ef)
    return searches


def _name(ef: int) -> str:
    return f"graph, ef_search {ef}, rescored"


def _show_measured(measured: Measured, wanted: Wanted) -> None:
    graph, k = measured.graph, wanted.k
    efs = [one.ef_search for one in measured.recalls]
    ef = st.select_slider(
        "ef_search",
        efs,
        value=efs[min(2, len(efs) - 1)],
        key=f"index ef {efs}",
        width=260,
        help="Candidates that a search looks at: more find more, and take longer.",
    )
    one = measured.recalls[efs.index(ef)]
    with st.grid(4, min_column_width=200, gap="small"):
        st.metric(
            f"recall@{k} of exact search",
            share_text(one.of_exact),
            border=True,
            help="Share of what exact search of the same configuration finds: what the graph "
            "alone loses. Documents that tie with the k-th count as found.",
        )
        st.metric(
            f"recall@{k} after rescoring",
            share_text(one.rescored),
            border=True,
            help=f"Against full dimension, when {one.candidates} candidates of the graph are "
            "re-ordered by full-dimension float32.",
        )
        st.metric(
            "Index on disk",
            byte_text(graph.disk_bytes),
            f"{graph.disk_bytes / measured.n_docs:,.0f} B a vector",
            delta_color="off",
            delta_arrow="off",
            border=True,
            help="The index file as usearch saves it, without the copy for rescoring.",
        )
        _show_resident(measured, wanted)
    st.html(losses_html(one, config=str(wanted.config), k=k))
    # Plotly takes a third of a second to import.
    from mrl_explorer.report.tier_figures import recall_by_latency  # noqa: PLC0415

    st.markdown("**Recall by latency**", help=HELP_LATENCY)
    st.plotly_chart(
        recall_by_latency(
            efs,
            [1e3 * measured.latencies[_name(each)].p50 for each in efs],
            [each.of_exact for each in measured.recalls],
            [each.rescored for each in measured.recalls],
            k=k,
        ),
        key="index chart",
        height=340,
    )
    st.dataframe(latency_rows(measured.latencies, compared_with=FULL), hide_index=True)
    st.caption(
        literal(
            f"Measured on this machine at {measured.n_docs:,} documents, warm. Built in "
            f"{graph.seconds:.2f} s on all threads, M = {graph.settings.links}, ef_construction = "
            f"{graph.settings.ef_construction}. usearch looks at no fewer than the candidates "
            "asked for, so a smaller ef_search than these changes nothing. Whether the graph is "
            "worth it stands in the table: on a small corpus flat search may be as fast."
        )
    )


def _show_resident(measured: Measured, wanted: Wanted) -> None:
    graph, n_docs = measured.graph, measured.n_docs
    model = usearch_memory(
        wanted.config,
        n_vectors=n_docs,
        full_dim=wanted.config.dim,
        rescore=False,
        links=wanted.settings.links,
    )
    if graph.resident_bytes is None:
        st.metric("Resident", "not told", border=True, help="This system does not tell.")
        return
    st.metric(
        "Index resident",
        byte_text(graph.resident_bytes),
        f"{graph.resident_bytes / n_docs:,.0f} B a vector",
        delta_color="off",
        delta_arrow="off",
        border=True,
        help="What a fresh process grows by on loading the file. usearch takes memory in blocks, "
        f"so a small index takes more a vector. The model says {byte_text(model.ram)}.",
    )

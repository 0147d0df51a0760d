"""The controls of the Decide page: what must hold, what may be used, what it will run on."""

from dataclasses import dataclass
from functools import partial

import streamlit as st

from mrl_explorer.decide.cost import DISK_PRICE, RAM_PRICE, Production
from mrl_explorer.decide.engines import ENGINES, Parameter
from mrl_explorer.decide.recommendation import Constraints, Recommendation
from mrl_explorer.report.engines import ANY, engine_name, engine_notes, source_text
from mrl_explorer.report.formats import share_text
from mrl_explorer.retrieval.basis import BASES
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.quantization import QUANTIZATIONS
from mrl_explorer.ui.address import set_parameter
from mrl_explorer.ui.controls import COUNTS, show_k, show_vectors
from mrl_explorer.ui.link import tell_unknown
from mrl_explorer.ui.number_field import MOST, read_number, show_limit, show_number
from mrl_explorer.ui.problems import literal

_TARGETS = {
    share_text(share): share
    for share in (0.7, 0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995, 1.0)
}
_RECALL, _NDCG = "recall", "nDCG kept"
_LOW, _MEAN = "lower end", "mean"
_MOST_REPLICAS, _MOST_PRICE = 1000, 1e6


@dataclass(frozen=True, slots=True)
class Question:
    """What the reader asks.

    Attributes
    ----------
    k : int
        Results that count.
    constraints : Constraints
        What must hold and what may be used.
    production : Production
        What it will run on.
    """

    k: int
    constraints: Constraints
    production: Production


def show_question(evaluation: Evaluation) -> Question:
    """Show the controls, and give what they say; links find their values in the address bar."""
    _tell_link(evaluation)
    with st.container(border=True, key="decide_controls", gap="small"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            measure, target, on_mean = _show_quality(evaluation)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            k = show_k(_most_results(evaluation))
            n_vectors = show_vectors("RAM, disk and cost are reckoned for this many.")
            rescore = st.toggle(
                "Rescoring allowed",
                key="may_rescore",
                bind="query-params",
                persist_state="session",
                help="Candidates found with the short vectors may be re-ordered by full-dimension "
                "float32 vectors kept on disk. That copy is counted. For each configuration the "
                "smallest oversampling that reaches the target is taken.",
            )
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            engine, parameters = _show_engine()
            with st.popover(
                "Limits",
                icon=":material/straighten:",
                help="What may be used at most: bytes, memory, disk, money, dims, quantizations.",
            ):
                limits = _show_limits(evaluation)
            with st.popover(
                "Prices and replicas",
                icon=":material/payments:",
                help="What RAM and disk cost a month, and how many copies are served.",
            ):
                replicas, ram_price, disk_price = _show_prices()
    constraints = Constraints(
        min_recall=target if measure == _RECALL else None,
        min_ndcg_kept=target if measure == _NDCG else None,
        on_mean=on_mean,
        rescore=bool(rescore),
        max_bytes_per_vector=limits.bytes_per_vector,
        max_ram=limits.ram,
        max_cost=limits.cost,
        dims=limits.dims,
        quantizations=limits.quantizations,
        bases=limits.bases,
    )
    production = Production(
        n_vectors,
        replicas,
        ram_price,
        disk_price,
        engine,
        parameters,
    )
    return Question(k, constraints, production)


def show_engine_notes(found: Recommendation) -> None:
    """Say how the engine holds what is recommended."""
    notes = engine_notes(found)
    if notes:
        st.caption(literal(" ".join(notes)))


def _show_engine() -> tuple[str | None, tuple[tuple[str, int], ...]]:
    """Ask for the engine and its parameters.

    A bound list would write titles into the link, and links name engines by their names in files.
    """
    linked = st.query_params.get("engine")
    name = st.session_state.get("engine", linked if linked in ENGINES else ANY)
    st.session_state["engine"] = name
    st.selectbox(
        "Engine",
        [ANY, *ENGINES],
        format_func=engine_name,
        key="engine",
        width=165,
        persist_state="session",
        help="The database that will hold it: only what it stores is considered. "
        + literal(source_text(name)),
    )
    set_parameter("engine", None if name == ANY else name)
    if name == ANY:
        return None, ()
    engine = ENGINES[name]
    if not engine.parameters:
        return name, ()
    with st.popover(
        "Engine settings",
        icon=":material/settings:",
        help=f"What changes the memory of {engine.label}: {', '.join(engine.parameters)}.",
    ):
        values = {
            parameter: show_number(
                parameter,
                one.allowed.start,
                one.allowed.stop - 1,
                one.default,
                key=_parameter_key(name, parameter),
                advice=f"{one.help} Default: {one.default}.",
            )
            for parameter, one in engine.parameters.items()
        }
    return name, tuple(values.items())


def _parameter_key(engine: str, parameter: str) -> str:
    return f"{engine}.{parameter}"


def _show_quality(evaluation: Evaluation) -> tuple[str, float, bool]:
    measure = st.segmented_control(
        "What must hold",
        _measures(evaluation),
        default=_RECALL,
        required=True,
        key="measure",
        bind="query-params",
        persist_state="session",
        help="**recall**: share of the results of full dimension that are still found. "
        "**nDCG kept**: share of full dimension's relevance by your judgements that is kept. "
        "Overlap falls faster than relevance.",
    )
    target = st.select_slider(
        "At least",
        list(_TARGETS),
        value=share_text(0.95),
        key="target",
        width=190,
        bind="query-params",
        persist_state="session",
        help="Of 1. What is recommended reaches it; the cheapest that does wins.",
    )
    judged_by = st.segmented_control(
        "Asked of the",
        [_LOW, _MEAN],
        default=_LOW,
        required=True,
        key="asked_of",
        bind="query-params",
        persist_state="session",
        help="**lower end** of the 95% interval, widened for having picked among all "
        "configurations: what these queries can promise of others of their kind. **mean**: what "
        "these very queries gave, half of the time too much.",
    )
    return str(measure or _RECALL), _TARGETS[str(target)], judged_by == _MEAN


@dataclass(frozen=True, slots=True)
class _Limits:
    bytes_per_vector: float | None
    ram: float | None
    cost: float | None
    dims: tuple[int, ...] | None
    quantizations: tuple[str, ...] | None
    bases: tuple[str, ...] | None


def _show_limits(evaluation: Evaluation) -> _Limits:
    configs = evaluation.rankings.configs
    size = st.selectbox(
        "Bytes per vector, at most",
        [ANY, *map(str, _sizes(evaluation))],
        key="max_bytes",
        bind="query-params",
        persist_state="session",
        help="Of one stored code, without the index around it.",
    )
    ram = show_limit(
        "RAM in GB, at most", key="max_ram", advice="Over all replicas. 1 GB = 10⁹ bytes."
    )
    cost = show_limit(
        "US dollars a month, at most", key="max_cost", advice="RAM and disk at your prices."
    )
    dims = st.multiselect(
        "Dims that may be used",
        sorted({config.dim for config in configs}),
        key="only_dims",
        bind="query-params",
        persist_state="session",
        placeholder="all of this run",
        help="Name those that your provider offers.",
    )
    quantizations = st.multiselect(
        "Quantizations that may be used",
        [name for name in QUANTIZATIONS if any(c.quantization == name for c in configs)],
        key="only_quantizations",
        bind="query-params",
        persist_state="session",
        placeholder="all of this run",
        help="Name those that your database has.",
    )
    bases = st.multiselect(
        "Bases that may be used",
        [name for name in BASES if any(c.basis == name for c in configs)],
        key="only_bases",
        bind="query-params",
        persist_state="session",
        placeholder="all of this run",
        help="Only the native one needs nothing but the model: any other multiplies each vector "
        "by a matrix that has to be kept with the index.",
    )
    return _Limits(
        None if size in (None, ANY) else float(size),
        None if ram is None else ram * 1e9,
        cost,
        tuple(dims) or None,
        tuple(quantizations) or None,
        tuple(bases) or None,
    )


def _show_prices() -> tuple[int, float, float]:
    replicas = show_number(
        "Replicas",
        1,
        _MOST_REPLICAS,
        1,
        key="replicas",
        advice="Copies of the whole index that serve: each needs the same RAM and disk.",
    )
    ram = show_number(
        "US dollars per GB of RAM and month",
        0.0,
        _MOST_PRICE,
        RAM_PRICE,
        key="ram_price",
        advice="3.80 is what huggingface.co/blog/embedding-quantization (March 2024) reckons with, "
        "on x2gd machines of AWS.",
    )
    disk = show_number(
        "US dollars per GB of disk and month",
        0.0,
        _MOST_PRICE,
        DISK_PRICE,
        key="disk_price",
        advice="0.08 is AWS EBS gp3 in us-east-1 (aws.amazon.com/ebs/pricing, as of early 2026).",
    )
    return replicas, ram, disk


def _tell_link(evaluation: Evaluation) -> None:
    """Say what a link asks for in vain, before the controls are drawn."""
    if "target" in st.session_state:
        return
    configs = evaluation.rankings.configs
    tell_unknown(
        {
            "measure": _measures(evaluation).__contains__,
            "target": _TARGETS.__contains__,
            "asked_of": (_LOW, _MEAN).__contains__,
            "k": lambda text: read_number(text, 1, _most_results(evaluation)) is not None,
            "vectors": COUNTS.__contains__,
            "may_rescore": lambda text: text.lower() in ("true", "false"),
            "engine": (ANY, *ENGINES).__contains__,
            "max_bytes": (ANY, *map(str, _sizes(evaluation))).__contains__,
            "max_ram": _is_limit,
            "max_cost": _is_limit,
            "only_dims": {str(config.dim) for config in configs}.__contains__,
            "only_quantizations": {config.quantization for config in configs}.__contains__,
            "only_bases": {config.basis for config in configs}.__contains__,
            "replicas": lambda text: read_number(text, 1, _MOST_REPLICAS) is not None,
            "ram_price": _is_price,
            "disk_price": _is_price,
            **{
                _parameter_key(name, parameter): partial(_is_allowed, one)
                for name, engine in ENGINES.items()
                for parameter, one in engine.parameters.items()
            },
        }
    )


def _is_allowed(parameter: Parameter, text: str) -> bool:
    return read_number(text, parameter.allowed.start, parameter.allowed.stop - 1) is not None


def _is_limit(text: str) -> bool:
    return read_number(text, 0.0, MOST) is not None


def _is_price(text: str) -> bool:
    return read_number(text, 0.0, _MOST_PRICE) is not None


def _measures(evaluation: Evaluation) -> list[str]:
    return [_RECALL] if evaluation.judgements is None else [_RECALL, _NDCG]


def _most_results(evaluation: Evaluation) -> int:
    return min(evaluation.rankings.depth, evaluation.rankings.n_docs)


def _sizes(evaluation: Evaluation) -> list[int]:
    return sorted({config.bytes_per_vector for config in evaluation.rankings.configs})

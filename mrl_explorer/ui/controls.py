"""The controls of the Explore page, and the view that they describe."""

import re
from dataclasses import dataclass

import streamlit as st

from mrl_explorer.errors import InputError
from mrl_explorer.report.formats import count_text
from mrl_explorer.retrieval.basis import BASES
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff
from mrl_explorer.retrieval.quantization import QUANTIZATIONS
from mrl_explorer.retrieval.rankings import Rankings
from mrl_explorer.ui.address import set_parameter
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.extend_panel import show_extend, show_progress
from mrl_explorer.ui.number_field import show_number

OVERSAMPLES = (1, 2, 3, 4, 5, 8, 10, 20)
_USUAL_OVERSAMPLE = 4
_DIM = re.compile(r"[0-9]{1,6}")
N_VECTORS = (*(digit * 10**power for power in range(4, 10) for digit in (1, 2, 5)), 10**10)
COUNTS = {count_text(count): count for count in N_VECTORS}


@dataclass(frozen=True, slots=True)
class View:
    """What the controls say.

    Attributes
    ----------
    config : Config
        The chosen configuration.
    cutoff : Cutoff
        k and rescoring.
    n_vectors : int
        Vectors in production.
    pinned : Config or None
        A configuration held beside it.
    """

    config: Config
    cutoff: Cutoff
    n_vectors: int
    pinned: Config | None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the controls beside the dimension slider say.

    Attributes
    ----------
    quantization, basis : str
        Of the chosen configuration.
    cutoff : Cutoff
        k and rescoring.
    n_vectors : int
        Vectors in production.
    """

    quantization: str
    basis: str
    cutoff: Cutoff
    n_vectors: int


def show_settings(dataset: Dataset) -> Settings:
    """Show every control but the dimension; links find their values in the address bar."""
    rankings = dataset.evaluation.rankings
    _, quantizations, bases = _offered(rankings)
    first_quantization = _first_quantization(quantizations)
    with st.container(
        border=True, key="controls", horizontal=True, vertical_alignment="bottom", gap="medium"
    ):
        quantization = st.segmented_control(
            "Quantization",
            quantizations,
            default=_unless_set("quantization", first_quantization),
            required=True,
            key="quantization",
            bind="query-params",
            persist_state="session",
            help="How each component is stored. "
            + " ".join(f"**{name}**: {QUANTIZATIONS[name].help}" for name in quantizations),
        )
        basis = st.segmented_control(
            "Basis",
            bases,
            default=_unless_set("basis", bases[0]),
            required=True,
            key="basis",
            bind="query-params",
            persist_state="session",
            help=" ".join(f"**{name}**: {BASES[name]}" for name in bases)
            + " A basis fitted on the documents it is measured on flatters itself.",
        )
        k = show_k(min(rankings.depth, rankings.n_docs))
        rescore = st.toggle(
            "Rescore",
            key="rescore",
            bind="query-params",
            persist_state="session",
            help="Take k × oversampling candidates with the short vectors, then re-order them "
            "by full-dimension float32 vectors kept on disk.",
        )
        oversample = _show_oversample(k, rankings.depth, rescore=bool(rescore))
        n_vectors = show_vectors("Memory is projected for this many.", width=165)
        show_extend(dataset, needed=_next_depth(k, rankings.depth))
    show_progress()
    # An empty value in the address bar leaves a control without one.
    return Settings(
        quantization or first_quantization,
        basis or bases[0],
        Cutoff(k, oversample, bool(rescore)),
        n_vectors,
    )


def show_vectors(advice: str, *, width: int = 190) -> int:
    """Ask for the vectors in production: the same control, with the same value, on every page."""
    count = st.select_slider(
        "Vectors in production",
        list(COUNTS),
        value="10M",
        key="vectors",
        width=width,
        bind="query-params",
        persist_state="session",
        help=advice,
    )
    return COUNTS[str(count)]


def _show_oversample(k: int, depth: int, *, rescore: bool) -> int:
    fitting = [n for n in OVERSAMPLES if n * k <= max(depth, k)]
    if st.session_state.get("oversample") not in fitting:
        st.session_state.pop("oversample", None)
    oversample = st.selectbox(
        "Oversampling",
        fitting,
        index=fitting.index(max(n for n in fitting if n <= _USUAL_OVERSAMPLE)),
        key="oversample",
        width=112,
        disabled=not rescore,
        bind="query-params",
        persist_state="session",
        help=f"Candidates per result. These lists hold {depth} places, which k × oversampling "
        "cannot exceed: for more, extend the run.",
    )
    return int(oversample)


def show_dim(dataset: Dataset, settings: Settings) -> View:
    """Show the dimension slider, and give the whole view."""
    rankings = dataset.evaluation.rankings
    dims, _, _ = _offered(rankings)
    _take_dim(dims, rankings.full_dim)
    dim = st.select_slider(
        "Dimension",
        dims,
        value=_first_dim(dims, dataset.evaluation.source.trained_dims),
        key="dim",
        bind="query-params",
        persist_state="session",
        help="Dimensions kept of each vector: the slider stops at those of this run.",
    )
    return View(
        _covered(rankings, Config(int(dim), settings.quantization, settings.basis)),
        settings.cutoff,
        settings.n_vectors,
        _pinned(rankings),
    )


def _unless_set(key: str, usual: str) -> str | None:
    """Give a control's default where nothing has set it: both at once, Streamlit warns of."""
    return None if key in st.session_state else usual


def start_view(dataset: Dataset) -> None:
    """Set the controls to where a data set starts: what was chosen for another says nothing here.

    To be called before the controls are drawn.
    """
    dims, quantizations, bases = _offered(dataset.evaluation.rankings)
    st.session_state["dim"] = _first_dim(dims, dataset.evaluation.source.trained_dims)
    st.session_state["quantization"] = _first_quantization(quantizations)
    st.session_state["basis"] = bases[0]
    st.session_state["rescore"] = False
    st.session_state["typed"] = ""
    for name in ("k", "oversample", "query", "segment", "find"):
        st.session_state.pop(name, None)
    for name in ("k", "q"):
        set_parameter(name, None)
    unpin()


def _offered(rankings: Rankings) -> tuple[list[int], list[str], list[str]]:
    """List the dims, quantizations and bases of a run."""
    configs = rankings.configs
    return (
        sorted({config.dim for config in configs}),
        [name for name in QUANTIZATIONS if any(c.quantization == name for c in configs)],
        [name for name in BASES if any(c.basis == name for c in configs)],
    )


def _take_dim(dims: list[int], full_dim: int) -> None:
    """Move the slider to a dim that was just added, or near one that a link names in vain.

    A link to a run that was added to in another session leads to the run as it was.
    """
    added = st.session_state.pop("added dim", None)
    if added in dims:
        st.session_state["dim"] = added
    linked = st.query_params.get("dim", "")
    if "dim" in st.session_state or not _DIM.fullmatch(linked):
        return
    wanted = int(linked)
    if wanted not in dims and 1 <= wanted <= full_dim:
        nearest = min(dims, key=lambda dim: abs(dim - wanted))
        st.session_state["dim"] = nearest
        st.info(f"This run has no {wanted} dimensions: {nearest} is shown.", icon=":material/info:")


def _next_depth(k: int, depth: int) -> int:
    """Give the depth that the next oversampling needs."""
    return next((n * k for n in OVERSAMPLES if n * k > depth), depth + 1)


def _first_quantization(quantizations: list[str]) -> str:
    return "int8" if "int8" in quantizations else quantizations[0]


def show_k(most: int) -> int:
    """Ask for k: the same control, with the same value, on every page."""
    return show_number(
        "k",
        1,
        most,
        min(10, most),
        key="k",
        width=95,
        advice="Results that count: recall@k, and the places shown below.",
    )


def _covered(rankings: Rankings, wanted: Config) -> Config:
    """Give the configuration, or the nearest one that the run covers, and say so."""
    nearest = rankings.nearest(wanted)
    if nearest != wanted:
        text = f"This run does not cover {wanted}: {nearest} is shown."
        st.info(text, icon=":material/info:")
    return nearest


def _first_dim(dims: list[int], trained: tuple[int, ...]) -> int:
    """Start at half the dimensions, at a trained dim where there is one so small."""
    half = [dim for dim in dims if dim <= dims[-1] // 2] or dims
    return max([dim for dim in half if dim in trained] or half)


def _pinned(rankings: Rankings) -> Config | None:
    """Read the pin: it lives in the address bar and, across pages, in the session."""
    text = st.session_state.get("pin") or st.query_params.get("pin")
    if not text:
        return None
    try:
        config = parse_config(text)
    except InputError:
        config = None
    if config is None or config not in rankings:
        unpin()
        return None
    pin(config)
    return config


def pin(config: Config) -> None:
    """Hold a configuration beside the chosen one."""
    text = f"{config.dim}-{config.quantization}-{config.basis}"
    st.session_state["pin"] = text
    set_parameter("pin", text)


def unpin() -> None:
    """Let go of it."""
    st.session_state.pop("pin", None)
    set_parameter("pin", None)


def parse_config(text: str) -> Config:
    """Read a configuration as a link spells it: '64-int4-pca'.

    Raises
    ------
    InputError
        If it is spelled otherwise.
    """
    dim, _, rest = text.partition("-")
    quantization, _, basis = rest.rpartition("-")
    if not _DIM.fullmatch(dim) or quantization not in QUANTIZATIONS or basis not in BASES:
        raise InputError(f"'{text[:40]}' names no configuration: write for example 64-int4-pca.")
    return Config(int(dim), quantization, basis)

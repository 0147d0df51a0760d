"""The planner on the Tiers page: the question, the chain it finds, and why."""

import html
from dataclasses import replace

import streamlit as st

from mrl_explorer.decide.funnels import (
    Aim,
    Plan,
    Tiers,
    describe,
    held_out_tiers,
    plan,
    recall_curves,
)
from mrl_explorer.errors import InputError
from mrl_explorer.report.formats import byte_text, count_text, share_text, times_text
from mrl_explorer.report.tiers import (
    enough_text,
    fitted_text,
    growth_text,
    shortfall_text,
    stage_role,
)
from mrl_explorer.retrieval.basis import BASES
from mrl_explorer.retrieval.chains import Chain, parse_chain, remarks
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.quantization import QUANTIZATIONS
from mrl_explorer.retrieval.rankings import Rankings
from mrl_explorer.ui.controls import show_k, show_vectors
from mrl_explorer.ui.problems import literal, show_error
from mrl_explorer.ui.tiers_data import NO_VECTORS, Tiered, show_longer_lists
from mrl_explorer.ui.tiers_latency import show_latency

TARGETS = {
    share_text(share): share for share in (0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 1.0)
}
_MEAN, _LOW = "mean", "lower end"
_RAM, _BYTES = "RAM", "bytes read"
_FLAT, _GRAPH = "flat", "with a graph"
_CURVES = 5

_STYLE = """<style>
.mrl-chain { display: flex; flex-wrap: wrap; align-items: stretch; gap: .35rem; }
.mrl-stage { flex: 1 1 11rem; border: 1px solid rgba(128, 138, 150, .55); border-radius: .5rem;
  padding: .5rem .7rem; min-width: 10rem; }
.mrl-stage.disk { border-style: dashed; border-width: 2px; border-color: rgba(128, 138, 150, .9); }
.mrl-stage b { display: block; font-size: 1.02rem; }
.mrl-stage small { display: block; opacity: .8; font-size: .8rem; line-height: 1.35; }
.mrl-stage .where { float: right; font-size: .74rem; opacity: .85; }
.mrl-hand { align-self: center; text-align: center; font-size: .82rem; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.mrl-hand b { display: block; font-size: 1rem; }
</style>"""


def show_plan(data: Tiered) -> None:
    """Ask, plan, and show the chain, the runner-up, the table and the curves."""
    aim = show_aim(data)
    try:
        found = _plan(data, data.identity, aim)
    except InputError as error:
        show_error(str(error))
        show_longer_lists(data)
        return
    if found.chosen is None:
        st.warning(
            literal(shortfall_text(found, data.evaluation.rankings)), icon=":material/block:"
        )
    else:
        _show_tiers("Cheapest chain", found.chosen, found, data)
    show_longer_lists(data)
    _show_remarks(found, data)
    with st.grid(2, min_column_width=440, gap="medium"):
        curves, table = st.container(), st.container()
    with curves:
        _show_curves(found, data)
    with table:
        _show_first_stages(found, data)
    if found.runner_up is not None:
        with st.expander(f"Runner-up: {literal(str(found.runner_up.chain))}"):
            _show_tiers("Runner-up", found.runner_up, found, data)
    _show_own(found, data)
    show_latency(data, found)


def show_aim(data: Tiered) -> Aim:
    """Show the controls; their values are in the address bar."""
    rankings = data.evaluation.rankings
    with (
        st.container(border=True, key="tiers_controls", gap="small"),
        st.container(horizontal=True, vertical_alignment="bottom", gap="medium"),
    ):
        target = st.select_slider(
            "Recall to keep, at least",
            list(TARGETS),
            value=".990",
            key="keep",
            width=200,
            bind="query-params",
            persist_state="session",
            help="recall@k vs full dimension: the share of the exact float32 results that the "
            "chain still returns.",
        )
        judged_by = st.segmented_control(
            "Asked of the",
            [_MEAN, _LOW],
            default=_MEAN,
            required=True,
            key="keep_of",
            bind="query-params",
            persist_state="session",
            help="The mean over these queries, or the lower end of its 95% interval, which "
            "is what other queries of the same kind would still reach.",
        )
        k = show_k(min(rankings.depth, rankings.n_docs))
        n_vectors = show_vectors("RAM, disk and bytes read are reckoned for this many.")
        objective = st.segmented_control(
            "Cheapest by",
            [_RAM, _BYTES],
            default=_RAM,
            required=True,
            key="cheapest_by",
            bind="query-params",
            persist_state="session",
            help="**RAM**: least memory, then fewest bytes read. **bytes read**: fewest bytes "
            "for a query, then least memory. A vector from disk counts as whole pages of "
            "4 KiB.",
        )
        first = st.segmented_control(
            "First stage",
            [_FLAT, _GRAPH],
            default=_FLAT,
            required=True,
            key="first_stage",
            bind="query-params",
            persist_state="session",
            help="**flat**: codes only, all of them read for each query. **with a graph**: "
            "adds the RAM of a usearch HNSW graph, M = 16, which does not shrink with the "
            "code, and leaves out first stages that usearch does not index. What the graph loses "
            "is measured under The real index.",
        )
        with st.popover(
            "Limits",
            icon=":material/straighten:",
            help="What the chain may use at most, and how many stages it may have.",
        ):
            limits = _show_limits(rankings)
    return replace(
        limits,
        min_recall=TARGETS[str(target)],
        k=k,
        n_vectors=float(n_vectors),
        sure=judged_by == _LOW,
        objective="bytes" if objective == _BYTES else "ram",
        indexed=first == _GRAPH,
    )


def _show_limits(rankings: Rankings) -> Aim:
    """Ask for limits; 0 is none, and no choice is all."""
    n_docs = rankings.n_docs

    def ask(label: str, key: str, most: int, advice: str) -> int | None:
        value = st.number_input(label, 0, most, 0, key=key, persist_state="session", help=advice)
        return int(value) or None

    gigabytes = st.number_input(
        "RAM at most, GB (0: no limit)",
        0.0,
        1e6,
        0.0,
        key="limit_ram",
        persist_state="session",
        help="1 GB = 10⁹ bytes.",
    )
    candidates = ask(
        "Candidates at most (0: no limit)",
        "limit_candidates",
        n_docs,
        "Documents that the first stage hands on.",
    )
    reads = ask(
        "Reads from disk a query, at most (0: no limit)",
        "limit_reads",
        n_docs,
        "Vectors that the last stage fetches from disk for one query.",
    )
    stages = st.segmented_control(
        "Stages at most",
        [1, 2, 3, 4],
        default=4,
        required=True,
        key="limit_stages",
        persist_state="session",
        help="Each stage re-orders what the one before hands on; 1 is a plain search.",
    )
    on_disk = st.toggle(
        "Last stage reads from disk",
        True,
        key="limit_disk",
        persist_state="session",
        help="Otherwise its vectors are counted in RAM.",
    )
    quantizations = st.multiselect(
        "Quantizations that a stage may use",
        [n for n in QUANTIZATIONS if any(c.quantization == n for c in rankings.configs)],
        key="limit_quantizations",
        placeholder="all",
        help="What your engine can store and search.",
    )
    bases = st.multiselect(
        "Bases that a stage may use",
        [n for n in BASES if any(c.basis == n for c in rankings.configs)],
        key="limit_bases",
        placeholder="all",
        help="A fitted basis means a matrix product with every new vector and query.",
    )
    return Aim(
        quantizations=tuple(quantizations) or None,
        bases=tuple(bases) or None,
        max_ram=float(gigabytes) * 1e9 or None,
        max_candidates=candidates,
        max_disk_reads=reads,
        max_stages=int(stages or 4),
        last_on_disk=bool(on_disk),
    )


@st.cache_resource(show_spinner="Planning", max_entries=32)
def _plan(_data: Tiered, identity: tuple[str, str, bool], aim: Aim) -> Plan:
    """Plan once for each question; the identity stands for the data, too large to hash."""
    return plan(
        _data.candidates,
        aim,
        judgements=_data.evaluation.judgements,
        unseen=_data.unseen,
    )


@st.cache_resource(show_spinner=False, max_entries=64)
def _held_out(_data: Tiered, identity: tuple[str, str, bool], chain: Chain) -> Tiers | None:
    if _data.unseen is None:
        return None
    return held_out_tiers(chain, _data.unseen, Aim(k=chain.k))


def _show_tiers(title: str, tiers: Tiers, found: Plan, data: Tiered) -> None:
    """Show a chain as a picture of its stages, and its figures."""
    full, need, k = found.full, tiers.need, tiers.chain.k
    st.markdown(f"**{title}**, against full dimension in float32")
    st.html(_STYLE + _picture(tiers, found.aim, full_dim=data.evaluation.rankings.full_dim))
    with st.grid(4 if tiers.ndcg is None else 5, min_column_width=130, gap="small"):
        st.metric(
            f"recall@{k}",
            share_text(tiers.recall),
            f"{share_text(tiers.low)} to {share_text(tiers.high)}",
            delta_color="off",
            delta_arrow="off",
            border=True,
            help="Share of the exact full-dimension results that this chain returns, over "
            f"{data.evaluation.rankings.n_queries:,} queries, and its 95% interval.",
        )
        if tiers.ndcg is not None:
            st.metric(
                f"nDCG@{k}",
                share_text(tiers.ndcg),
                None if found.full_ndcg is None else f"{tiers.ndcg - found.full_ndcg:+.3f} vs full",
                delta_color="off",
                delta_arrow="off",
                border=True,
                help="By your judgements: how good the results are, whether or not they are those "
                "of full dimension. The change is against full dimension.",
            )
        _show_need(
            "RAM",
            need.ram,
            full.ram,
            "Codes kept in memory, each stored once"
            + (", and the graph." if found.aim.indexed else "."),
        )
        _show_need(
            "Disk",
            need.disk,
            full.disk,
            "Files: what is in RAM as well, and what the last stage reads.",
        )
        _show_need(
            "Bytes read",
            need.bytes_read,
            full.bytes_read,
            "By a flat first stage over all codes, and by every later one over what it is handed. "
            "Where memory bandwidth is the limit, time follows these bytes."
            + (
                " A graph reads far less: measure it under The real index."
                if found.aim.indexed
                else ""
            ),
        )
    for remark in remarks(tiers.chain):
        st.caption(literal(remark))


def _show_need(label: str, value: float, full: float, advice: str) -> None:
    ratio = full / value
    change = f"{times_text(ratio)} less" if ratio >= 1 else f"{times_text(1 / ratio)} more"
    st.metric(
        label,
        byte_text(value),
        change,
        delta_color="off",
        delta_arrow="off",
        border=True,
        help=f"{advice} Full dimension needs {byte_text(full)}.",
    )


def _picture(tiers: Tiers, aim: Aim, *, full_dim: int) -> str:
    """Draw the stages from left to right, and what each hands on."""
    configs = [stage.config for stage in tiers.chain.stages]
    pieces = []
    for place, one in enumerate(tiers.need.stages):
        code = one.stage.config.bytes_per_vector
        scored = count_text(one.scored) if one.scored >= 1e5 else f"{one.scored:,.0f}"
        role = stage_role(configs, place, full_dim=full_dim)
        graph = " through a graph" if aim.indexed and not place else ""
        reads = "" if graph else f", reads {byte_text(one.bytes_read)}"
        pieces.append(
            f'<div class="mrl-stage{" disk" if one.on_disk else ""}">'
            f'<span class="where">{"disk" if one.on_disk else "RAM"}</span>'
            f"<b>{html.escape(str(one.stage.config))}</b>"
            f"<small>{html.escape(role)}{graph}</small>"
            f"<small>{scored} vectors of {code:,} B{reads}</small></div>"
        )
        last = place == len(configs) - 1
        pieces.append(
            f'<div class="mrl-hand"><b>→ {one.stage.keep:,}</b>'
            f"{'results' if last else 'candidates'}</div>"
        )
    return f'<div class="mrl-chain" role="img" aria-label="{html.escape(str(tiers.chain))}">' + (
        "".join(pieces) + "</div>"
    )


def _show_remarks(found: Plan, data: Tiered) -> None:
    """Say what the numbers rest on."""
    lines = [f"{found.n_considered:,} chains considered."]
    if found.n_undecided:
        lines.append(
            f"{found.n_undecided} were left aside: these lists are too short to tell their recall. "
            "Score candidates directly, or rank deeper."
        )
    if found.cut_short:
        lines.append("Not every chain of several stages was run: a cheaper one may exist.")
    if found.chosen is not None:
        lines.append(growth_text(found.chosen, data.evaluation.rankings))
        lines.append(fitted_text(found.chosen, _held_out(data, data.identity, found.chosen.chain)))
    st.caption(literal(" ".join(lines)))


def _show_curves(found: Plan, data: Tiered) -> None:
    # Plotly takes a third of a second to import, and a page without curves needs none.
    from mrl_explorer.report.tier_figures import MOST_CURVES, recall_by_candidates  # noqa: PLC0415

    rankings = data.evaluation.rankings
    firsts = {str(first.config): first.config for first in found.first_stages}
    st.markdown(
        "**Recall by candidates**",
        help="The published lesson: a longer code with a short list can beat a shorter code with "
        "a long one. Marks stand where a first stage reaches what is asked for.",
    )
    shown = st.multiselect(
        "First stages",
        list(firsts),
        default=[str(config) for config in _telling(found)],
        max_selections=MOST_CURVES,
        key=f"curves of {data.identity} {found.aim}",
        label_visibility="collapsed",
        placeholder="Choose first stages to draw",
        help="Which first stages have a curve.",
    )
    if not shown:
        return
    configs = [firsts[name] for name in shown]
    counts, curves = recall_curves(data.candidates, found.aim.k)
    places = [rankings.place(config) for config in configs]
    st.plotly_chart(
        recall_by_candidates(found, counts, curves[places], configs),
        key="recall by candidates",
        height=380,
    )


def _telling(found: Plan) -> list[Config]:
    """Choose the cheapest first stages that reach the aim, or those that come closest."""
    reaching = [tiers.chain.stages[0].config for tiers in found.best_of_each]
    closest = sorted(found.first_stages, key=lambda first: -first.recall)
    return list(dict.fromkeys([*reaching, *(first.config for first in closest)]))[:_CURVES]


def _show_first_stages(found: Plan, data: Tiered) -> None:
    """Show the fewest candidates of every first stage as a table."""
    k, rankings = found.aim.k, data.evaluation.rankings
    st.markdown(
        "**Fewest candidates by first stage**",
        help="Before full-dimension float32 rescoring. Where all that the lists hold are not "
        "enough, recall is that of all of them.",
    )
    st.dataframe(
        [
            {
                "first stage": str(first.config),
                "bytes": first.config.bytes_per_vector,
                "candidates": enough_text(first, rankings),
                "recall": first.recall,
                "low": first.low,
                "unseen": first.unseen,
            }
            for first in sorted(
                found.first_stages,
                key=lambda one: (one.config.bytes_per_vector, one.candidates or 10**9),
            )
        ],
        hide_index=True,
        height=420,
        column_config={
            "bytes": st.column_config.NumberColumn(help="Bytes of one stored code."),
            "recall": st.column_config.NumberColumn(
                f"recall@{k}", format="%.3f", help="After rescoring so many candidates."
            ),
            "low": st.column_config.NumberColumn(
                "95% from", format="%.3f", help="Lower end of the 95% interval of recall."
            ),
            "unseen": st.column_config.NumberColumn(
                format="%.3f",
                help="For a fitted basis: recall on documents that it has not seen, half of them. "
                "It has to reach what is asked for there as well.",
            ),
        },
    )


def _show_own(found: Plan, data: Tiered) -> None:
    """Give the figures of a chain that the reader writes down."""
    rankings = data.evaluation.rankings
    with st.expander("Try a chain of your own"):
        usual = found.chosen.chain.spelling if found.chosen is not None else ""
        text = st.text_input(
            "Stages: dim-quantization-basis:handed on, the first one first",
            key="own_chain",
            persist_state="session",
            placeholder=usual
            or f"{rankings.full_dim // 2}-binary:100, {rankings.full_dim}-float32:10",
            help="Up to four stages. The last one hands on the results. A float query on stored "
            "codes is written 64-binary-floatq:50.",
        ).strip()
        if not text:
            return
        try:
            chain = parse_chain(text)
            tiers = describe(
                chain,
                data.candidates,
                replace(found.aim, k=chain.k),
                judgements=data.evaluation.judgements,
            )
        except InputError as error:
            show_error(str(error))
            return
        if tiers is None:
            st.info(
                "The lists alone cannot tell this chain's recall: a later stage is not in the run, "
                "or its list is too short. "
                + ("Score candidates directly." if data.dataset.collection else NO_VECTORS),
                icon=":material/info:",
            )
            return
        _show_tiers("Your chain", tiers, found, data)

"""Pictures of the page that teaches, as HTML: they follow the theme and read aloud."""

import html
from collections.abc import Sequence

import numpy as np

from mrl_explorer.decide.illustration import Funnel, Illustration, Similarities
from mrl_explorer.decide.rules_of_thumb import CANNOT_TELL, FAILS, HOLDS
from mrl_explorer.report.formats import byte_text, percent_text, times_text
from mrl_explorer.report.rules_of_thumb import VERDICT_ICONS
from mrl_explorer.retrieval.quantization import quantization

_KINDS = {HOLDS: "holds", FAILS: "fails", CANNOT_TELL: "tell"}
_NOT_ASKED = '<p><span class="said tell">– not asked</span></p>'

STYLE = """
<style>
.mrl-nest { display: flex; flex-direction: column; gap: .3rem; max-width: 46rem; }
.mrl-nest div { border: 1px solid rgba(128, 138, 150, .6); border-radius: .35rem;
  background: color-mix(in srgb, var(--st-primary-color, #0B63A5) 18%, transparent);
  padding: .15rem .5rem; font-size: .85rem; white-space: nowrap; min-width: fit-content; }
.mrl-matrix { border-collapse: collapse; font-size: .74rem; font-variant-numeric: tabular-nums; }
.mrl-matrix caption { text-align: left; padding-bottom: .25rem; font-size: .92rem; }
.mrl-matrix th { font-weight: 400; opacity: .8; padding: .1rem .3rem; }
.mrl-matrix td { text-align: center; min-width: 2.1rem; height: 1.7rem; }
.mrl-matrix td.first { border-left: 2px solid rgba(128, 138, 150, .8); }
.mrl-matrix tr.first td, .mrl-matrix tr.first th { border-top: 2px solid rgba(128, 138, 150, .8); }
.mrl-codes { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .88rem; }
.mrl-codes th, .mrl-codes td { padding: .22rem .4rem; font-size: .85rem; text-align: right;
  border-bottom: 1px solid rgba(128, 138, 150, .35); white-space: nowrap; }
.mrl-codes th:first-child, .mrl-codes td:first-child { text-align: left; }
.mrl-scroll { overflow-x: auto; }
.mrl-funnel { display: flex; flex-direction: column; align-items: center; gap: .25rem; }
.mrl-funnel div { border: 1px solid rgba(128, 138, 150, .6); border-radius: .35rem;
  background: color-mix(in srgb, var(--st-primary-color, #0B63A5) 18%, transparent);
  padding: .3rem .6rem; text-align: center; min-width: 15rem; box-sizing: border-box; }
.mrl-funnel small { opacity: .85; }
.mrl-rule { border: 1px solid rgba(128, 138, 150, .55); border-radius: .5rem;
  padding: .55rem .85rem; height: 100%; box-sizing: border-box; }
.mrl-rule h4 { margin: 0; padding: 0 0 .2rem; font-size: 1.05rem; }
.mrl-rule p { margin: 0 0 .3rem; }
.mrl-rule .said { display: inline-block; border: 1px solid currentColor; border-radius: 1rem;
  padding: 0 .55rem; font-weight: 600; font-size: .85rem; white-space: nowrap; }
.mrl-rule .fails { border-style: dashed; }
.mrl-rule .tell { border-style: dotted; }
</style>
"""


def nested_dims(dims: Sequence[int], full_dim: int) -> str:
    """Draw prefixes, each inside the next, that a Matryoshka loss is taken at."""
    bars = "".join(
        f'<div style="width:{100 * dim / full_dim:.0f}%">first {dim:,} dims</div>' for dim in dims
    )
    said = ", ".join(f"{dim:,}" for dim in dims)
    return f'<div class="mrl-nest" role="img" aria-label="Prefixes of {said} dims">{bars}</div>'


def similarity_table(cut: Similarities, picture: Illustration, *, full_dim: int) -> str:
    """Draw the cosines of a few documents as a shaded table, a rule between queries."""
    n, values = len(picture.rows), cut.values
    low, high = float(values.min()), float(values.max())
    starts = [
        place == 0 or picture.queries[place] != picture.queries[place - 1] for place in range(n)
    ]
    head = "".join(f"<th>{place + 1}</th>" for place in range(n))
    lines = []
    for row in range(n):
        cells = "".join(
            f'<td{_class(starts[column])} style="background:{_shade(value, low, high)}">'
            f"{_cosine(float(value))}</td>"
            for column, value in enumerate(values[row])
        )
        lines.append(f"<tr{_class(starts[row])}><th>{row + 1}</th>{cells}</tr>")
    name = "all " if cut.dim == full_dim else ""
    same = (
        "the truth" if cut.dim == full_dim else f"nearest other kept for {cut.same_nearest} of {n}"
    )
    return (
        f'<div class="mrl-scroll"><table class="mrl-matrix"><caption><b>{name}{cut.dim:,} dims</b>'
        f": {same}</caption><tr><th></th>{head}</tr>{''.join(lines)}</table></div>"
    )


def _cosine(value: float) -> str:
    """Write a cosine shortly: -0.0123 -> '−.01'."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−").replace("0.", ".", 1)


def _class(first: bool) -> str:
    return ' class="first"' if first else ""


def _shade(value: float, low: float, high: float) -> str:
    strength = 70 * (value - low) / max(high - low, 1e-9)
    return f"color-mix(in srgb, var(--st-primary-color, #0B63A5) {strength:.0f}%, transparent)"


def code_table(codes: dict[str, np.ndarray], *, full_dim: int) -> str:
    """Write the first components of one vector as each quantization stores them."""
    n = len(next(iter(codes.values())))
    head = "".join(f"<th>{place + 1}</th>" for place in range(n))
    float_bytes = quantization("float32").bytes_per_vector(full_dim)
    lines = []
    for name, code in codes.items():
        entry = quantization(name)
        cells = "".join(f"<td>{_component(value)}</td>" for value in code.tolist())
        n_bytes = entry.bytes_per_vector(full_dim)
        less = "" if n_bytes == float_bytes else f" ({times_text(float_bytes / n_bytes)} less)"
        lines.append(
            f"<tr><td><b>{name}</b></td>{cells}<td>{entry.bits}</td>"
            f"<td>{n_bytes:,} B{less}</td></tr>"
        )
    return (
        f'<div class="mrl-scroll"><table class="mrl-codes"><tr><th>stored as</th>{head}'
        f"<th>bits each</th><th>all {full_dim:,} dims</th></tr>{''.join(lines)}</table></div>"
    )


def _component(value: float | int) -> str:
    return (str(value) if isinstance(value, int) else f"{value:.5f}").replace("-", "−")


def funnel_picture(funnel: Funnel) -> str:
    """Draw what each stage of a funnel is handed, the documents on top."""
    read = funnel.first_bytes + funnel.second_bytes
    stages = [
        (
            100.0,
            f"{funnel.n_docs:,} documents",
            f"searched as {funnel.first}: {funnel.first.bytes_per_vector:,} B each, "
            f"{byte_text(funnel.first_bytes)} read",
        ),
        (
            62.0,
            f"{funnel.candidates:,} candidates",
            f"re-ordered by all dims in float32: {byte_text(funnel.second_bytes)} read",
        ),
        (
            38.0,
            f"{funnel.k} results",
            f"{percent_text(funnel.recall)} of full dimension's "
            f"[{percent_text(funnel.low)} to {percent_text(funnel.high)}]",
        ),
    ]
    bars = "<span>▼</span>".join(
        f'<div style="width:{width:.0f}%"><b>{html.escape(name)}</b><br>'
        f"<small>{html.escape(text)}</small></div>"
        for width, name, text in stages
    )
    return (
        f'<div class="mrl-funnel">{bars}</div><p style="margin:.5rem 0 0">A query reads '
        f"<b>{byte_text(read)}</b> instead of {byte_text(funnel.full_bytes)}.</p>"
    )


def rule_card(saying: str, figures: Sequence[tuple[str, str]], tested: str) -> str:
    """Show a rule of thumb: its verdict by each measure, and how it was tested.

    Parameters
    ----------
    figures : sequence of (str, str)
        Verdict and figure; empty when the rule could not be asked.
    """
    lines = "".join(
        f'<p><span class="said {_KINDS[verdict]}">{VERDICT_ICONS[verdict]} {verdict}</span> '
        f"{html.escape(text)}</p>"
        for verdict, text in figures
    )
    return (
        f'<div class="mrl-rule"><h4>“{html.escape(saying)}”</h4>'
        f"{lines or _NOT_ASKED}<p><small>{html.escape(tested)}</small></p></div>"
    )

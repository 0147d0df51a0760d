"""Where recall is lost, as one bar: dims, bits, graph, and what is left."""

import html

from mrl_explorer.report.formats import share_text
from mrl_explorer.retrieval.hnsw import GraphRecall

# Of each part: its name and a colour that stands out on light and dark; patterns differ as well.
_PARTS = (
    ("kept", "#2B7FC0", ""),
    ("dims", "#D9480F", ""),
    ("bits", "#D9480F", "repeating-linear-gradient(45deg, #0000 0 4px, #0005 4px 8px)"),
    ("graph", "#7A7F87", "repeating-linear-gradient(-45deg, #0000 0 3px, #0005 3px 5px)"),
)


def losses_html(one: GraphRecall, *, config: str, k: int) -> str:
    """Draw recall@k vs full dimension as what is kept and what each step lost."""
    values = {"kept": one.recall, "dims": one.dims, "bits": one.bits, "graph": one.graph}
    names = {
        "kept": f"kept {share_text(one.recall)}",
        "dims": _lost("dims", one.dims),
        "bits": _lost("bits", one.bits),
        "graph": _lost("graph", one.graph),
    }
    bar = "".join(
        f'<span style="width:{100 * max(values[name], 0):.2f}%;background:{_fill(colour, pattern)}"'
        f' title="{names[name]}"></span>'
        for name, colour, pattern in _PARTS
    )
    legend = "".join(
        f'<span><i style="display:inline-block;width:.8em;height:.8em;margin-right:.35em;'
        f'background:{_fill(colour, pattern)}"></i>{names[name]}</span>'
        for name, colour, pattern in _PARTS
    )
    return (
        f"<div><b>recall@{k} vs full dimension</b> of {html.escape(config)} through the graph, "
        "without rescoring</div>"
        f'<div style="display:flex;height:1.1rem;margin:.35rem 0;border-radius:.25rem;'
        f'overflow:hidden">{bar}</div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:0 1.2rem;font-size:.85rem">{legend}</div>'
    )


def _fill(colour: str, pattern: str) -> str:
    return f"{pattern}, {colour}" if pattern else colour


def _lost(name: str, share: float) -> str:
    # A step may also gain: documents within a tie, or errors that cancel.
    return f"{name} −{share_text(share)}" if share >= 0 else f"{name} +{share_text(-share)}"

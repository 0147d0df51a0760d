"""The usual rules of thumb and what they come to on a run, in words."""

from mrl_explorer.decide.rules_of_thumb import (
    CANNOT_TELL,
    FAILS,
    HOLDS,
    Finding,
    Kept,
)
from mrl_explorer.report.formats import share_text

SAYINGS = {
    "512": "512 dims keep 95%",
    "256": "256 is enough for a first pass",
    "int8": "int8 is free",
    "standard": "Never truncate a standard model",
}
"""Each rule as it is said."""

VERDICT_ICONS = {HOLDS: "✓", FAILS: "✕", CANNOT_TELL: "?"}

_NAMED = {"512": 512, "256": 256}


def how_tested(finding: Finding, *, n_docs: int, full_dim: int, known: bool) -> str:
    """Say how a rule was tested, and from where on it holds.

    Parameters
    ----------
    finding : Finding
        Of the rule.
    n_docs, full_dim : int
        Of the run.
    known : bool
        Whether it is known how the model was trained.
    """
    if finding.why_not == "trained":
        return "It cannot be asked here: this model is said to be trained to be cut."
    if finding.config is None:
        return "It cannot be asked here: this run lacks what it would be tested on."
    least = share_text(finding.limit)
    limit = f"Holds when at least {least} of full dimension's is kept."
    dim = finding.config.dim
    if finding.rule == "int8":
        return f"All {full_dim:,} dims, a byte each. {limit}"
    if finding.rule == "standard":
        kind = "" if known else " Whether this model is a standard one is not known."
        return (
            f"{dim:,} of its {full_dim:,} dims, in float32. Holds when less than {least} of full "
            f"dimension's is kept: then the cut does harm.{kind}"
        )
    asked = _asked_text(finding, dim, full_dim)
    if finding.rule == "256":
        return (
            f"{asked}They hand on {finding.cutoff.candidates:,} of {n_docs:,} documents, which "
            f"full dimension re-orders. {limit}"
        )
    return f"{asked}In float32. {limit}"


def _asked_text(finding: Finding, dim: int, full_dim: int) -> str:
    named = _NAMED[finding.rule]
    if finding.instead == "too few dims":
        return (
            f"It cannot be asked as it stands: this model has {full_dim:,} dims. {dim:,} of them "
            "are tested instead. "
        )
    if finding.instead:
        return f"This run has no {named} dims: {dim:,}, the nearest, are tested. "
    return f"{dim:,} of {full_dim:,} dims. "


def kept_text(kept: Kept, k: int) -> str:
    """Give the figure of one measure with its interval."""
    ends = f"{share_text(kept.low)} to {share_text(kept.high)}"
    name = f"{kept.measure}@{k}"
    of = "" if kept.measure == "recall" else " of full dimension's"
    kind = "queries" if kept.measure == "recall" else "judged queries"
    return f"{name} keeps {share_text(kept.share)}{of} [{ends}], {kept.n_queries:,} {kind}"

"""Policies of dims by query as rows of tables."""

import numpy as np

from mrl_explorer.decide.allocation import Allocation, Point, Policy
from mrl_explorer.report.formats import share_text
from mrl_explorer.retrieval.evaluation import Queries

_EXAMPLES = 40


def policy_rows(allocation: Allocation, *, full_bytes: float) -> list[dict[str, object]]:
    """Give a row for every policy where it was tuned to, and for its references.

    Parameters
    ----------
    full_bytes : float
        Bytes of a full-dimension float32 vector.
    """
    ladder = allocation.ladder

    def row(name: str, point: Point, ends: tuple[float, float] | None) -> dict[str, object]:
        figures: dict[str, object] = {
            "policy": name,
            "work, % of full": 100 * point.work / full_bytes,
            "sent deeper, %": 100 * point.share,
            "recall (95%)": share_text(point.recall)
            + ("" if ends is None else f" ({share_text(ends[0])} to {share_text(ends[1])})"),
        }
        return figures if point.ndcg is None else {**figures, "nDCG": point.ndcg}

    rows = [
        row(policy.name, policy.tuned, (policy.low, policy.high)) for policy in allocation.policies
    ]
    if allocation.fixed_tuned is not None:
        dim = ladder.configs[allocation.fixed_tuned].dim
        rows.append(row(f"{dim} dims for all", allocation.fixed[allocation.fixed_tuned], None))
    else:
        dim = ladder.configs[-1].dim
        rows.append(row(f"{dim} dims for all (most)", allocation.fixed[-1], None))
    enough = [point for point in allocation.oracle if point.recall >= allocation.target - 1e-9]
    if enough:
        rows.append(row("oracle", enough[0], None))
    return rows


def verdict_text(allocation: Allocation, *, full_bytes: float) -> str:
    """Say whether any policy beats one dim for all, in one sentence.

    Both were tuned for the same recall on the same half; only what holds on the other half counts.
    """
    if allocation.fixed_tuned is None:
        return (
            f"No dim keeps {share_text(allocation.target)} on the tuning half: ask for less, or "
            "use a longer code."
        )
    fixed = allocation.fixed[allocation.fixed_tuned]
    dim = allocation.ladder.configs[allocation.fixed_tuned].dim
    named = f"{dim} dims for all ({100 * fixed.work / full_bytes:.3g}% of full dimension's bytes)"
    kept = min(allocation.target, fixed.recall)
    better = [
        policy
        for policy in allocation.policies
        if policy.tuned.work < fixed.work and policy.tuned.recall >= kept - 1e-9
    ]
    if not better:
        return (
            f"No policy reads less than {named} and keeps as much on the queries held out: here "
            "one dim for all does."
        )
    best = min(better, key=lambda policy: policy.tuned.work)
    return (
        f"{best.name.capitalize()}, queries read {100 * best.tuned.work / full_bytes:.3g}% on "
        f"average and keep {share_text(best.tuned.recall)} on the queries held out, against "
        f"{named}, which keep {share_text(fixed.recall)}."
    )


def example_rows(
    allocation: Allocation, policy: Policy, queries: Queries
) -> list[dict[str, object]]:
    """List queries held out: first what was wrongly kept back, then what was sent deeper to gain.

    Each with what it keeps at the cheap dim and at the deeper one, and what the policy did.
    """
    ladder = allocation.ladder
    cheap = ladder.recall[allocation.cheap, ladder.held_out]
    deep = ladder.recall[allocation.deep, ladder.held_out]
    kept_back = policy.levels <= allocation.cheap
    gain = deep - cheap
    order = np.lexsort((-gain, ~kept_back | (gain <= 0)))
    rows = []
    for place in order[:_EXAMPLES]:
        query = int(ladder.held_out[place])
        if kept_back[place]:
            verdict = "kept cheap, and lost" if gain[place] > 0 else "kept cheap, nothing lost"
        else:
            verdict = "sent deeper, and gained" if gain[place] > 0 else "sent deeper for nothing"
        rows.append(
            {
                "query": queries.texts[query] or queries.ids[query],
                "what happened": verdict,
                "dims": ladder.configs[policy.levels[place]].dim,
                "recall cheap": float(cheap[place]),
                "recall deep": float(deep[place]),
            }
        )
    return rows

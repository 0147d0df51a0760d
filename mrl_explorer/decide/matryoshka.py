"""Whether the first dims of a model carry more than others, measured on the reader's data."""

from dataclasses import dataclass, replace

import numpy as np

from mrl_explorer.decide.pairs import MARGIN, Pair, compare
from mrl_explorer.retrieval.orders import Orders

CARRIES_MORE = "the prefix carries more"
NO_ADVANTAGE = "no advantage measured"
CANNOT_TELL = "cannot tell with these queries"


@dataclass(frozen=True, slots=True)
class Spread:
    """Means over the queries of several orders of the dims, by one measure.

    Attributes
    ----------
    prefix, suffix, pca : float
        Of the first dims, of the last, and of the principal axes of the documents searched.
    random, random_low, random_high : float
        Mean, least and most over the random subsets.
    """

    prefix: float
    suffix: float
    pca: float
    random: float
    random_low: float
    random_high: float


@dataclass(frozen=True, slots=True)
class OrderRow:
    """The figures at one dim: means over the queries.

    Attributes
    ----------
    dim : int
        Dims kept.
    recall : Spread
        Recall@k against full dimension.
    ndcg : Spread or None
        nDCG@k; None without judgements.
    advantage : Pair
        Recall of the prefix minus the mean of the random subsets.
    pca_held_out, prefix_there : float or None
        Recall of PCA fitted on the other half of the documents, and of the prefix on the same
        half; None when there are too few documents.
    pca_gain : Pair or None
        The first of these minus the second.
    energy : float
        Share of the squared length in the first dims.
    """

    dim: int
    recall: Spread
    ndcg: Spread | None
    advantage: Pair
    pca_held_out: float | None
    prefix_there: float | None
    pca_gain: Pair | None
    energy: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the measurement says.

    Attributes
    ----------
    verdict : str
        `CARRIES_MORE`, `NO_ADVANTAGE` or `CANNOT_TELL`.
    advantage : Pair
        Recall of the prefix minus that of the random subsets, averaged over the dims.
    chance : float
        The most by which one of the random subsets exceeds their mean.
    ndcg_advantage : Pair or None
        The same as `advantage` in nDCG@k; None without judgements.
    full_ndcg : float or None
        nDCG@k at full dimension; None without judgements.
    rows : tuple of OrderRow
        One a dim, ascending.
    """

    verdict: str
    advantage: Pair
    chance: float
    ndcg_advantage: Pair | None
    full_ndcg: float | None
    rows: tuple[OrderRow, ...]


def diagnose(orders: Orders) -> Diagnosis:
    """Decide whether the prefix carries more than random subsets of as many dims.

    The prefix of a model that was never trained for it is one subset among many, a little better
    or worse than their mean; with enough queries that little is certain, and still means nothing.
    So the prefix carries more only when its advantage over the mean is beyond chance in both ways:
    the paired interval over queries lies above 0, and no random subset does as well. There is no
    advantage when the whole interval lies within what the best random subset reaches, or within
    0.01. Every dim counts alike: one figure for the model, so nothing is picked.
    """
    prefix = orders.recall["prefix"].mean(axis=0)
    random = orders.random_recall.mean(axis=(0, 1))
    subsets = orders.random_recall.mean(axis=(1, 2))
    chance = float(subsets.max() - subsets.mean())
    advantage = compare(prefix, random)
    if advantage.low > 0 and advantage.difference > chance:
        verdict = CARRIES_MORE
    elif advantage.high <= max(chance, MARGIN):
        verdict = NO_ADVANTAGE
    else:
        verdict = CANNOT_TELL
    judged = orders.full_ndcg.size > 0
    return Diagnosis(
        verdict,
        advantage,
        chance,
        compare(orders.ndcg["prefix"].mean(axis=0), orders.random_ndcg.mean(axis=(0, 1)))
        if judged
        else None,
        float(orders.full_ndcg.mean()) if judged else None,
        tuple(_row(orders, place, judged=judged) for place in range(len(orders.dims))),
    )


def _row(orders: Orders, place: int, *, judged: bool) -> OrderRow:
    row = OrderRow(
        dim=orders.dims[place],
        recall=_spread(orders.recall, orders.random_recall, place),
        ndcg=_spread(orders.ndcg, orders.random_ndcg, place) if judged else None,
        advantage=compare(
            orders.recall["prefix"][place], orders.random_recall[:, place].mean(axis=0)
        ),
        pca_held_out=None,
        prefix_there=None,
        pca_gain=None,
        energy=float(orders.energy[: orders.dims[place]].sum()),
    )
    if not orders.held_out:
        return row
    pca, prefix = (orders.held_out[name][place] for name in ("pca", "prefix"))
    return replace(
        row,
        pca_held_out=float(pca.mean()),
        prefix_there=float(prefix.mean()),
        pca_gain=compare(pca, prefix),
    )


def _spread(named: dict[str, np.ndarray], random: np.ndarray, place: int) -> Spread:
    subsets = random[:, place].mean(axis=1)
    prefix, suffix, pca = (float(named[name][place].mean()) for name in ("prefix", "suffix", "pca"))
    return Spread(
        prefix,
        suffix,
        pca,
        float(subsets.mean()),
        float(subsets.min()),
        float(subsets.max()),
    )

"""Whether the first dims of a model carry more than others, measured on the reader's data."""

from dataclasses import dataclass

from mrl_explorer.decide.pairs import MARGIN, Pair, compare
from mrl_explorer.retrieval.orders import Orders

CARRIES_MORE = "the prefix carries more"
NO_ADVANTAGE = "no advantage measured"
CANNOT_TELL = "cannot tell with these queries"


@dataclass(frozen=True, slots=True)
class OrderRow:
    """The figures at one dim: means over the queries.

    Attributes
    ----------
    dim : int
        Dims kept.
    prefix, suffix, pca : float
        Recall@k; of `pca` as fitted on the documents that are searched.
    random, random_low, random_high : float
        Mean, least and most over the random subsets.
    advantage : Pair
        Prefix minus the mean of the random subsets.
    pca_held_out, prefix_there : float or None
        PCA fitted on the other half of the documents, and the prefix on the same half; None when
        there are too few documents.
    ndcg, random_ndcg, pca_ndcg : float or None
        nDCG@k of the prefix, of the random subsets on average and of PCA; None without judgements.
    energy : float
        Share of the squared length in the first dims.
    """

    dim: int
    prefix: float
    suffix: float
    pca: float
    random: float
    random_low: float
    random_high: float
    advantage: Pair
    pca_held_out: float | None
    prefix_there: float | None
    ndcg: float | None
    random_ndcg: float | None
    pca_ndcg: float | None
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
    rows : tuple of OrderRow
        One a dim, ascending.
    """

    verdict: str
    advantage: Pair
    chance: float
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
    rows = tuple(_row(orders, place) for place in range(len(orders.dims)))
    return Diagnosis(verdict, advantage, chance, rows)


def _row(orders: Orders, place: int) -> OrderRow:
    prefix = orders.recall["prefix"][place]
    subsets = orders.random_recall[:, place].mean(axis=1)
    judged = len(orders.full_ndcg) > 0
    held_out = orders.held_out
    return OrderRow(
        dim=orders.dims[place],
        prefix=float(prefix.mean()),
        suffix=float(orders.recall["suffix"][place].mean()),
        pca=float(orders.recall["pca"][place].mean()),
        random=float(subsets.mean()),
        random_low=float(subsets.min()),
        random_high=float(subsets.max()),
        advantage=compare(prefix, orders.random_recall[:, place].mean(axis=0)),
        pca_held_out=float(held_out["pca"][place].mean()) if held_out else None,
        prefix_there=float(held_out["prefix"][place].mean()) if held_out else None,
        ndcg=float(orders.ndcg["prefix"][place].mean()) if judged else None,
        random_ndcg=float(orders.random_ndcg[:, place].mean()) if judged else None,
        pca_ndcg=float(orders.ndcg["pca"][place].mean()) if judged else None,
        energy=float(orders.energy[: orders.dims[place]].sum()),
    )

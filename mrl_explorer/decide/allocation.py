"""Dimensions by query: who needs more than the cheap search, told by value, margin or a predictor.

Every policy is tuned on one half of the queries and reported on the other. Work is what a flat
search reads: bytes of one stored vector, times the vectors there are. Storage is another matter:
the largest dimension that any query may use has to be stored for every document.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from mrl_explorer.decide.intervals import intervals
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation
from mrl_explorer.retrieval.metrics import Cutoff, recall, relevance

MIN_QUERIES = 20
"""Queries below which half of them says nothing about the other half."""

_SEED = 0
_N_TREES = 60
_FOLDS = 5
_SHARES = np.linspace(0, 1, 21)


@dataclass(frozen=True, eq=False)
class Ladder:
    """One quantization and basis at each dim of a run, and what each query keeps there.

    Attributes
    ----------
    configs : tuple of Config
        By ascending dim.
    work : np.ndarray
        (n_levels,) bytes of one stored vector, read for every vector.
    recall : np.ndarray
        (n_levels, n_queries) recall@k vs full dimension.
    ndcg : np.ndarray or None
        (n_levels, n_queries) nDCG@k, NaN where a query has no judgement.
    tuning, held_out : np.ndarray
        Rows of the queries that policies are tuned on, and reported on.
    """

    configs: tuple[Config, ...]
    work: np.ndarray
    recall: np.ndarray
    ndcg: np.ndarray | None
    tuning: np.ndarray
    held_out: np.ndarray


@dataclass(frozen=True, slots=True)
class Point:
    """One setting of a policy, on the queries held out.

    Attributes
    ----------
    work : float
        Mean bytes read a stored vector and query.
    recall : float
        Mean recall@k.
    ndcg : float or None
        Mean nDCG@k over the judged queries.
    share : float
        Share of the queries that end at more dims than the cheap search has.
    """

    work: float
    recall: float
    ndcg: float | None
    share: float


@dataclass(frozen=True, eq=False)
class Policy:
    """What a policy does on the queries held out.

    Attributes
    ----------
    name : str
        As shown.
    rule : str
        What it does, in one sentence.
    curve : tuple of Point
        From nobody deeper to everybody.
    tuned : Point
        Where the tuning half put it.
    low, high : float
        95% interval of the tuned point's recall.
    reached : bool
        Whether the target was reached on the tuning half at all.
    levels : np.ndarray
        (n_held_out,) level of the ladder that each query held out ends at.
    """

    name: str
    rule: str
    curve: tuple[Point, ...]
    tuned: Point
    low: float
    high: float
    reached: bool
    levels: np.ndarray


@dataclass(frozen=True, eq=False)
class Allocation:
    """All policies beside their two references.

    Attributes
    ----------
    ladder : Ladder
        What they choose from.
    cheap, deep : int
        Levels between which margin and predictor decide.
    target : float
        Mean recall that was tuned for.
    fixed : tuple of Point
        Every level for all queries alike.
    fixed_tuned : int or None
        The cheapest level that reaches the target on the tuning half.
    oracle : tuple of Point
        The best for the work by one who knows each query's recall at every level beforehand.
    policies : tuple of Policy
        What can be run.
    left_out : tuple of str
        Why a policy is not among them, in whole sentences.
    """

    ladder: Ladder
    cheap: int
    deep: int
    target: float
    fixed: tuple[Point, ...]
    fixed_tuned: int | None
    oracle: tuple[Point, ...]
    policies: tuple[Policy, ...]
    left_out: tuple[str, ...]


def make_ladder(evaluation: Evaluation, *, quantization: str, basis: str, cutoff: Cutoff) -> Ladder:
    """Collect one quantization and basis at each dim of a run.

    Raises
    ------
    InputError
        If there are fewer than two dims or than 20 queries, or the lists end at k.
    """
    rankings = evaluation.rankings
    configs = tuple(
        sorted(c for c in rankings.configs if (c.quantization, c.basis) == (quantization, basis))
    )
    if len(configs) < 2:
        raise InputError(
            f"This run has {quantization} in the basis {basis} at {len(configs)} dims, and a "
            "choice needs two: evaluate again with more dims."
        )
    if rankings.n_queries < MIN_QUERIES:
        raise InputError(
            f"{rankings.n_queries} queries are too few to tune on one half and report on the "
            f"other: bring {MIN_QUERIES} or more."
        )
    if cutoff.k >= rankings.depth:
        raise InputError(
            f"The margin between places {cutoff.k} and {cutoff.k + 1} needs lists of more than "
            f"{rankings.depth} places: choose a smaller k, or rank deeper."
        )
    places = [rankings.place(config) for config in configs]
    ndcg = None
    if evaluation.judgements is not None:
        judged = relevance(rankings, evaluation.judgements, cutoff)
        if len(judged.query_rows):
            ndcg = np.full((len(configs), rankings.n_queries), np.nan)
            ndcg[:, judged.query_rows] = judged.ndcg[places]
    order = np.random.default_rng(_SEED).permutation(rankings.n_queries)
    half = rankings.n_queries // 2
    return Ladder(
        configs,
        np.array([config.bytes_per_vector for config in configs], float),
        recall(rankings, cutoff)[places],
        ndcg,
        tuning=np.sort(order[:half]),
        held_out=np.sort(order[half:]),
    )


def allocate(
    evaluation: Evaluation,
    ladder: Ladder,
    *,
    cutoff: Cutoff,
    cheap: int,
    deep: int,
    target: float,
    valued: Collection[str] = (),
) -> Allocation:
    """Tune every policy on one half of the queries and report it on the other.

    Parameters
    ----------
    cutoff : Cutoff
        As for the ladder.
    cheap, deep : int
        Levels of the ladder: where every query starts, and where some go on to.
    target : float
        Mean recall@k to reach, in (0, 1].
    valued : collection of str
        Segments whose queries get the deepest level whatever they would need.

    Raises
    ------
    InputError
        If the levels are in the wrong order or the target is no share.
    """
    if not 0 <= cheap < deep < len(ladder.configs):
        raise InputError("The deeper dimension has to be larger than the first one.")
    if not 0 < target <= 1:
        raise InputError(f"A recall of {target:g} is no share: choose above 0 and up to 1.")
    features = cheap_features(evaluation, ladder.configs[cheap], k=cutoff.k)
    gain = ladder.recall[deep] - ladder.recall[cheap]
    tuning, held_out = ladder.tuning, ladder.held_out
    margin = -features[:, 0]
    policies = [
        _two_levels(
            "by margin",
            f"Goes deeper where places {cutoff.k} and {cutoff.k + 1} of the cheap search are "
            "close.",
            ladder,
            (cheap, deep),
            (margin[tuning], margin[held_out]),
            target,
        ),
        _two_levels(
            "by predictor",
            "Goes deeper where a random forest expects the deeper search to find more, from the "
            "cheap search's scores and the query's length.",
            ladder,
            (cheap, deep),
            _predicted(features, gain, tuning, held_out),
            target,
        ),
    ]
    left_out = []
    segments = evaluation.queries.segments
    if segments is None:
        left_out.append("No policy by segment: the queries have none.")
    elif len(set(segments)) < 2:
        left_out.append("No policy by segment: all queries are in one.")
    else:
        policies.append(_by_segment(ladder, np.array(segments), cheap, target, valued))
    return Allocation(
        ladder,
        cheap,
        deep,
        target,
        fixed=tuple(_fixed(ladder, level, cheap) for level in range(len(ladder.configs))),
        fixed_tuned=_first(ladder.recall[:, tuning].mean(axis=1) >= target - 1e-9),
        oracle=_oracle(ladder, cheap),
        policies=tuple(policies),
        left_out=tuple(left_out),
    )


def cheap_features(evaluation: Evaluation, config: Config, *, k: int) -> np.ndarray:
    """Describe each query by what its cheap search already knows.

    Returns
    -------
    np.ndarray
        (n_queries, 8): the gap between places k and k + 1, that between 1 and 2, between 1 and k,
        and between k and 2k (or the last); the first and the k-th score; their spread over the
        list; the query's length in characters.
    """
    rankings = evaluation.rankings
    scores = rankings.scores[rankings.place(config)].astype(float)
    # A list that ends early has no gap behind its last document: as if the next one were far off.
    worst = np.where(np.isfinite(scores), scores, np.inf).min(axis=1, keepdims=True)
    scores = np.where(np.isfinite(scores), scores, worst - 1)
    far = min(2 * k, scores.shape[1]) - 1
    second = min(1, scores.shape[1] - 1)
    return np.column_stack(
        [
            scores[:, k - 1] - scores[:, k],
            scores[:, 0] - scores[:, second],
            scores[:, 0] - scores[:, k - 1],
            scores[:, k - 1] - scores[:, far],
            scores[:, 0],
            scores[:, k - 1],
            scores.std(axis=1),
            [len(text) for text in evaluation.queries.texts],
        ]
    )


def _predicted(
    features: np.ndarray, gain: np.ndarray, tuning: np.ndarray, held_out: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Predict what going deeper brings: out of fold on the tuning half, and on the other."""
    from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415 - slow to import
    from sklearn.model_selection import KFold, cross_val_predict  # noqa: PLC0415

    forest = RandomForestRegressor(_N_TREES, min_samples_leaf=3, random_state=_SEED)
    folds = KFold(_FOLDS, shuffle=True, random_state=_SEED)
    # A threshold set on predictions for queries that the forest has seen would be too bold.
    unseen = cross_val_predict(forest, features[tuning], gain[tuning], cv=folds)
    return unseen, forest.fit(features[tuning], gain[tuning]).predict(features[held_out])


def _two_levels(
    name: str,
    rule: str,
    ladder: Ladder,
    pair: tuple[int, int],
    priorities: tuple[np.ndarray, np.ndarray],
    target: float,
) -> Policy:
    """Send the queries of highest priority deeper, after the cheap search that tells it."""
    cheap, deep = pair
    tuned_on, reported = priorities
    ordered = np.sort(tuned_on)[::-1]

    def levels(share: float) -> np.ndarray:
        """Set the bar so that this share of the tuning half goes deeper, and apply it."""
        count = round(share * len(ordered))
        if count == 0:
            return np.full(len(reported), cheap)
        # All of them means everybody, whatever the priorities of the others.
        bar = -np.inf if count == len(ordered) else ordered[count - 1]
        return np.where(reported >= bar, deep, cheap)

    order = np.argsort(-tuned_on, kind="stable")
    own = ladder.recall[:, ladder.tuning]
    gains = np.concatenate([[0], np.cumsum((own[deep] - own[cheap])[order])])
    means = own[cheap].mean() + gains / len(order)
    count = _first(means >= target - 1e-9)
    share = 1.0 if count is None else count / len(order)
    extra = ladder.work[cheap]
    return _policy(
        name,
        rule,
        ladder,
        [levels(one) for one in _SHARES],
        levels(share),
        cheap=cheap,
        reached=count is not None,
        # Both searches are run for a query that goes deeper.
        work_of=lambda chosen: ladder.work[chosen] + np.where(chosen == deep, extra, 0.0),
    )


def _by_segment(
    ladder: Ladder, segments: np.ndarray, cheap: int, target: float, valued: Collection[str]
) -> Policy:
    """Give every segment its own level: the least work for the recall on the tuning half."""
    names = sorted(set(segments))
    last = len(ladder.configs) - 1
    rows = {name: ladder.tuning[segments[ladder.tuning] == name] for name in names}
    means = {name: ladder.recall[:, rows[name]].mean(axis=1) for name in names if len(rows[name])}
    choices: dict[tuple[int, ...], None] = {}
    for price in _prices(ladder):
        # A segment that the tuning half lacks is not known to bear less than everything.
        choices[
            tuple(
                last
                if name in valued or name not in means
                else _best(means[name], ladder.work, price)
                for name in names
            )
        ] = None

    def levels(choice: tuple[int, ...], queries: np.ndarray) -> np.ndarray:
        level_of = dict(zip(names, choice, strict=True))
        return np.array([level_of[name] for name in segments[queries]])

    def tuning_recall(choice: tuple[int, ...]) -> float:
        chosen = levels(choice, ladder.tuning)
        return float(ladder.recall[chosen, ladder.tuning].mean())

    ordered = sorted(choices, key=lambda choice: ladder.work[levels(choice, ladder.tuning)].mean())
    reaching = [choice for choice in ordered if tuning_recall(choice) >= target - 1e-9]
    tuned = reaching[0] if reaching else (last,) * len(names)
    given = ", ".join(
        f"{name or '(none)'} {ladder.configs[level].dim}"
        for name, level in zip(names, tuned, strict=True)
    )
    return _policy(
        "by segment",
        f"Gives each segment its own dims: {given}.",
        ladder,
        [levels(choice, ladder.held_out) for choice in ordered],
        levels(tuned, ladder.held_out),
        cheap=cheap,
        reached=bool(reaching),
        work_of=lambda chosen: ladder.work[chosen],
    )


def _policy(
    name: str,
    rule: str,
    ladder: Ladder,
    settings: Sequence[np.ndarray],
    tuned: np.ndarray,
    *,
    cheap: int,
    reached: bool,
    work_of: Callable[[np.ndarray], np.ndarray],
) -> Policy:
    """Report settings, each (n_held_out,) levels, on the queries held out."""
    values = ladder.recall[tuned, ladder.held_out][None]
    low, high = intervals(values)
    return Policy(
        name,
        rule,
        tuple(_point(ladder, chosen, work_of(chosen), cheap) for chosen in settings),
        _point(ladder, tuned, work_of(tuned), cheap),
        float(low[0]),
        float(high[0]),
        reached,
        tuned,
    )


def _point(ladder: Ladder, levels: np.ndarray, work: np.ndarray, cheap: int) -> Point:
    ndcg = None
    if ladder.ndcg is not None:
        values = ladder.ndcg[levels, ladder.held_out]
        ndcg = None if np.isnan(values).all() else float(np.nanmean(values))
    return Point(
        float(work.mean()),
        float(ladder.recall[levels, ladder.held_out].mean()),
        ndcg,
        float((levels > cheap).mean()),
    )


def _fixed(ladder: Ladder, level: int, cheap: int) -> Point:
    levels = np.full(len(ladder.held_out), level)
    return _point(ladder, levels, ladder.work[levels], cheap)


def _oracle(ladder: Ladder, cheap: int) -> tuple[Point, ...]:
    """For each price of work, give every query what is best for it: no policy can do better."""
    points: dict[bytes, Point] = {}
    own = ladder.recall[:, ladder.held_out]
    for price in _prices(ladder):
        levels = np.array(
            [_best(own[:, query], ladder.work, price) for query in range(own.shape[1])]
        )
        points[levels.tobytes()] = _point(ladder, levels, ladder.work[levels], cheap)
    return tuple(sorted(points.values(), key=lambda point: point.work))


def _prices(ladder: Ladder) -> np.ndarray:
    """List prices of a byte in recall, from nothing to more than all of it is worth."""
    return np.concatenate([np.geomspace(2 / np.diff(ladder.work).min(), 1e-7, 120), [0]])


def _best(values: np.ndarray, work: np.ndarray, price: float) -> int:
    """Give the level of most recall less the price of its work; of equals the cheapest."""
    worth = values - price * work
    return int(np.flatnonzero(worth >= worth.max() - 1e-12)[0])


def _first(reached: np.ndarray) -> int | None:
    return int(reached.argmax()) if reached.any() else None

"""Two evaluations side by side: what they share, and where that lets one be called better."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mrl_explorer.data import Judgements
from mrl_explorer.decide.intervals import intervals
from mrl_explorer.decide.pairs import Pair, compare
from mrl_explorer.decide.summary import Summary
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation, Listed
from mrl_explorer.retrieval.metrics import Cutoff, check_cutoff
from mrl_explorer.retrieval.rankings import Rankings


@dataclass(frozen=True, eq=False)
class Match:
    """What two evaluations share.

    Attributes
    ----------
    queries : np.ndarray
        (n_queries of the first,) int64: row of the same query in the second; -1 where it has none.
    judged_alike : np.ndarray
        (n_queries of the first,) bool: both have the query, and the same judgements of it.
    same_documents : bool
        Whether both search the same documents, as far as the lists show.
    """

    queries: np.ndarray
    judged_alike: np.ndarray
    same_documents: bool

    @property
    def judged_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the queries that both judge alike, in the first and in the second."""
        rows = np.flatnonzero(self.judged_alike)
        return rows, self.queries[rows]

    @property
    def n_shared(self) -> int:
        """Queries that both have."""
        return int((self.queries >= 0).sum())


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a curve: a mean at a dim, and the ends of its 95% interval."""

    dim: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Differences:
    """The first evaluation minus the second, query by query.

    Attributes
    ----------
    ndcg : Pair or None
        Of nDCG@k over the queries that both judge alike; None when there are none.
    recall : Pair or None
        Of recall@k over the queries that both have, each against its own full dimension; None
        when there are none.
    """

    ndcg: Pair | None
    recall: Pair | None


def match(first: Evaluation, second: Evaluation) -> Match:
    """Find the queries, documents and judgements that two evaluations share."""
    one, two = first.queries, second.queries
    queries = _same_records(one.ids, one.texts, two.ids, two.texts)
    wordings = [_wordings(evaluation.listed) for evaluation in (first, second)]
    documents = _same_records(first.listed.ids, wordings[0], second.listed.ids, wordings[1])
    twins = {
        int(row): int(second.listed.rows[place])
        for row, place in zip(first.listed.rows, documents, strict=True)
        if place >= 0
    }
    alike = np.zeros(len(queries), dtype=bool)
    if first.judgements is not None and second.judgements is not None:
        alike = _judged_alike(first.judgements, second.judgements, queries, twins)
    same = (
        first.rankings.n_docs == second.rankings.n_docs
        and bool(twins)
        and not _contradict(first.listed.ids, wordings[0], second.listed.ids, wordings[1])
    )
    return Match(queries, alike, same)


def agree(text: str, other: str) -> bool:
    """Tell whether two texts of the same id can be the same record's: one of them may be absent."""
    return not text or not other or text == other


def _wordings(listed: Listed) -> tuple[str, ...]:
    return tuple(text or title for text, title in zip(listed.texts, listed.titles, strict=True))


def _same_records(
    ids: Sequence[str], texts: Sequence[str], other_ids: Sequence[str], other_texts: Sequence[str]
) -> np.ndarray:
    """Pair records by id, unless their texts differ, else by text; none is taken twice.

    Numbers serve as ids in many files, so an id alone does not make two texts the same.
    """
    places = {identity: place for place, identity in enumerate(other_ids)}
    found = np.full(len(ids), -1, dtype=np.int64)
    for row, (identity, text) in enumerate(zip(ids, texts, strict=True)):
        place = places.get(identity, -1)
        if place >= 0 and agree(text, other_texts[place]):
            found[row] = place
    taken = set(found[found >= 0].tolist())
    left: dict[str, list[int]] = {}
    for place in reversed(range(len(other_texts))):
        if place not in taken and other_texts[place]:
            left.setdefault(other_texts[place], []).append(place)
    for row in np.flatnonzero(found < 0).tolist():
        if waiting := left.get(texts[row]):
            found[row] = waiting.pop()
    return found


def _contradict(
    ids: Sequence[str], texts: Sequence[str], other_ids: Sequence[str], other_texts: Sequence[str]
) -> bool:
    by_id = dict(zip(other_ids, other_texts, strict=True))
    return not all(
        agree(text, by_id.get(identity, "")) for identity, text in zip(ids, texts, strict=True)
    )


def _judged_alike(
    first: Judgements, second: Judgements, queries: np.ndarray, twins: dict[int, int]
) -> np.ndarray:
    """Tell which queries have the same gains: of each document in both, and altogether.

    Documents that are in no list have no id to know them by, so of these only the gains count.
    """
    one, two = _gains(first), _gains(second)
    back = {twin: row for row, twin in twins.items()}
    alike = np.zeros(len(queries), dtype=bool)
    for query in np.flatnonzero(queries >= 0):
        here, there = one.get(int(query), {}), two.get(int(queries[query]), {})
        alike[query] = (
            bool(here)
            and sorted(here.values()) == sorted(there.values())
            and all(there.get(twins[row]) == gain for row, gain in here.items() if row in twins)
            and all(here.get(back[row]) == gain for row, gain in there.items() if row in back)
        )
    return alike


def _gains(judgements: Judgements) -> dict[int, dict[int, float]]:
    """Give the gains above 0, by query row and document row."""
    gains: dict[int, dict[int, float]] = {}
    rows = zip(
        judgements.query_rows.tolist(),
        judgements.document_rows.tolist(),
        judgements.gains.tolist(),
        strict=True,
    )
    for query, document, gain in rows:
        if gain > 0:
            gains.setdefault(query, {})[document] = gain
    return gains


def nearest_cutoff(rankings: Rankings, cutoff: Cutoff) -> Cutoff:
    """Give the cut-off of other lists, with as much of its oversampling as these lists hold.

    Raises
    ------
    InputError
        If they do not even hold k.
    """
    if rankings.depth < min(cutoff.candidates, rankings.n_docs):
        cutoff = replace(cutoff, oversample=max(1, rankings.depth // cutoff.k))
    check_cutoff(rankings, cutoff)
    return cutoff


def differences(
    first: Summary, config: Config, second: Summary, other: Config, shared: Match
) -> Differences:
    """Compare two evaluations, each at a configuration of its own, on what they share.

    Parameters
    ----------
    first, second : Summary
        Their figures.
    config, other : Config
        The configuration of the first and of the second.
    shared : Match
        Of the two evaluations.
    """
    place = first.evaluation.rankings.place(config)
    other_place = second.evaluation.rankings.place(other)
    rows = np.flatnonzero(shared.queries >= 0)
    recall = None
    if len(rows):
        recall = compare(
            first.recall[place, rows], second.recall[other_place, shared.queries[rows]]
        )
    rows, other_rows = shared.judged_rows
    ndcg = None
    if len(rows):
        ndcg = compare(_ndcg(first, [place], rows)[0], _ndcg(second, [other_place], other_rows)[0])
    return Differences(ndcg, recall)


def _ndcg(summary: Summary, places: Sequence[int], query_rows: np.ndarray) -> np.ndarray:
    """Give nDCG@k of configurations on judged queries: (n_places, n_rows)."""
    judged = summary.relevance
    if judged is None:
        raise ValueError("there are no judgements")
    columns = np.searchsorted(judged.query_rows, query_rows)
    return judged.ndcg[np.ix_(np.asarray(places), columns)]


def recall_points(summary: Summary, config: Config) -> tuple[Point, ...]:
    """Give recall@k by dim, in the quantization and basis of a configuration."""
    rows = map(summary.row, _same_kind(summary, config))
    return tuple(Point(row.dim, row.recall, row.recall_low, row.recall_high) for row in rows)


def ndcg_points(summary: Summary, config: Config, query_rows: np.ndarray) -> tuple[Point, ...]:
    """Give nDCG@k by dim, in the quantization and basis of a configuration.

    Parameters
    ----------
    query_rows : np.ndarray
        (n,) judged queries to average over, at least one.
    """
    configs = _same_kind(summary, config)
    places = [summary.evaluation.rankings.place(one) for one in configs]
    values = _ndcg(summary, places, query_rows)
    low, high = intervals(values)
    columns = zip(configs, values.mean(axis=1), low, high, strict=True)
    return tuple(Point(one.dim, *map(float, figures)) for one, *figures in columns)


def _same_kind(summary: Summary, config: Config) -> list[Config]:
    """List the configurations of one quantization and basis, by dim."""
    kind = config.quantization, config.basis
    configs = summary.evaluation.rankings.configs
    return sorted(one for one in configs if (one.quantization, one.basis) == kind)

"""One query's results side by side: full dimension, the chosen configuration and a pinned one.

Or those of two evaluations, where each column has its own truth and tells what it lost of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mrl_explorer.data import is_passage_id
from mrl_explorer.decide.beside import agree
from mrl_explorer.report.formats import share_text
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff, tied_at_k, top
from mrl_explorer.retrieval.rankings import TIE, Rankings

Card = dict[str, Any]
ColumnData = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """One place in one column.

    Attributes
    ----------
    row : int
        Document row.
    rank : int
        Its place in this column, from 1.
    score : float
        The score that this column is ordered by.
    mark : {"kept", "lost", "new", "same", "up", "down"}
        In the ground truth: kept or lost by the chosen configuration. In another column: a place
        that the ground truth does not have, or how it moved against it.
    badge : str
        The mark as a sign and a word or number.
    spoken : str
        The mark as words, for screen readers.
    """

    row: int
    rank: int
    score: float
    mark: str
    badge: str
    spoken: str


@dataclass(frozen=True, slots=True)
class Column:
    """One list of the comparison.

    Attributes
    ----------
    title : str
        What it is: "Full dimension", "This configuration" or "Pinned".
    config : Config
        What was ranked.
    note : str
        One short sentence: how many of the true top k it keeps.
    results : tuple of Result
        The first k places.
    lost : tuple of Result
        Places of the ground truth that it does not show, where the ground truth has no column.
    """

    title: str
    config: Config
    note: str
    results: tuple[Result, ...]
    lost: tuple[Result, ...] = ()


def compare(
    rankings: Rankings, query: int, *, chosen: Config, pinned: Config | None, cutoff: Cutoff
) -> tuple[Column, ...]:
    """Line up the ground truth, the chosen configuration and, if there is one, a pinned one.

    Parameters
    ----------
    rankings : Rankings
        Lists of at least these configurations and the baseline.
    query : int
        Row of the query.
    chosen, pinned : Config
        What to hold against the ground truth.
    cutoff : Cutoff
        k and rescoring, for the chosen and the pinned one.
    """
    truth = _List(rankings, query, rankings.baseline, Cutoff(cutoff.k))
    lists = [_List(rankings, query, chosen, cutoff)]
    if pinned is not None:
        lists.append(_List(rankings, query, pinned, cutoff))
    columns = [_truth_column(truth, lists[0])]
    for title, one in zip(("This configuration", "Pinned"), lists, strict=False):
        columns.append(_column(title, one, truth))
    return tuple(columns)


def compare_with_own_truth(
    rankings: Rankings, query: int, config: Config, *, title: str, cutoff: Cutoff
) -> Column:
    """Hold a configuration against its ground truth in one column, with what it lost at the end.

    Parameters
    ----------
    rankings : Rankings
        Lists of at least this configuration and the baseline.
    query : int
        Row of the query.
    config : Config
        What to show.
    title : str
        Its head.
    cutoff : Cutoff
        k and rescoring.
    """
    truth = _List(rankings, query, rankings.baseline, Cutoff(cutoff.k))
    shown = _List(rankings, query, config, cutoff)
    column = _column(title, shown, truth)
    lost = [result for result in _truth_column(truth, shown).results if result.mark == "lost"]
    return replace(column, note=f"{column.note} of its own full dimension", lost=tuple(lost))


class _List:
    """The shown places of one configuration and one query, and where other documents stand."""

    def __init__(self, rankings: Rankings, query: int, config: Config, cutoff: Cutoff) -> None:
        place = rankings.place(config)
        ids = rankings.ids[place, query]
        shown = top(rankings, config, cutoff)[query]
        shown = shown[ids[shown] >= 0]
        scores = rankings.full_scores if cutoff.rescore else rankings.scores
        self.config = config
        self.depth = rankings.depth
        self.rows = [int(row) for row in ids[shown]]
        self.scores = [float(score) for score in scores[place, query, shown]]
        self.full_scores = [float(score) for score in rankings.full_scores[place, query, shown]]
        # Beyond the shown places the order is the list's own, after those that rescoring lifted.
        rest = [int(row) for row in ids if row >= 0 and row not in set(self.rows)]
        self.rank_of = {row: rank for rank, row in enumerate([*self.rows, *rest], start=1)}

    @property
    def least(self) -> float:
        """The full-dimension score from which a document counts as a true result."""
        return min(self.full_scores, default=np.inf) - TIE

    def kept(self, truth: "_List") -> int:
        """Count the true results among the shown ones, as recall does."""
        return min(sum(full >= truth.least for full in self.full_scores), len(truth.rows))

    def shows(self, row: int) -> bool:
        """Tell whether a document is among the shown places."""
        return self.rank_of.get(row, self.depth + 1) <= len(self.rows)


def _truth_column(truth: _List, chosen: _List) -> Column:
    # Documents that tie with the last true one may stand in for it: nothing is lost then.
    missing = [row for row in truth.rows if not chosen.shows(row)]
    lost = len(truth.rows) - chosen.kept(truth)
    tied = set(missing[lost:])
    results = []
    for rank, (row, score) in enumerate(zip(truth.rows, truth.scores, strict=True), start=1):
        there = chosen.rank_of.get(row)
        if row in tied:
            mark, badge, spoken = "kept", "= tied", "a document of the same score stands in"
        elif chosen.shows(row):
            mark, badge, spoken = "kept", "✓", "kept"
        else:
            mark = "lost"
            badge = "✕ lost" + (f" → {there}" if there else "")
            spoken = "lost, " + (
                f"now at rank {there}" if there else f"not in the first {chosen.depth}"
            )
        results.append(Result(row, rank, score, mark, badge, spoken))
    note = f"{lost} of {len(results)} not found by this configuration" if lost else "all found"
    return Column("Full dimension", truth.config, note, tuple(results))


def _column(title: str, one: _List, truth: _List) -> Column:
    least = truth.least
    results = []
    for rank, (row, score, full) in enumerate(
        zip(one.rows, one.scores, one.full_scores, strict=True), start=1
    ):
        true_rank = truth.rank_of.get(row)
        if truth.shows(row):
            moved = truth.rank_of[row] - rank
            mark = "up" if moved > 0 else "down" if moved < 0 else "same"
            badge = f"▲ {moved}" if moved > 0 else f"▼ {-moved}" if moved < 0 else "="
            spoken = f"true rank {true_rank}, {mark} {abs(moved)}" if moved else "same rank"
        elif full >= least:
            mark, badge, spoken = "same", "= tied", "ties with the last of the true results"
        else:
            mark = "new"
            badge = "+ new" + (f" ← {true_rank}" if true_rank else "")
            spoken = "not among the true results" + (
                f", true rank {true_rank}" if true_rank else ""
            )
        results.append(Result(row, rank, score, mark, badge, spoken))
    return Column(
        title,
        one.config,
        f"keeps {one.kept(truth)} of {len(truth.rows)}",
        tuple(results),
    )


def score_text(score: float, config: Config, *, rescored: bool) -> str:
    """Write a score as the reader of its column knows it."""
    if config.quantization == "binary" and not rescored:
        return f"{abs(score):.0f} bits apart"
    return share_text(score) if abs(score) <= 1.0005 else f"{score:.3g}"


def tie_note(rankings: Rankings, query: int, config: Config, *, cutoff: Cutoff) -> str:
    """Say how many documents share the k-th binary score: their order among them is arbitrary.

    Empty where none do, and where rescoring or finer codes order them.
    """
    if config.quantization != "binary" or cutoff.rescore:
        return ""
    tied = int(tied_at_k(rankings, config, cutoff.k)[query])
    if tied < 2:
        return ""
    return (
        f"{tied} documents share the Hamming distance of place {cutoff.k}: among them the "
        "order of the file decides."
    )


def column_data(
    columns: Sequence[Column], texts: dict[int, tuple[str, str, str]], *, cutoff: Cutoff
) -> list[ColumnData]:
    """Give the columns as plain values for the browser.

    Parameters
    ----------
    texts : dict
        Document row to (id, title, text).
    """
    data: list[ColumnData] = []
    for column in columns:
        rescored = cutoff.rescore and column.title != "Full dimension"
        cards = [
            _card(
                result,
                texts[result.row],
                score_text(result.score, column.config, rescored=rescored),
            )
            for result in column.results
        ]
        lost = [
            _card(
                result,
                texts[result.row],
                score_text(result.score, column.config, rescored=True),
            )
            for result in column.lost
        ]
        data.append(
            {
                "title": column.title,
                "config": str(column.config) + (" rescored" if rescored else ""),
                "note": column.note,
                "cards": cards,
                "lost": lost,
            }
        )
    return data


def _card(result: Result, texts: tuple[str, str, str], score: str) -> Card:
    identity, title, text = texts
    return {
        "row": result.row,
        "rank": result.rank,
        "id": identity,
        "title": title,
        # Passages share the title of their document, and documents may share one, too.
        "source": identity if title and is_passage_id(identity) else "",
        "text": text,
        "score": score,
        "mark": result.mark,
        "badge": result.badge,
        "spoken": result.spoken,
    }


def mark_shared(first: Sequence[ColumnData], second: ColumnData) -> list[ColumnData]:
    """Line up the columns of two evaluations by the documents that both show.

    Rows of one evaluation mean nothing in the other, so a document is known by its id, unless the
    texts differ. In the second's column it gets the first's row, and a document of its own a
    negative one. The places of the first column and of the second tell the `other` rank.

    Parameters
    ----------
    first : sequence of dict
        Columns of the first evaluation as `column_data` gives them, the one to compare in front.
    second : dict
        The column of the second evaluation.

    Returns
    -------
    list of dict
        The first one's front column, the second's, and the rest.
    """
    front, *rest = first
    known = {card["id"]: card for column in first for card in column["cards"] + column["lost"]}

    def lined_up(card: Card) -> Card:
        twin = known.get(card["id"])
        same = twin is not None and agree(_wording(twin), _wording(card))
        return {**card, "row": twin["row"] if twin and same else -1 - card["row"]}

    other = {part: [lined_up(card) for card in second[part]] for part in ("cards", "lost")}
    return [
        {**front, "cards": _with_ranks(front["cards"], other["cards"])},
        {**second, **other, "cards": _with_ranks(other["cards"], front["cards"])},
        *rest,
    ]


def _wording(card: Card) -> str:
    return str(card["text"] or card["title"])


def _with_ranks(cards: Sequence[Card], others: Sequence[Card]) -> list[Card]:
    rank_of = {card["row"]: card["rank"] for card in others}
    return [{**card, "other": rank_of.get(card["row"])} for card in cards]

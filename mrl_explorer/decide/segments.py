"""Kinds of queries, and how each kind fares."""

import re
from dataclasses import dataclass

import numpy as np

from mrl_explorer.data.language import languages_of
from mrl_explorer.decide.intervals import intervals
from mrl_explorer.retrieval.evaluation import Evaluation

TOO_FEW = 5
"""Queries below which a segment's average says little; it is shown, and marked."""

_WORD = re.compile(r"\w+")
_LENGTHS = ((2, "1 or 2 words"), (5, "3 to 5 words"), (10, "6 to 10 words"))
_LONGEST = "11 words or more"


@dataclass(frozen=True, slots=True)
class Segment:
    """One kind of query.

    Attributes
    ----------
    name : str
        As in the data, or as told by the text.
    n_queries : int
        How many there are.
    recall, low, high : float
        Mean and 95% interval of the mean.
    few : bool
        Whether there are too few to say much.
    """

    name: str
    n_queries: int
    recall: float
    low: float
    high: float
    few: bool


def segmentations(evaluation: Evaluation) -> dict[str, tuple[str, ...]]:
    """Give every way to split the queries that tells at least two kinds apart.

    Returns
    -------
    dict
        Title to the kind of each query: the data's own column first, then the length of the
        query, and whether its words occur in the document that full dimension puts first. See
        `language_kinds` for one more, which takes longer.
    """
    queries = evaluation.queries
    ways: dict[str, tuple[str, ...]] = {}
    if queries.segments is not None:
        ways["Segment"] = queries.segments
    if any(queries.texts):
        ways["Query length"] = tuple(map(length_kind, queries.texts))
        if any(evaluation.listed.texts):
            ways["Query words"] = _word_kinds(evaluation)
    return {title: kinds for title, kinds in ways.items() if len(set(kinds)) > 1}


def by_segment(values: np.ndarray, kinds: tuple[str, ...]) -> tuple[Segment, ...]:
    """Average per-query values (n_queries,) over each kind, the worst first."""
    names = np.array(kinds, dtype=object)
    found = []
    for name in dict.fromkeys(kinds):
        own = values[names == name]
        low, high = intervals(own[None])
        mean = float(own.mean())
        few = len(own) < TOO_FEW
        found.append(Segment(name, len(own), mean, float(low[0]), float(high[0]), few))
    return tuple(sorted(found, key=lambda segment: segment.recall))


def length_kind(text: str) -> str:
    """Tell how long a query is."""
    n_words = len(_WORD.findall(text))
    return next((name for most, name in _LENGTHS if n_words <= most), _LONGEST)


def language_kinds(evaluation: Evaluation) -> tuple[str, ...]:
    """Tell the language of each query, with the documents' texts to tell which there are."""
    return languages_of(evaluation.queries.texts, beside=evaluation.listed.texts)


def _word_kinds(evaluation: Evaluation) -> tuple[str, ...]:
    rankings, listed = evaluation.rankings, evaluation.listed
    first = rankings.ids[rankings.place(rankings.baseline), :, 0]
    kinds = []
    for text, row in zip(evaluation.queries.texts, first, strict=True):
        if row < 0:
            kinds.append("nothing found")
            continue
        place = listed.place(int(row))
        kinds.append(overlap_kind(text, f"{listed.titles[place]} {listed.texts[place]}"))
    return tuple(kinds)


def overlap_kind(query: str, document: str) -> str:
    """Tell whether the words of a query occur in a document."""
    words = set(_WORD.findall(query.lower()))
    there = words & set(_WORD.findall(document.lower()))
    if words and there == words:
        return "all occur in the first result"
    # Half of the words of most questions are "how", "to" and "the".
    return (
        "more than half occur in it" if 2 * len(there) > len(words) else "at most half occur in it"
    )

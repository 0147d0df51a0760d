"""What a data set looks like before anything runs on it."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from zlib import crc32

import numpy as np
import numpy.typing as npt

from mrl_explorer.data.collection import Collection, Records, digest, passages
from mrl_explorer.data.language import language_shares

# Bounds that keep the whole within seconds on 100,000 documents.
NEAR_RECORDS = 50_000
NEAR_WORDS = 100
_CASED_RECORDS = 1000

# MinHash: 8 bands of 4 find 0.8 alike with probability 1 - (1 - 0.8^4)^8 = 0.985.
_BANDS, _BAND_ROWS = 8, 4
_SHINGLE_WORDS = 3
NEAR_SIMILARITY = 0.8

_EDGES = (0, 25, 50, 100, 200, 400, 800, 1600, 3200, 6400, 12800)
BYTES_A_TOKEN = 4
# What the smallest usual models read (all-MiniLM-L6-v2), and most of BERT's kind.
_TOKENS_READ = (256, 512)


@dataclass(frozen=True, slots=True)
class Overview:
    """What is known of documents or queries from their texts.

    Attributes
    ----------
    median_length, longest : int
        Characters of a passage (title and text).
    lengths : tuple of (str, int)
        A histogram: characters in words ("100 to 199"), and passages of that length.
    languages : tuple of (str, float)
        ISO 639-1 codes and their shares of a sample, the largest first; empty when the texts are
        too short to tell.
    n_near_duplicates : int
        Passages at least 0.8 alike to an earlier one and not equal to it, among the first 50,000.
    is_sampled : bool
        Whether there are more passages than were compared for near-duplicates.
    n_sources : int
        Documents that the passages are of; as many as passages when nothing was split.
    """

    median_length: int
    longest: int
    lengths: tuple[tuple[str, int], ...]
    languages: tuple[tuple[str, float], ...]
    n_near_duplicates: int
    is_sampled: bool
    n_sources: int


def describe(records: Records) -> Overview | None:
    """Describe documents or queries; None when they have no texts.

    Bounded: languages are told from 200 texts, near-duplicates among the first 50,000 passages by
    their first 100 words.
    """
    if records.texts is None:
        return None
    lengths = records.texts.lengths()
    if records.titles is not None:
        titles = records.titles.lengths()
        lengths = lengths + titles + ((titles > 0) & (lengths > 0))
    return Overview(
        median_length=int(np.median(lengths)),
        longest=int(lengths.max()),
        lengths=_histogram(lengths),
        languages=language_shares(records.texts),
        n_near_duplicates=_count_near_duplicates(list(islice(passages(records), NEAR_RECORDS))),
        is_sampled=len(records) > NEAR_RECORDS,
        n_sources=(records.source_ids or records.ids).n_distinct(),
    )


@dataclass(frozen=True, slots=True)
class CollectionOverview:
    """What is known of a collection before it is evaluated.

    Attributes
    ----------
    documents, queries : Overview or None
        None where there are no texts.
    warnings : tuple of str
        What is odd about the data and what it does to the numbers, a sentence each.
    """

    documents: Overview | None
    queries: Overview | None
    warnings: tuple[str, ...]


def describe_collection(collection: Collection) -> CollectionOverview:
    """Describe a collection, within seconds for 100,000 documents."""
    documents, queries = collection.documents, collection.queries
    overviews = describe(documents), describe(queries)
    return CollectionOverview(
        *overviews,
        warnings=(
            *_warnings(documents, overviews[0], "documents"),
            *_warnings(queries, overviews[1], "queries"),
            *_copy_warnings(collection),
            *_capitals_warnings(collection),
        ),
    )


def _warnings(records: Records, overview: Overview | None, what: str) -> Iterator[str]:
    """Say what is odd about documents or queries."""
    yield from (f"{records.name}: {note}" for note in records.notes)
    if records.n_empty:
        yield (
            f"Empty texts in {records.name}: {records.n_empty:,}, left out since there is nothing "
            "to embed."
        )
    if records.n_duplicates:
        yield (
            f"Texts in {records.name} that repeat an earlier one: {records.n_duplicates:,}; copies "
            "tie, and a tie counts as found."
        )
    if overview is None:
        return
    if overview.n_near_duplicates and what == "documents":
        among = f" among the first {NEAR_RECORDS:,}" if overview.is_sampled else ""
        yield (
            f"Near-copies of earlier {what}{among}: {overview.n_near_duplicates:,}; their scores "
            "lie so close that a small cut swaps them, which lowers recall more than a reader "
            "would notice."
        )
    least, usual = (count_longer(records, n_tokens) for n_tokens in _TOKENS_READ)
    if least:
        yield (
            f"Longer than about {_TOKENS_READ[0]} tokens: {least:,} of the {what}, and than "
            f"{_TOKENS_READ[1]}: {usual:,} (a rough count, a token for 4 bytes); a model that "
            "reads no more cuts the rest off, and what stands there is never found."
        )


def _copy_warnings(collection: Collection) -> Iterator[str]:
    n_copies = count_copies(collection)
    if n_copies:
        yield (
            f"Queries that are copies of documents: {n_copies:,}; each finds itself first at any "
            "dimension, which overstates recall."
        )


def _capitals_warnings(collection: Collection) -> Iterator[str]:
    documents, queries = collection.documents, collection.queries
    if documents.texts is None or queries.texts is None:
        return
    share = _share_in_capitals(queries)
    if share > 0.5 >= _share_in_capitals(documents):
        yield (
            f"Queries in capitals, unlike the documents: {share:.0%}; a model that tells capitals "
            "from small letters reads other words there and finds little that is relevant, so its "
            "figures say nothing of usual queries: write these in small letters."
        )


def _share_in_capitals(records: Records) -> float:
    """Give the share of passages without a small letter, of the first ones that have letters."""
    first = list(islice(passages(records), _CASED_RECORDS))
    cased = [text for text in first if text.lower() != text.upper()]
    return sum(map(str.isupper, cased)) / max(len(cased), 1)


def count_longer(records: Records, n_tokens: int) -> int:
    """Count passages of more than so many tokens, roughly: a token for 4 bytes of UTF-8.

    That is near the truth for English prose (about 4 letters a token, OpenAI's help page "What are
    tokens and how to count them?"), and within a factor of two for most other writing.
    """
    if records.texts is None:
        return 0
    sizes = records.texts.sizes()
    if records.titles is not None:
        sizes = sizes + records.titles.sizes()
    return int((sizes > n_tokens * BYTES_A_TOKEN).sum())


def count_copies(collection: Collection) -> int:
    """Count queries whose text is that of a document, but for case and white space."""
    documents, queries = collection.documents, collection.queries
    if documents.texts is None or queries.texts is None:
        return 0
    wanted = [digest(_normal(text)) for text in passages(queries)]
    known = set(wanted)
    copied = {d for text in documents.texts if (d := digest(_normal(text))) in known}
    if documents.titles is not None:
        copied |= {d for text in passages(documents) if (d := digest(_normal(text))) in known}
    return sum(name in copied for name in wanted)


def _normal(text: str) -> str:
    return " ".join(text.lower().split())


def _histogram(lengths: npt.NDArray[np.int64]) -> tuple[tuple[str, int], ...]:
    """Count lengths in bins that double, without empty ones at either end."""
    counts = np.histogram(lengths, (*_EDGES, np.inf))[0]
    names = [
        *(f"{low:,} to {high - 1:,}" for low, high in pairwise(_EDGES)),
        f"{_EDGES[-1]:,} and more",
    ]
    used = np.flatnonzero(counts)
    wanted = slice(used[0], used[-1] + 1)
    return tuple(zip(names[wanted], map(int, counts[wanted]), strict=True))


def _count_near_duplicates(texts: Sequence[str]) -> int:
    """Count texts that are at least 0.8 alike to an earlier one and not equal to it.

    Alike is the Jaccard similarity of the sets of three words in a row, estimated by MinHash
    (Broder, On the resemblance and containment of documents, 1997) with bands.
    """
    shingles, starts = _shingles(texts)
    if len(texts) < 2:
        return 0
    random = np.random.default_rng(0)
    signatures = np.empty((_BANDS * _BAND_ROWS, len(texts)), np.uint32)
    for row in signatures:
        # Multiply and shift: https://arxiv.org/abs/1504.06804, section 2.3.
        factor, shift = random.integers(1, 2**63, 2, dtype=np.uint64)
        hashed = ((shingles * (factor | np.uint64(1)) + shift) >> np.uint64(32)).astype(np.uint32)
        row[:] = np.minimum.reduceat(hashed, starts)
    alike = np.zeros(len(texts), bool)
    for start in range(0, len(signatures), _BAND_ROWS):
        band = np.ascontiguousarray(signatures[start : start + _BAND_ROWS].T)
        keys = band.view([("", np.uint32)] * _BAND_ROWS).ravel()
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        earlier = first[inverse]
        candidates = np.flatnonzero(earlier < np.arange(len(texts)))
        same = signatures[:, candidates] == signatures[:, earlier[candidates]]
        alike[candidates[same.mean(axis=0) >= NEAR_SIMILARITY]] = True
    seen: set[bytes] = set()
    n_near = 0
    for text, is_alike in zip(texts, alike, strict=True):
        name = digest(text)
        n_near += bool(is_alike) and name not in seen
        seen.add(name)
    return n_near


class _WordCodes(dict[str, int]):
    """A number for each word, the same in every run."""

    def __missing__(self, word: str) -> int:
        code = self[word] = crc32(word.encode())
        return code


def _shingles(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Hash every three words in a row of all texts, and tell where each text's begin."""
    hashes, code_of = array("Q"), _WordCodes()
    starts = np.empty(len(texts), np.int64)
    for row, text in enumerate(texts):
        starts[row] = len(hashes)
        words = text.lower().split(maxsplit=NEAR_WORDS)[:NEAR_WORDS]
        if len(text) > 12 * len(words):
            # Chinese, Japanese and Thai put no spaces between words.
            words = list(text[: NEAR_WORDS * 4])
        hashes.extend(map(code_of.__getitem__, words))
        # A text of one or two words is one shingle, too.
        hashes.extend([0] * (_SHINGLE_WORDS - len(words)))
    codes = np.array(hashes, dtype=np.uint64)
    # The last two of a text run into the next one; they are given the value of its first.
    joined = (
        codes * np.uint64(0x9E3779B97F4A7C15)
        + np.roll(codes, -1) * np.uint64(0xC2B2AE3D27D4EB4F)
        + np.roll(codes, -2) * np.uint64(0x165667B19E3779F9)
    )
    ends = np.append(starts[1:], len(codes))
    for back in (1, 2):
        joined[ends - back] = joined[starts]
    return joined, starts

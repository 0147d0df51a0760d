import numpy as np
import pytest

from mrl_explorer.data import Collection, Splitting, make_records, split_records
from mrl_explorer.data.overview import count_copies, count_longer, describe, describe_collection

ENGLISH = "The quick brown fox jumps over the lazy dog near the river bank every single morning"
GERMAN = "Der schnelle braune Fuchs springt jeden Morgen am Ufer des Flusses über den faulen Hund"


def records(*texts, **columns):
    return make_records(name="d.csv", texts=list(texts), **columns)


def test_lengths_by_hand():
    overview = describe(records("a" * 10, "b" * 30, "c" * 120, titles=["", "tt", None]))
    assert overview.lengths == (("0 to 24", 1), ("25 to 49", 1), ("50 to 99", 0), ("100 to 199", 1))
    # Title and text are joined by a space.
    assert (overview.median_length, overview.longest) == (33, 120)
    assert describe(records("x" * 20_000)).lengths == (("12,800 and more", 1),)


def test_languages_are_shares_of_the_texts_that_are_long_enough():
    overview = describe(records(ENGLISH, ENGLISH + " again", ENGLISH + " and again", GERMAN, "ok"))
    assert overview.languages == (("en", 0.75), ("de", 0.25))
    assert describe(records("ok", "42")).languages == ()


def jaccard(one, other):
    sets = [
        {tuple(words[i : i + 3]) for i in range(len(words) - 2)}
        for words in (one.split(), other.split())
    ]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def test_near_duplicates_are_those_with_most_shingles_in_common():
    random = np.random.default_rng(5)
    vocabulary = [f"word{i}" for i in range(2000)]
    originals = [" ".join(random.choice(vocabulary, 90)) for _ in range(300)]
    near = [" ".join([*text.split()[:40], "other", *text.split()[41:]]) for text in originals[:40]]
    halves = [" ".join(text.split()[:45]) for text in originals[100:140]]
    far = [f"{half} {' '.join(random.choice(vocabulary, 45))}" for half in halves]
    assert min(map(jaccard, near, originals)) > 0.9
    assert max(map(jaccard, far, originals[100:])) < 0.5
    overview = describe(records(*originals, *near, *far, originals[0]))
    # Exact copies are counted by themselves.
    assert overview.n_near_duplicates == 40
    assert not overview.is_sampled


@pytest.mark.parametrize(
    "texts", [["a"], ["a", "b"], ["a b c", "d"], ["今天天气" * 5, "x"], ["a", " \n b"]]
)
def test_short_texts_have_no_near_duplicates(texts):
    assert describe(records(*texts)).n_near_duplicates == 0


def test_longer_than_a_model_reads():
    texts = records("a" * 400, "é" * 400, "b" * 1025, titles=["", "", "t" * 1000])
    # A token for 4 bytes: 100, 200 and 507 tokens.
    assert [count_longer(texts, n) for n in (99, 100, 200, 506, 507)] == [3, 2, 1, 1, 0]


def test_queries_that_are_copies_of_documents():
    documents = records("Reset a  password", "b", titles=["", "How to"])
    queries = make_records(name="q", texts=["reset A password", "how to b", "new", "B "])
    assert count_copies(Collection(documents, queries)) == 3


def test_each_warning_says_what_it_does_to_the_numbers():
    documents = records("a b c", "a b c", "", "long " * 300)
    queries = make_records(name="q.csv", texts=["A b c"])
    overview = describe_collection(Collection(documents, queries))
    assert overview.warnings == (
        "Empty texts in d.csv: 1, left out since there is nothing to embed.",
        "Texts in d.csv that repeat an earlier one: 1; copies tie, and a tie counts as found.",
        "Longer than about 256 tokens: 1 of the documents, and than 512: 0 (a rough count, a token "
        "for 4 bytes); a model that reads no more cuts the rest off, and what stands there is "
        "never found.",
        "Queries that are copies of documents: 1; each finds itself first at any dimension, which "
        "overstates recall.",
    )


def test_ready_vectors_alone():
    vectors = np.ones((5, 8), dtype=np.float32)
    only = make_records(name="v.npy", vectors=vectors)
    overview = describe_collection(Collection(only, only))
    assert overview.documents is None
    assert overview.warnings == ()


def test_passages_tell_of_how_many_documents_they_are():
    split = split_records(records("word " * 50, "b"), Splitting(100, 0))
    assert describe(split).n_sources == 2


LOUD = "Queries in capitals, unlike the documents: "


def capitals(documents, queries):
    collection = Collection(records(*documents), make_records(name="q.csv", texts=queries))
    return [text for text in describe_collection(collection).warnings if text.startswith(LOUD)]


def test_queries_in_capitals_are_warned_of():
    documents = ["measurement of dielectric constants", "A note", "UNESCO"]
    (warning,) = capitals(documents, ["DIELECTRIC CONSTANT", "NOTES (1962)", "Unesco", "42"])
    # Of three queries with letters.
    assert warning == (
        f"{LOUD}67%; a model that tells capitals from small letters reads other words there and "
        "finds little that is relevant, so its figures say nothing of usual queries: write these "
        "in small letters."
    )


@pytest.mark.parametrize(
    ("documents", "queries"),
    [
        (["A NOTE", "ANOTHER", "a third"], ["NOTES", "THIRD"]),
        (["a note"], ["NOTES", "notes"]),
        (["a note"], ["42", "天气"]),
        (["天气", "今天"], ["天气 42"]),
    ],
)
def test_other_queries_are_not(documents, queries):
    assert capitals(documents, queries) == []

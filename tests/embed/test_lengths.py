import numpy as np
import pytest

from mrl_explorer.data import Collection, make_records
from mrl_explorer.embed import Told, count_cut_texts, encode, length_notes, load_model

MAX = 256
"""Tokens that MiniLM reads, two of them special."""


def words(n):
    return "red " * n


@pytest.mark.parametrize(("n_words", "is_cut"), [(253, False), (254, False), (255, True)])
def test_a_text_counts_as_cut_when_its_end_does_not_matter(minilm, n_words, is_cut):
    counted = count_cut_texts(minilm, [words(n_words)], kind="document")
    assert (counted.n_cut, counted.n_counted, counted.max_tokens) == (int(is_cut), 1, MAX)
    one, other = encode(minilm, [words(n_words), words(n_words - 1) + "moon"], kind="document")
    assert np.array_equal(one, other) == is_cut


def test_the_prompt_takes_its_place():
    model = load_model("minilm-384", Told(query_prompt="find this: "))
    # "find", "this" and ":" are three tokens.
    texts = [words(251), words(252)]
    assert count_cut_texts(model, texts, kind="query").n_cut == 1
    assert count_cut_texts(model, texts, kind="document").n_cut == 0


def test_large_collections_are_sampled(minilm):
    texts = [words(300), words(3)] * 50
    counted = count_cut_texts(minilm, texts, kind="document", sample=20)
    assert (counted.n_counted, counted.n_texts) == (20, 100)
    assert 0 < counted.n_cut < 20
    assert counted == count_cut_texts(minilm, texts, kind="document", sample=20)
    assert count_cut_texts(minilm, texts, kind="document").n_cut == 50


def test_encoding_goes_on_as_before(minilm):
    texts = [words(300), words(3)]
    before = encode(minilm, texts, kind="document")
    count_cut_texts(minilm, texts, kind="document")
    np.testing.assert_array_equal(encode(minilm, texts, kind="document"), before)


def test_a_model_that_reads_everything_cuts_nothing(wordllama):
    assert count_cut_texts(wordllama, [words(10_000)], kind="document") is None


def test_it_is_said_in_whole_sentences(minilm):
    documents = make_records(name="docs.csv", texts=[words(300), words(3), words(999)])
    queries = make_records(name="queries.csv", texts=["red"], what="queries")
    (note,) = length_notes(minilm, Collection(documents, queries))
    assert note.startswith("2 of 3 texts in docs.csv are longer than the 256 tokens that ")
    assert note.endswith("what comes after is in no vector and cannot be found.")


def test_ready_vectors_are_not_looked_at(minilm):
    vectors = np.eye(2, 384, dtype=np.float32)
    ready = make_records(name="docs.csv", texts=[words(300)] * 2, vectors=vectors)
    assert list(length_notes(minilm, Collection(ready, ready))) == []

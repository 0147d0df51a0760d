import numpy as np
import pytest

from mrl_explorer.embed import check_same_model, encode, same_model
from mrl_explorer.errors import InputError

TEXTS = [f"Chapter {row} explains how to reset device number {row}." for row in range(9)]


def test_the_model_that_made_the_vectors_passes(minilm):
    vectors = encode(minilm, TEXTS, kind="document")
    for stored in (vectors, vectors * 3, vectors.astype(np.float16)):
        assert same_model(minilm, TEXTS, stored, kind="document") == pytest.approx(1, abs=1e-5)
        check_same_model(minilm, TEXTS, stored, kind="document")


def test_three_texts_are_encoded_again(tiny, encoded):
    vectors = encode(tiny, TEXTS, kind="document")
    encoded.clear()
    same_model(tiny, TEXTS, vectors, kind="document")
    assert sorted(encoded) == [TEXTS[0], TEXTS[4], TEXTS[8]]


def test_cosine_is_that_worked_out_by_hand(tiny):
    """Query "red" is [4, 0, 2, 0]: with [1, 0, 0, 0] a cosine of 4 / sqrt(20)."""
    stored = np.array([[1, 0, 0, 0], [2, 0, 1, 0]], np.float32)
    cosine = same_model(tiny, ["red", "red"], stored, kind="query")
    assert cosine == pytest.approx(4 / np.sqrt(20))


def test_another_prompt_is_refused(tiny):
    vectors = encode(tiny, ["red", "green"], kind="document")
    with pytest.raises(InputError, match=r"cosine of only 0\.200 with them \(0\.999 expected\)"):
        check_same_model(tiny, ["red", "green"], vectors, kind="query")


def test_vectors_in_another_order_are_refused(minilm):
    vectors = encode(minilm, TEXTS, kind="document")[::-1]
    with pytest.raises(InputError, match="check that texts and vectors are in the same order"):
        check_same_model(minilm, TEXTS, vectors, kind="document")


def test_another_dimension_is_refused(minilm, wordllama):
    vectors = encode(wordllama, TEXTS, kind="document")
    with pytest.raises(InputError, match=r"have 256 dimensions and those of .* 384; name the mod"):
        check_same_model(minilm, TEXTS, vectors, kind="document")


def test_zeros_match_nothing(tiny):
    assert same_model(tiny, ["red"], np.zeros((1, 4), np.float32), kind="document") == 0


@pytest.mark.parametrize(("texts", "rows"), [(["red"], 2), ([], 0)])
def test_each_text_needs_its_vector(tiny, texts, rows):
    with pytest.raises(ValueError, match="expected a vector for each text"):
        same_model(tiny, texts, np.ones((rows, 4)), kind="document")

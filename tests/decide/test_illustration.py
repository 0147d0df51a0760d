"""What the page that teaches draws, against plain arithmetic."""

from pathlib import Path

import numpy as np
import pytest

from mrl_explorer.data import Collection
from mrl_explorer.decide.illustration import draw_funnel, illustrate, shown_dims
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import evaluate
from mrl_explorer.retrieval.evaluation_file import load_evaluation
from mrl_explorer.retrieval.metrics import Cutoff, recall
from tests.retrieval.corpora import make_corpus
from tests.retrieval.test_orders import records

SAMPLE = Path(__file__).parents[2] / "sample_data/help_centre/wordllama-256/help_centre.evaluation"

VECTORS = np.load(SAMPLE.parent / "documents.npy")


@pytest.fixture(scope="module")
def sample():
    return load_evaluation(SAMPLE)


def test_documents_of_three_queries_are_shown_with_their_cosines(sample):
    found = illustrate(VECTORS, sample.rankings)
    assert len(set(found.rows)) == len(found.rows) == 9
    assert len(set(found.queries)) == 3
    lists = sample.rankings.ids[sample.rankings.place(sample.rankings.baseline)]
    for query in set(found.queries):
        shown = [r for r, q in zip(found.rows, found.queries, strict=True) if q == query]
        assert shown == lists[query, :3].tolist()
    assert [cut.dim for cut in found.cuts] == [32, 128, 256]
    for cut in found.cuts:
        kept = VECTORS[list(found.rows), : cut.dim].astype(float)
        kept /= np.linalg.norm(kept, axis=1, keepdims=True)
        assert cut.values == pytest.approx(kept @ kept.T, abs=1e-5)
    assert found.cuts[-1].same_nearest == 9
    assert found.cuts[0].same_nearest < 9


def test_one_vector_is_shown_as_it_is_stored(sample):
    found = illustrate(VECTORS, sample.rankings)
    vector = VECTORS[found.rows[0]] / np.linalg.norm(VECTORS[found.rows[0]])
    assert found.codes["float32"] == pytest.approx(vector[:8])
    assert found.codes["int8"].tolist() == np.rint(127 * vector / abs(vector).max())[:8].tolist()
    assert found.codes["binary"].tolist() == (vector[:8] > 0).astype(int).tolist()
    assert found.lengths[-1] == (256, pytest.approx(1))
    assert found.lengths[0][1] == pytest.approx(np.linalg.norm(vector[:32]), abs=1e-6)


def test_dims_shown_are_parts_of_a_small_model():
    assert shown_dims(768) == (32, 128, 768)
    assert shown_dims(128) == (32, 64, 128)
    assert shown_dims(16) == (2, 8, 16)
    assert shown_dims(1) == (1,)


def test_the_funnel_s_recall_and_bytes_are_those_of_the_lists(sample):
    funnel = draw_funnel(sample)
    assert funnel.first == Config(64, "binary")
    assert (funnel.n_docs, funnel.candidates, funnel.k) == (300, 100, 10)
    cutoff = Cutoff(10, 10, rescore=True)
    kept = recall(sample.rankings, cutoff)[sample.rankings.place(funnel.first)].mean()
    assert funnel.recall == pytest.approx(kept)
    assert funnel.low <= funnel.recall <= funnel.high
    assert funnel.first_bytes == 300 * 8
    assert funnel.second_bytes == 100 * 1024
    assert funnel.full_bytes == 300 * 1024


def test_two_documents_of_two_dims_are_drawn_too():
    documents, queries = make_corpus("gaussian", n_docs=2, n_queries=1, full_dim=2, seed=1)
    evaluation = evaluate(
        Collection(records(documents, "d"), records(queries, "q")), dims=[1], bases=["native"]
    )
    funnel = draw_funnel(evaluation)
    assert (funnel.k, funnel.candidates) == (2, 2)
    found = illustrate(documents, evaluation.rankings)
    assert sorted(found.rows) == [0, 1]
    assert len(found.codes["int4"]) == 2

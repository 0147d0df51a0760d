import numpy as np
import pytest

from mrl_explorer.data import Collection, Judgements, make_records
from mrl_explorer.errors import InputError
from mrl_explorer.progress import Progress
from mrl_explorer.retrieval.orders import (
    N_RANDOM,
    Sample,
    compare_orders,
    energy_by_dim,
    measure_orders,
    order_dims,
    sample_of,
)

from .corpora import make_corpus


def records(vectors, name):
    return make_records(
        name=name, ids=[f"{name}{row}" for row in range(len(vectors))], vectors=vectors
    )


def judgements(*triples):
    queries, documents, gains = zip(*triples, strict=True)
    return Judgements(
        "qrels",
        np.array(queries, np.int32),
        np.array(documents, np.int32),
        np.array(gains, np.float32),
    )


def found_in(documents, queries, *, kept, k):
    """Recall@k of some dims, naively."""

    def best(dims):
        def unit(vectors):
            cut = vectors[:, dims].astype(float)
            return cut / np.linalg.norm(cut, axis=1, keepdims=True)

        return np.argsort(-(unit(queries) @ unit(documents).T), axis=1, kind="stable")[:, :k]

    full = best(np.arange(documents.shape[1]))
    return [len({*a} & {*b}) / k for a, b in zip(full.tolist(), best(kept).tolist(), strict=True)]


def test_prefix_and_suffix_equal_a_naive_search():
    documents, queries = make_corpus("gaussian", n_docs=80, n_queries=7, full_dim=16, seed=3)
    orders = compare_orders(Sample(documents, queries), dims=[8, 4], k=5)
    assert orders.dims == (4, 8)
    for place, dim in enumerate(orders.dims):
        prefix = found_in(documents, queries, kept=np.arange(dim), k=5)
        suffix = found_in(documents, queries, kept=np.arange(16 - dim, 16), k=5)
        assert orders.recall["prefix"][place].tolist() == prefix
        assert orders.recall["suffix"][place].tolist() == suffix


def test_random_subsets_differ_and_are_the_same_each_time():
    documents, queries = make_corpus("gaussian", n_docs=60, n_queries=9, full_dim=16, seed=4)
    first, again = (compare_orders(Sample(documents, queries), dims=[4]) for _ in range(2))
    assert first.random_recall.shape == (N_RANDOM, 1, 9)
    assert np.array_equal(first.random_recall, again.random_recall)
    assert len(np.unique(first.random_recall.mean(axis=(1, 2)))) > N_RANDOM // 2


def test_pca_finds_what_lies_in_few_directions():
    # Everything varies along two directions, spread over all dims.
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(32, 2)))[0].T
    documents = (rng.normal(size=(200, 2)) @ axes).astype(np.float32)
    queries = (rng.normal(size=(10, 2)) @ axes).astype(np.float32)
    orders = compare_orders(Sample(documents, queries), dims=[2], k=5)
    assert orders.recall["pca"].min() > 0.99
    assert orders.held_out["pca"].min() > 0.99
    assert orders.held_out["prefix"].shape == orders.held_out["pca"].shape


def test_relevance_is_measured_where_it_is_judged():
    documents = np.eye(8, dtype=np.float32) + 0.01
    queries = documents[:3]
    sample = Sample(documents, queries, judgements((0, 0, 1.0), (2, 2, 1.0), (1, 5, 0.0)))
    orders = compare_orders(sample, dims=[4], k=2)
    assert orders.full_ndcg.tolist() == [1.0, 1.0]  # query 1 has no relevant document
    assert orders.ndcg["prefix"][0].tolist() == [1.0, orders.ndcg["prefix"][0, 1]]
    assert orders.random_ndcg.shape == (N_RANDOM, 1, 2)
    without = compare_orders(Sample(documents, queries), dims=[4], k=2)
    assert without.full_ndcg.size == 0


def test_energy_is_a_share_of_the_unit_length():
    vectors = np.array([[3, 4, 0], [0, 0, 9]], np.float32)
    assert energy_by_dim(vectors) == pytest.approx([0.18, 0.32, 0.5])


def test_dims_are_parts_of_the_whole_and_those_of_the_training():
    assert order_dims(384) == (48, 96, 192)
    assert order_dims(256, trained=(64, 100, 256, 512)) == (32, 64, 100, 128)
    assert order_dims(2) == ()


def collection(n_docs=50, n_queries=12, **more):
    documents, queries = make_corpus(
        "gaussian", n_docs=n_docs, n_queries=n_queries, full_dim=8, seed=1
    )
    return Collection(records(documents, "d"), records(queries, "q"), **more)


def test_a_small_collection_is_measured_whole():
    data = collection()
    sample = sample_of(data)
    assert sample.documents is data.documents.vectors
    assert sample.note == ""


def test_a_large_one_is_sampled_with_its_relevant_documents():
    pairs = [(query, 49 - query, 1.0) for query in range(12)]
    data = collection(judgements=judgements(*pairs))
    sample = sample_of(data, max_documents=20, max_queries=5)
    again = sample_of(data, max_documents=20, max_queries=5)
    assert np.array_equal(sample.documents, again.documents)
    assert (len(sample.documents), len(sample.queries)) == (20, 5)
    assert len(sample.judgements) == 5
    for query, document in zip(
        sample.judgements.query_rows, sample.judgements.document_rows, strict=True
    ):
        (row,) = np.flatnonzero((data.queries.vectors == sample.queries[query]).all(axis=1))
        assert (sample.documents[document] == data.documents.vectors[49 - row]).all()
    assert sample.note == (
        "Measured on a fixed random sample: 20 of 50 documents and 5 of 12 queries."
    )


def test_a_query_that_is_a_document_is_left_out_of_its_own_list():
    documents, _ = make_corpus("gaussian", n_docs=40, n_queries=1, full_dim=8, seed=2)
    both = records(documents, "d")
    sample = sample_of(Collection(both, both), exclude_self=True, max_documents=25)
    for query, row in zip(sample.queries, sample.excluded, strict=True):
        same = np.flatnonzero((sample.documents == query).all(axis=1))
        assert same.tolist() == ([row] if row >= 0 else [])


def test_too_little_is_refused():
    with pytest.raises(InputError, match=r"19 documents are too few .* take 20 or more"):
        measure_orders(collection(n_docs=19))
    documents, queries = np.eye(30, 3, dtype=np.float32) + 0.1, np.eye(3, dtype=np.float32)
    with pytest.raises(InputError, match="Vectors of 3 dims leave no cut"):
        measure_orders(Collection(records(documents, "d"), records(queries, "q")))
    texts = make_records(name="t", ids=["1"], texts=["one"])
    with pytest.raises(InputError, match="holds texts and no vectors"):
        measure_orders(Collection(texts, texts))


def test_few_documents_are_searched_for_fewer_results():
    orders = measure_orders(collection(n_docs=20))
    assert orders.k == 2
    assert orders.note.startswith("Lists of 2 are compared: 10 results would be more than a tenth")
    whole = measure_orders(collection(n_docs=100), trained=(3, 8))
    assert (whole.k, whole.dims, whole.note) == (10, (2, 3, 4), "")


def test_it_can_be_stopped_and_tells_how_far_it_is():
    seen = []
    documents, queries = make_corpus("gaussian", n_docs=30, n_queries=3, full_dim=8, seed=5)
    compare_orders(Sample(documents, queries), dims=[4], on_progress=seen.append)
    assert [p.done for p in seen] == list(range(N_RANDOM + 5))
    assert seen[-1].done == seen[-1].total

    def stop(progress: Progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_orders(Sample(documents, queries), dims=[4], on_progress=stop)


def test_three_documents_have_no_held_out_figure():
    documents, queries = make_corpus("gaussian", n_docs=3, n_queries=2, full_dim=8, seed=6)
    assert compare_orders(Sample(documents, queries), dims=[4]).held_out == {}

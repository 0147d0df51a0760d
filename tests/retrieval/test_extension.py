import dataclasses

import numpy as np
import pytest

from mrl_explorer.data import Collection, make_records
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval import extension
from mrl_explorer.retrieval.basis import Basis
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import evaluate
from mrl_explorer.retrieval.extension import deepest, extend
from mrl_explorer.retrieval.held_out import searched_half
from mrl_explorer.retrieval.rankings import BYTES_PER_PLACE

from .corpora import make_corpus

CHOICE = {"quantizations": ("float32", "int8", "binary"), "bases": ("native", "pca", "pca-rotated")}


def make_collection(n_docs=50, seed=0, kind="gaussian"):
    documents, queries = make_corpus(kind, n_docs=n_docs, n_queries=6, full_dim=12, seed=seed)
    return Collection(
        make_records(name="d.npy", vectors=documents, texts=[f"text {r}" for r in range(n_docs)]),
        make_records(name="q.npy", vectors=queries, what="queries"),
    )


@pytest.fixture
def collection():
    return make_collection()


def assert_same(got, expected):
    """The same lists of the same configurations, whichever order."""
    assert set(got.configs) == set(expected.configs)
    for config in expected.configs:
        here, there = got.place(config), expected.place(config)
        assert np.array_equal(got.ids[here], expected.ids[there]), config
        np.testing.assert_allclose(got.scores[here], expected.scores[there], atol=1e-6)
        np.testing.assert_allclose(got.full_scores[here], expected.full_scores[there], atol=1e-6)


@pytest.mark.parametrize("n_docs", [50, 7])
def test_an_added_dim_is_what_a_whole_run_would_have_given(n_docs):
    collection = make_collection(n_docs)
    before = evaluate(collection, dims=[4, 8], depth=10, **CHOICE)
    after = extend(before, collection, dims=[6])
    whole = evaluate(collection, dims=[4, 6, 8], depth=10, **CHOICE)
    assert after.rankings.configs == whole.rankings.configs
    assert_same(after.rankings, whole.rankings)
    assert_same(after.held_out.rankings, whole.held_out.rankings)
    assert np.array_equal(after.held_out.rows, whole.held_out.rows)
    assert after.listed.rows.tolist() == whole.listed.rows.tolist()
    assert after.listed.texts == whole.listed.texts
    assert after.source == before.source
    # What was there is as it was.
    assert before.rankings.configs == evaluate(collection, dims=[4, 8], **CHOICE).rankings.configs


def test_deeper_is_what_a_deeper_run_would_have_given(collection):
    before = evaluate(collection, dims=[4], depth=5, **CHOICE)
    after = extend(before, collection, depth=20)
    whole = evaluate(collection, dims=[4], depth=20, **CHOICE)
    assert after.rankings.depth == 20
    assert_same(after.rankings, whole.rankings)
    assert_same(after.held_out.rankings, whole.held_out.rankings)
    assert extend(before, collection, depth=999).rankings.depth == 50


def test_an_added_dim_after_ranking_deeper(collection):
    before = evaluate(collection, dims=[4], depth=5, **CHOICE)
    after = extend(extend(before, collection, depth=40), collection, dims=[7])
    whole = evaluate(collection, dims=[4, 7], depth=40, **CHOICE)
    assert_same(after.rankings, whole.rankings)
    assert_same(after.held_out.rankings, whole.held_out.rankings)


def test_a_document_as_query_stays_left_out():
    documents = make_collection().documents
    both = Collection(documents, documents)
    before = evaluate(both, dims=[4], depth=5, exclude_self=True)
    for after in (extend(before, both, dims=[6]), extend(before, both, depth=9)):
        ids = after.rankings.ids
        assert not (ids == np.arange(50)[None, :, None]).any()
        half = after.held_out
        assert not (half.rows[half.rankings.ids] == np.arange(50)[None, :, None]).any()


def test_only_what_is_new_is_ranked(collection):
    before = evaluate(collection, dims=[4], depth=10, **CHOICE)
    reports = []
    extend(before, collection, dims=[6], on_progress=reports.append)
    # Nine new ones and the baseline, which every sweep ranks; the axes are those of the run.
    assert {report.what for report in reports} == {
        "ranking 10 configurations",
        "held-out half: fitting PCA",
        "held-out half: ranking 10 configurations",
    }


def test_what_is_there_already_costs_nothing(collection):
    before = evaluate(collection, dims=[4], depth=10)
    assert extend(before, collection, dims=[4]) is before
    assert extend(before, collection, depth=10) is before


def test_the_axes_of_the_run_are_used(collection):
    """So that a new dim is a cut of the same basis, whatever would be fitted today."""
    other = Basis("pca", np.eye(12, dtype=np.float32)[::-1].copy())
    before = dataclasses.replace(evaluate(collection, dims=[4]), bases=(other,))
    after = extend(before, collection, dims=[6])
    flipped = Collection(
        *(
            dataclasses.replace(records, vectors=np.ascontiguousarray(records.vectors[:, ::-1]))
            for records in (collection.documents, collection.queries)
        )
    )
    native = evaluate(flipped, dims=[6]).rankings
    got = after.rankings
    assert np.array_equal(
        got.ids[got.place(Config(6, "int8", "pca"))], native.ids[native.place(Config(6, "int8"))]
    )


def test_a_map_that_gives_fewer_dims_gets_those_it_has(collection):
    adapter = Basis("adapter", np.eye(5, 12, dtype=np.float32))
    before = evaluate(collection, dims=[4], bases=["native"], given=[adapter])
    dims = {(c.dim, c.basis) for c in extend(before, collection, dims=[3, 7]).rankings.configs}
    assert dims == {*((d, "native") for d in (3, 4, 7, 12)), (3, "adapter"), (4, "adapter")}


def test_an_older_evaluation_gets_its_held_out_lists_as_well(collection):
    before = evaluate(collection, dims=[4], depth=10, **CHOICE)
    older = dataclasses.replace(before, bases=(), held_out=None)
    after = extend(older, collection, dims=[6])
    whole = evaluate(collection, dims=[4, 6], depth=10, **CHOICE)
    assert_same(after.rankings, whole.rankings)
    assert_same(after.held_out.rankings, whole.held_out.rankings)


def test_a_run_of_the_baseline_alone(collection):
    before = evaluate(collection, dims=[], bases=["native"])
    assert extend(before, collection, dims=[5]).rankings.configs == (Config(12), Config(5))


@pytest.mark.parametrize("dim", [0, -4, 13])
def test_a_dim_outside_is_refused(collection, dim):
    with pytest.raises(InputError, match=f"Dimension {dim} is outside 1 to 12"):
        extend(evaluate(collection, dims=[4]), collection, dims=[dim])


@pytest.mark.parametrize("depth", [0, -1])
def test_a_depth_that_leaves_nothing_is_refused(collection, depth):
    with pytest.raises(InputError, match="leaves no results"):
        extend(evaluate(collection, dims=[4]), collection, depth=depth)


def test_another_collection_is_refused(collection):
    evaluation = evaluate(collection, dims=[4])
    queries = collection.queries
    others = (
        make_collection(51),
        Collection(collection.documents, queries.select(np.arange(5))),
        Collection(
            dataclasses.replace(
                collection.documents, vectors=collection.documents.vectors[:, :8].copy()
            ),
            queries,
        ),
    )
    for other in others:
        with pytest.raises(InputError, match=r"d\.npy or q\.npy has changed since this run"):
            extend(evaluation, other, dims=[6])


def test_vectors_are_needed(collection):
    texts = Collection(dataclasses.replace(collection.documents, vectors=None), collection.queries)
    with pytest.raises(InputError, match="holds texts and no vectors"):
        extend(evaluate(collection, dims=[4]), texts, dims=[6])


def test_how_deep_memory_allows(collection, monkeypatch):
    rankings = evaluate(collection, dims=[4], depth=10, bases=["native"]).rankings
    assert deepest(rankings) == 50
    per_place = BYTES_PER_PLACE * len(rankings.configs) * rankings.n_queries
    monkeypatch.setattr(extension, "MOST_BYTES", 30 * per_place + 1)
    assert deepest(rankings) == 30
    monkeypatch.setattr(extension, "MOST_BYTES", 5 * per_place)
    assert deepest(rankings) == 10


def test_rankings_of_other_data_are_not_joined(collection):
    first = evaluate(collection, dims=[4], depth=10).rankings
    for other in (
        evaluate(collection, dims=[6], depth=9).rankings,
        evaluate(make_collection(40), dims=[6], depth=10).rankings,
    ):
        with pytest.raises(ValueError, match="cannot be joined"):
            first.joined(other, [*first.configs, Config(6)])


def trained_basis(n_docs=50, *, unseen=None, seed=7):
    components = np.random.default_rng(seed).normal(size=(12, 12)).astype(np.float32)
    return Basis("adapter", components, searched_half(n_docs) if unseen is None else unseen)


@pytest.mark.parametrize("bases", [["native"], ["native", "pca"]])
def test_a_trained_basis_joins_as_if_it_had_been_there(collection, bases):
    evaluation = evaluate(
        collection, dims=[4, 8], quantizations=["float32", "int8"], bases=bases, depth=20
    )
    basis = trained_basis()
    joined = extend(evaluation, collection, trained=basis)
    whole = evaluate(
        collection,
        dims=[4, 8],
        quantizations=["float32", "int8"],
        bases=bases,
        given=[basis],
        depth=20,
    )
    assert set(joined.rankings.configs) == set(whole.rankings.configs)
    for config in whole.rankings.configs:
        here, there = joined.rankings.place(config), whole.rankings.place(config)
        assert np.array_equal(joined.rankings.ids[here], whole.rankings.ids[there])
    for config in whole.held_out.rankings.configs:
        half, other = joined.held_out.rankings, whole.held_out.rankings
        assert np.array_equal(half.ids[half.place(config)], other.ids[other.place(config)])
    assert np.array_equal(joined.held_out.rows, searched_half(50))


def test_a_trained_basis_stays_when_the_run_grows(collection):
    evaluation = evaluate(collection, dims=[4], bases=["native", "pca"], depth=10)
    joined = extend(evaluation, collection, trained=trained_basis())
    for grown in (extend(joined, collection, dims=[6]), extend(joined, collection, depth=15)):
        own = {c for c in grown.rankings.configs if c.basis == "adapter"}
        assert {c for c in grown.held_out.rankings.configs if c.basis == "adapter"} == own
        assert own
    assert Config(6, "int8", "adapter") in extend(joined, collection, dims=[6]).held_out.rankings


def test_a_basis_trained_anew_takes_the_place_of_the_one_before(collection):
    evaluation = evaluate(collection, dims=[4], bases=["native"], depth=10)
    first = extend(evaluation, collection, trained=trained_basis(seed=1))
    second = extend(first, collection, trained=trained_basis(seed=2))
    direct = extend(evaluation, collection, trained=trained_basis(seed=2))
    assert second.rankings.configs == direct.rankings.configs
    assert np.array_equal(second.rankings.ids, direct.rankings.ids)
    assert np.array_equal(second.held_out.rankings.ids, direct.held_out.rankings.ids)
    assert len(second.bases) == 1


def test_what_has_seen_the_half_has_no_held_out_lists(collection):
    evaluation = evaluate(collection, dims=[4], bases=["native", "pca"], depth=10)
    seen = trained_basis(unseen=np.arange(3))
    joined = extend(evaluation, collection, trained=seen)
    assert Config(4, "int8", "adapter") in joined.rankings
    assert {c.basis for c in joined.held_out.rankings.configs} == {"native", "pca"}
    unknown = Basis("adapter", seen.components)
    alone = evaluate(collection, dims=[4], bases=["native"], given=[unknown], depth=10)
    assert alone.held_out is None

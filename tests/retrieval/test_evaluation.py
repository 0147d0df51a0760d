import numpy as np
import pytest

from mrl_explorer.data import Collection, Judgements, make_records
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval import evaluation as evaluation_module
from mrl_explorer.retrieval.basis import RUN_BASES, Basis, fit_basis
from mrl_explorer.retrieval.config import Config, default_dims
from mrl_explorer.retrieval.evaluation import DEFAULT_DEPTH, evaluate
from mrl_explorer.retrieval.metrics import Cutoff, recall
from mrl_explorer.retrieval.quantization import DEFAULT_QUANTIZATIONS


def unit_vectors(n, dim, *, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(n, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def documents(n=20, dim=8, *, name="docs.npy", seed=0, **columns):
    return make_records(name=name, vectors=unit_vectors(n, dim, seed=seed), **columns)


def queries(n=4, dim=8, *, name="queries.npy", seed=1, **columns):
    return make_records(
        name=name, vectors=unit_vectors(n, dim, seed=seed), what="queries", **columns
    )


@pytest.fixture
def collection():
    return Collection(documents(), queries())


def refusal(*args, **options):
    with pytest.raises(InputError) as caught:
        evaluate(*args, **options)
    return str(caught.value)


# --- what it gives ------------------------------------------------------------------------------


def test_by_default_every_dim_and_quantization_in_both_bases(collection):
    evaluation = evaluate(collection)
    cells = {
        Config(dim, quantization, basis)
        for dim in default_dims(8)
        for quantization in DEFAULT_QUANTIZATIONS
        for basis in ("native", "pca")
    }
    assert set(evaluation.rankings.configs) == cells
    assert evaluation.rankings.configs[0] == Config(8)
    assert evaluation.rankings.depth == 20
    assert evaluation.judgements is None
    assert evaluation.source.notes == ()
    assert evaluation.source.model is None


def test_what_is_asked_for_is_what_is_ranked(collection):
    evaluation = evaluate(
        collection,
        dims=iter([3]),
        quantizations=iter(["int8", "binary"]),
        bases=iter(["pca"]),
        depth=5,
        model="a model",
        trained_dims=(2, 4, 16),
    )
    assert evaluation.rankings.configs == (
        Config(8),
        Config(3, "int8", "pca"),
        Config(3, "binary", "pca"),
    )
    assert evaluation.rankings.depth == 5
    assert evaluation.source.model == "a model"
    assert evaluation.source.trained_dims == (2, 4)
    assert (evaluation.source.documents, evaluation.source.queries) == ("docs.npy", "queries.npy")


def test_the_bases_of_the_lists_are_kept(collection):
    evaluation = evaluate(collection, dims=[4], bases=RUN_BASES)
    assert [basis.name for basis in evaluation.bases] == ["pca", "pca-rotated", "random"]
    fitted = fit_basis("pca", collection.documents.vectors)
    assert np.array_equal(evaluation.bases[0].components, fitted.components)
    assert evaluate(collection, dims=[4], bases=["native"]).bases == ()


def test_the_baseline_in_another_basis_is_the_baseline(collection):
    rankings = evaluate(collection, dims=[4, 8], bases=RUN_BASES).rankings
    for basis in RUN_BASES:
        place = rankings.place(Config(8, "float32", basis))
        assert np.array_equal(rankings.ids[place], rankings.ids[0])
        assert np.array_equal(rankings.scores[place], rankings.scores[0])


def test_a_given_basis_is_ranked_at_the_dims_that_it_has(collection):
    adapter = Basis("adapter", np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32))
    evaluation = evaluate(
        collection, dims=[3, 5, 8], quantizations=["int8"], bases=["native"], given=[adapter]
    )
    cells = {(config.dim, config.basis) for config in evaluation.rankings.configs}
    assert cells == {*((d, "native") for d in (3, 5, 8)), (3, "adapter"), (5, "adapter")}
    assert evaluation.bases == (adapter,)
    assert evaluation.held_out is None
    # Named and given is the same as given.
    named = evaluate(collection, dims=[3], bases=["native", "adapter"], given=[adapter])
    assert Config(3, "int8", "adapter") in named.rankings


def test_one_name_is_no_list(collection):
    assert refusal(collection, quantizations="float32") == (
        "'float32' is one name and quantizations are a list: write ['float32']."
    )
    assert refusal(collection, bases="pca").startswith("'pca' is one name and bases are a list")


def test_a_trained_basis_that_is_not_given_is_refused(collection):
    assert refusal(collection, bases=["native", "adapter"]) == (
        "The basis 'adapter' is not made from documents: choose among native, pca, pca-rotated, "
        "random."
    )


def test_whether_documents_served_as_queries_is_kept(collection):
    both = documents(name="same.npy")
    assert evaluate(Collection(both, both), dims=[4], exclude_self=True).source.exclude_self
    assert not evaluate(collection, dims=[4]).source.exclude_self


def test_trained_dims_join_the_default_ones(collection):
    evaluation = evaluate(
        collection, quantizations=["float32"], bases=["native"], trained_dims=(5, 99)
    )
    dims = {config.dim for config in evaluation.rankings.configs}
    assert dims == {*default_dims(8), 5}


def test_the_default_depth():
    many = Collection(documents(DEFAULT_DEPTH + 1), queries())
    assert evaluate(many, dims=[], bases=["native"]).rankings.depth == DEFAULT_DEPTH == 100


def test_only_listed_documents_are_kept_with_their_texts():
    texts = [f"text {row}" for row in range(20)]
    titles = [f"title {row}" for row in range(20)]
    ids = [f"d{row}" for row in range(20)]
    collection = Collection(
        documents(texts=texts, titles=titles, ids=ids),
        queries(texts=list("abcd"), ids=list("wxyz"), segments=list("aabb")),
    )
    evaluation = evaluate(collection, dims=[4], quantizations=["int8"], depth=2)
    rows = np.unique(evaluation.rankings.ids).tolist()
    listed = evaluation.listed
    assert len(rows) < 20
    assert listed.rows.tolist() == rows
    assert listed.ids == tuple(f"d{row}" for row in rows)
    assert listed.titles == tuple(f"title {row}" for row in rows)
    assert listed.texts == tuple(f"text {row}" for row in rows)
    assert [listed.place(row) for row in rows] == list(range(len(rows)))
    for missing in {*range(20), -1, 99} - set(rows):
        with pytest.raises(KeyError):
            listed.place(missing)
    assert evaluation.queries.ids == tuple("wxyz")
    assert evaluation.queries.texts == tuple("abcd")
    assert evaluation.queries.segments == tuple("aabb")


def test_vectors_alone_have_positions_for_ids_and_empty_texts(collection):
    evaluation = evaluate(collection, dims=[])
    assert evaluation.listed.ids == tuple(map(str, range(20)))
    assert set(evaluation.listed.texts) == set(evaluation.listed.titles) == {""}
    assert evaluation.queries.ids == ("0", "1", "2", "3")
    assert evaluation.queries.texts == ("",) * 4
    assert evaluation.queries.segments is None


def test_places_after_the_end_of_a_list_are_no_documents():
    both = documents(3, name="same.npy")
    evaluation = evaluate(Collection(both, both), dims=[2], exclude_self=True)
    assert (evaluation.rankings.ids[:, :, 2] == -1).all()
    assert evaluation.listed.rows.tolist() == [0, 1, 2]


def test_judgements_are_handed_on():
    judgements = Judgements(
        "qrels", np.array([0], np.int32), np.array([3], np.int32), np.ones(1, np.float32)
    )
    collection = Collection(documents(), queries(), judgements)
    assert evaluate(collection, dims=[]).judgements is judgements


def test_progress_is_told_and_stops_the_run(collection):
    reports = []
    evaluate(collection, on_progress=reports.append)
    assert reports[-1].done == reports[-1].total

    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(collection, on_progress=stop)


# --- a document as a query ----------------------------------------------------------------------


def test_a_document_as_query_is_left_out_by_id():
    texts = [str(row) for row in range(20)]
    own = make_records(
        name="queries.jsonl",
        ids=["d3", "other", "d0"],
        texts=["a", "b", "c"],
        vectors=unit_vectors(20, 8)[[3, 5, 0]],
        what="queries",
    )
    collection = Collection(documents(ids=[f"d{r}" for r in range(20)], texts=texts), own)
    plain = evaluate(collection, dims=[4])
    assert plain.rankings.ids[0, :, 0].tolist() == [3, 5, 0]
    without = evaluate(collection, dims=[4], exclude_self=True).rankings.ids
    assert not (without[:, 0] == 3).any()
    assert (without[0, 1] == 5).any()
    assert not (without[:, 2] == 0).any()


def test_without_ids_the_same_file_is_matched_by_row():
    both = documents(name="same.npy")
    evaluation = evaluate(Collection(both, both), dims=[4], exclude_self=True)
    rows = np.arange(20)[None, :, None]
    assert not (evaluation.rankings.ids == rows).any()
    assert evaluation.rankings.ids.shape[2] == 20
    assert (evaluation.rankings.ids[:, :, -1] == -1).all()
    assert (recall(evaluation.rankings, Cutoff(20))[0] == 1).all()


def test_without_ids_other_files_cannot_be_matched(collection):
    message = refusal(collection, exclude_self=True)
    assert "docs.npy and queries.npy have no ids" in message


def test_ids_on_one_side_cannot_be_matched():
    collection = Collection(documents(ids=[str(row) for row in range(20)]), queries())
    assert "queries.npy has no ids" in refusal(collection, exclude_self=True)


# --- what it refuses ----------------------------------------------------------------------------


def test_texts_without_vectors():
    texts = make_records(name="corpus.txt", texts=["a", "b"])
    assert refusal(Collection(texts, queries())) == (
        "corpus.txt holds texts and no vectors: name a model to embed them with."
    )
    text_queries = make_records(name="queries.txt", texts=["a", "b"], what="queries")
    assert "queries.txt holds texts" in refusal(Collection(documents(), text_queries))


def test_dims_that_disagree():
    assert refusal(Collection(documents(), queries(dim=9))) == (
        "docs.npy has vectors of 8 dimensions and queries.npy of 9: embed both with the same model."
    )


def test_one_document():
    assert refusal(Collection(documents(1), queries())) == (
        "docs.npy holds one document, and a ranking needs at least two: add more."
    )


@pytest.mark.parametrize("depth", [0, -3])
def test_a_depth_below_one(collection, depth):
    assert refusal(collection, depth=depth) == (
        f"A depth of {depth} leaves no results: choose 1 or more."
    )


def test_a_dim_beyond_the_vectors(collection):
    message = refusal(collection, dims=[4, 9])
    assert message.startswith("Dimension 9 is outside 1 to 8")


def test_unknown_names(collection):
    assert "Unknown quantization 'int3'" in refusal(collection, quantizations=["int3"])
    assert "Unknown basis 'fourier'" in refusal(collection, bases=["fourier"])


def test_k_beyond_the_corpus(collection):
    evaluation = evaluate(collection, dims=[])
    with pytest.raises(InputError, match="k = 21 is larger than the corpus of 20 documents"):
        recall(evaluation.rankings, Cutoff(21))


# --- what it notes ------------------------------------------------------------------------------


def notes(documents, queries, **options):
    n_unjudged = options.pop("n_unjudged", 0)
    collection = Collection(documents, queries, n_unjudged=n_unjudged)
    return evaluate(collection, dims=[], bases=["native"], **options).source.notes


def scaled(records_of, factors):
    vectors = unit_vectors(len(factors), 8, seed=5) * np.asarray(factors, np.float32)[:, None]
    return make_records(name=records_of, vectors=vectors)


def test_vectors_of_unit_length_need_no_note():
    assert notes(documents(), queries()) == ()
    # As float16 exports are.
    assert notes(scaled("d.npy", [1, 1.0009, 0.9991]), queries()) == ()


def test_vectors_of_one_other_length_are_normalised():
    assert notes(scaled("d.npy", [3, 3, 3.1]), queries()) == (
        "Vectors in d.npy were not unit length and have been normalised.",
    )


def test_notes_on_norms_tell_the_documents_from_the_queries_of_one_file():
    assert notes(scaled("a.hdf5", [3, 3, 3.1]), scaled("a.hdf5", [2, 2])) == (
        "Vectors in a.hdf5 (documents) were not unit length and have been normalised.",
        "Vectors in a.hdf5 (queries) were not unit length and have been normalised.",
    )


def test_norms_that_spread_warn():
    (first, second) = notes(documents(), scaled("q.npy", [1, 1.06]))
    assert first == "Vectors in q.npy were not unit length and have been normalised."
    assert second == (
        "Their norms run from 1 to 1.06: if your model is meant for inner products, cosine ranks "
        "differently."
    )


def test_norms_are_read_in_parts(monkeypatch):
    monkeypatch.setattr(evaluation_module, "ROWS_AT_ONCE", 2)
    assert len(notes(scaled("d.npy", [1, 1, 1, 0.5, 2]), queries())) == 2


def test_norms_change_no_ranking():
    factors = np.linspace(0.2, 9, 20)
    other = scaled("d.npy", factors)
    same = scaled("d.npy", np.ones(20))
    lists = [evaluate(Collection(docs, queries()), dims=[4]).rankings.ids for docs in (other, same)]
    assert np.array_equal(*lists)


def test_empties_and_duplicates_are_counted():
    texts = ["a", "", "a", "b", " ", "a"]
    own = make_records(name="corpus.jsonl", texts=texts, vectors=unit_vectors(6, 8))
    assert notes(own, queries()) == (
        "Empty texts in corpus.jsonl, left out: 2.",
        "2 texts in corpus.jsonl repeat an earlier one; copies tie, and a tie counts as found.",
    )


def test_unjudged_queries_are_counted():
    assert notes(documents(), queries(), n_unjudged=7) == (
        "Queries without a judgement, left out of recall too: 7, since a BEIR collection has one "
        "file of queries for all its splits. To keep them, give queries and judgements as files "
        "of their own.",
    )


def test_documents_as_queries_warn():
    both = documents(name="same.npy")
    (note,) = notes(both, both, exclude_self=True)
    assert "overstates recall" in note

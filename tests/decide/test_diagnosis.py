from dataclasses import replace

import numpy as np
import pytest

from mrl_explorer.data import Judgements
from mrl_explorer.data.language import CANNOT_TELL
from mrl_explorer.decide.diagnosis import agreement, split_loss, tail, worth_tuning
from mrl_explorer.decide.frontier import frontier, shared_sizes
from mrl_explorer.decide.published import PUBLISHED, band, comparable
from mrl_explorer.decide.segments import (
    by_segment,
    language_kinds,
    length_kind,
    overlap_kind,
    segmentations,
)
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff, recall
from tests.decide.test_recommendation import make_evaluation


@pytest.fixture(scope="module")
def evaluation():
    return make_evaluation()


def judged(evaluation, pairs):
    queries, documents = (np.array(column, np.int32) for column in zip(*pairs, strict=True))
    gains = np.ones(len(queries), np.float32)
    return replace(evaluation, judgements=Judgements("qrels", queries, documents, gains))


def test_queries_that_fail_at_full_dimension_are_named(evaluation):
    ids = evaluation.rankings.ids[evaluation.rankings.place(evaluation.rankings.baseline)]
    # Query 3's relevant document is far down, query 5's is first.
    worth = worth_tuning(judged(evaluation, [(3, ids[3, 50]), (5, ids[5, 0])]), 10)
    assert (worth.n_judged, worth.failed) == (2, (3,))
    assert worth.ndcg == 0.5
    assert worth.weak


def test_queries_that_nothing_helps_are_told_from_those_that_something_does(evaluation):
    """By loops over every list."""
    rankings = evaluation.rankings
    ids = rankings.ids[rankings.place(rankings.baseline)]
    pairs = [(query, ids[query, 15 + query % 20]) for query in range(40)]
    worth = worth_tuning(judged(evaluation, pairs), 10)
    assert len(worth.failed) == 40
    hopeless = sum(
        not any(document in lists[query, :10] for lists in rankings.ids)
        for query, document in pairs
    )
    assert 0 < worth.n_hopeless == hopeless < 40


def test_where_full_dimension_serves_everyone_there_is_no_warning(evaluation):
    worth = worth_tuning(evaluation, 10)
    assert (worth.failed, worth.ndcg, worth.weak) == ((), 1.0, False)


def test_without_judgements_nothing_is_known(evaluation):
    worth = worth_tuning(replace(evaluation, judgements=None), 10)
    assert (worth.n_judged, worth.ndcg, worth.weak) == (0, None, False)


def test_tail_by_hand():
    spread = tail(np.array([0, 0.05, 0.3, 0.7, 0.7, 0.95, 1, 1, 1, 1]), threshold=0.5)
    assert spread.counts == (2, 0, 0, 1, 0, 0, 0, 2, 0, 1, 4)
    assert spread.share_below == 0.3
    assert spread.p5 == 0
    # 0.7 as seven hits of ten is no less than 0.7, whatever its last bit.
    assert tail(np.array([7 / 10]), threshold=0.7).share_below == 0


@pytest.mark.parametrize("rescored", [False, True])
def test_losses_add_up(evaluation, rescored):
    cutoff = Cutoff(5, 4, rescore=rescored)
    config = Config(16, "binary")
    losses = split_loss(evaluation, config, cutoff)
    place = evaluation.rankings.place
    plain = recall(evaluation.rankings, Cutoff(5)).mean(axis=1)
    assert losses.dims == pytest.approx(1 - plain[place(Config(16))])
    assert losses.bits == pytest.approx(plain[place(Config(16))] - plain[place(config)])
    assert losses.remaining == pytest.approx(losses.dims + losses.bits - losses.regained)
    assert (losses.regained > 0.05) == rescored


def test_loss_of_a_configuration_that_was_not_run(evaluation):
    assert split_loss(evaluation, Config(5, "int8"), Cutoff(5)) is None


def test_lost_neighbours_may_cost_no_relevance(evaluation):
    """What is judged relevant here stays on top; what is lost are others of the first ten."""
    config, rankings = Config(24, "int8"), evaluation.rankings
    first, own = (rankings.ids[rankings.place(c), :, 0] for c in (rankings.baseline, config))
    pairs = [(row, first[row]) for row in range(rankings.n_queries) if first[row] == own[row]]
    assert len(pairs) > 70
    agreed = agreement(judged(evaluation, pairs), config, Cutoff(10))
    assert agreed.recall < 0.95
    assert agreed.verdict == "loss without harm"


def test_lost_neighbours_may_cost_relevance(evaluation):
    assert agreement(evaluation, Config(4, "binary"), Cutoff(10)).verdict == "both lost"


def test_nothing_lost_is_agreement(evaluation):
    assert agreement(evaluation, Config(32), Cutoff(10), margin=0.01).verdict == "both kept"


def test_few_judgements_cannot_tell(evaluation):
    few = judged(evaluation, [(row, row) for row in range(3)])
    assert agreement(few, Config(16, "int8"), Cutoff(50)).verdict == "cannot tell"


# --- segments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("refund", "1 or 2 words"),
        ("two words", "1 or 2 words"),
        ("how to pay", "3 to 5 words"),
        ("a b c d e f", "6 to 10 words"),
        ("a b c d e f g h i j k", "11 words or more"),
        ("", "1 or 2 words"),
    ],
)
def test_length(text, kind):
    assert length_kind(text) == kind


def test_languages_are_told_with_the_documents_help(evaluation):
    n = evaluation.rankings.n_queries
    texts = ("mot de passe oublié", "reset my password", "404", *["Rechnung laden"] * (n - 3))
    documents = tuple(
        "Wie man ein Passwort zurücksetzt, steht auf dieser Seite"
        if row % 3
        else "Pour changer de mot de passe, ouvrez la page du compte et suivez le lien"
        for row in range(len(evaluation.listed.rows))
    )
    told = language_kinds(
        replace(
            evaluation,
            queries=replace(evaluation.queries, texts=texts),
            listed=replace(evaluation.listed, texts=documents),
        )
    )
    assert (told[0], told[2], told[3]) == ("fr", CANNOT_TELL, "de")
    # English is in no document, and in this query alone.
    assert told[1] != "en"


def test_words_of_the_query_in_the_document():
    assert overlap_kind("Reset Password", "How to reset a password.") == (
        "all occur in the first result"
    )
    assert overlap_kind("reset my password", "Reset a password") == "more than half occur in it"
    assert overlap_kind("cannot log in", "Reset a password") == "at most half occur in it"
    assert overlap_kind("?", "anything") == "at most half occur in it"


def test_segments_are_the_data_s_own_first_and_only_where_they_differ(evaluation):
    assert segmentations(evaluation) == {}
    n = evaluation.rankings.n_queries
    queries = replace(
        evaluation.queries,
        texts=("one", *["a query of many words"] * (n - 1)),
        segments=("a", *["b"] * (n - 1)),
    )
    ways = segmentations(replace(evaluation, queries=queries))
    assert list(ways) == ["Segment", "Query length"]


def test_a_segment_of_three_queries_is_shown_and_marked():
    values = np.array([0.2, 0.4, 0.6, *[1.0] * 20])
    few, many = by_segment(values, ("x", "x", "x", *["y"] * 20))
    assert (few.name, few.n_queries, few.few) == ("x", 3, True)
    assert few.recall == pytest.approx(0.4)
    assert (many.n_queries, many.few) == (20, False)
    assert few.low <= few.recall <= few.high


# --- frontier and published figures -------------------------------------------------------------


def test_frontier_by_hand():
    configs = (Config(64), Config(64, "int8"), Config(32), Config(128, "int4"), Config(16))
    #         256 B         64 B                128 B       64 B                 64 B
    values = np.array([0.9, 0.85, 0.6, 0.88, 0.3])
    assert frontier(configs, values) == (3, 0)
    # Equal in both, the native one stands.
    twins = (Config(8, "int8", "pca"), Config(8, "int8"))
    assert frontier(twins, np.array([0.5, 0.5])) == (1,)


def test_the_same_bytes_in_different_dims_and_bits():
    configs = (Config(16), Config(64, "int8"), Config(128, "int4"), Config(512, "binary"))
    alone = (Config(48), Config(48, "float32", "pca"))
    assert shared_sizes(configs + alone) == (64,)


def test_published_figures_are_shares_with_a_source():
    for one in PUBLISHED:
        assert 0 < one.kept <= 1
        assert 0 < one.share <= 1
        assert one.source
    assert {one.bits for one in PUBLISHED} == {32, 8, 4, 1}


def test_comparable_is_near_in_dims_and_equal_in_bits():
    found = comparable(Config(64, "binary"), full_dim=256)
    assert {(one.model, one.dim) for one in found} == {
        ("jina-embeddings-v3", 256),
        ("snowflake-arctic-embed-m-v2.0", 256),
        ("snowflake-arctic-embed-m-v2.0", 192),
    }
    assert comparable(Config(2, "binary"), full_dim=1024) == ()


@pytest.mark.parametrize("name", ["float32", "float16", "int8", "int4", "binary"])
def test_the_band_holds_the_figures(name):
    points = band(name)
    bits = {"float32": 32, "float16": 32, "int8": 8, "int4": 4, "binary": 1}[name]
    for share, low, high in points:
        for one in PUBLISHED:
            if one.bits == bits and abs(one.share - share) < 1e-3:
                assert low - 1e-9 <= one.kept <= high + 1e-9
    assert [share for share, *_ in points] == sorted(share for share, *_ in points)
    assert points[-1][0] == 1

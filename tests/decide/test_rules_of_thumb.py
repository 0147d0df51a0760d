"""The rules of thumb on made lists, where each verdict is known beforehand, and on the sample."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mrl_explorer.data import Judgements
from mrl_explorer.decide.rules_of_thumb import (
    CANNOT_TELL,
    FAILS,
    HOLDS,
    RULES,
    try_rules,
)
from mrl_explorer.decide.summary import summarise
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import Evaluation, Listed, Queries, Source
from mrl_explorer.retrieval.evaluation_file import load_evaluation
from mrl_explorer.retrieval.metrics import Cutoff
from mrl_explorer.retrieval.rankings import Rankings

SAMPLE = Path(__file__).parents[2] / "sample_data/help_centre"

K, DEPTH, N_DOCS = 10, 100, 5000


def lists(*, full_dim, found, n_queries=400):
    """Rankings in which each configuration finds so many of the first ten, all in its first k."""
    configs = (Config(full_dim), *found)
    truth = np.arange(DEPTH)
    ids = np.empty((len(configs), n_queries, DEPTH), np.int32)
    for place, config in enumerate(configs):
        kept = K if config == configs[0] else found[config]
        # What is not found among the first k is far behind the candidates.
        ids[place] = np.concatenate([truth[:kept], truth[K:], truth[kept:K] + 2000])[:DEPTH]
    scores = (1 - ids / N_DOCS).astype(np.float32)
    return Rankings(configs, ids, scores, scores, N_DOCS, full_dim)


def run(rankings, judgements=None):
    listed = Listed(np.unique(rankings.ids), (), (), ())
    names = tuple(map(str, range(rankings.n_queries)))
    return Evaluation(rankings, listed, Queries(names, names, None), judgements, Source("d", "q"))


def by_rule(evaluation, *, trained=False):
    return {finding.rule: finding for finding in try_rules(evaluation, trained=trained)}


def test_each_rule_is_tested_at_what_it_names():
    found = by_rule(
        run(
            lists(
                full_dim=1024,
                found={Config(512): 10, Config(256): 10, Config(1024, "int8"): 9},
            )
        )
    )
    assert tuple(found) == RULES
    assert found["512"].config == Config(512)
    assert found["512"].instead == ""
    assert found["256"].config == Config(256)
    assert (found["256"].cutoff.candidates, found["256"].cutoff.rescore) == (100, True)
    assert found["int8"].config == Config(1024, "int8")
    assert found["standard"].config == Config(512)
    verdicts = {rule: finding.kept[0].verdict for rule, finding in found.items()}
    # All is kept but by int8, so a cut does no harm.
    assert verdicts == {"512": HOLDS, "256": HOLDS, "int8": FAILS, "standard": FAILS}
    assert found["int8"].kept[0].share == pytest.approx(0.9)
    assert found["512"].kept[0].high == 1.0


def test_a_cut_that_does_harm_upholds_never_truncate():
    found = by_rule(run(lists(full_dim=384, found={Config(192): 6, Config(256): 6})))
    (kept,) = found["standard"].kept
    assert (kept.verdict, kept.share) == (HOLDS, pytest.approx(0.6))
    assert found["standard"].config == Config(192)
    assert found["256"].kept[0].verdict == FAILS
    # A model of 384 dims has no 512: half of them are tested, and that is said.
    assert (found["512"].config, found["512"].instead) == (Config(192), "too few dims")
    assert found["int8"].why_not == "not in the run"
    assert found["int8"].kept == ()


def test_a_dim_that_the_run_lacks_is_replaced_by_the_nearest():
    found = by_rule(run(lists(full_dim=1024, found={Config(384): 10, Config(96): 1})))
    assert (found["512"].config, found["512"].instead) == (Config(384), "not in the run")


def test_a_run_without_a_cut_leaves_nothing_to_test():
    found = by_rule(run(lists(full_dim=1024, found={})))
    assert {finding.why_not for finding in found.values()} == {"not in the run"}


def test_a_model_trained_to_be_cut_is_no_standard_one():
    evaluation = run(lists(full_dim=256, found={Config(128): 5}))
    assert by_rule(evaluation, trained=True)["standard"].why_not == "trained"


def test_few_queries_cannot_tell():
    found = by_rule(run(lists(full_dim=1024, found={Config(512): 10}, n_queries=3)))
    assert found["512"].kept[0].verdict == CANNOT_TELL


def test_relevance_is_judged_apart_from_recall():
    # The one relevant document stays first, while half of the results are lost.
    rankings = lists(full_dim=1024, found={Config(512): 5}, n_queries=200)
    rows = np.arange(200, dtype=np.int32)
    judgements = Judgements("qrels", rows, np.zeros(200, np.int32), np.ones(200, np.float32))
    recall, ndcg = by_rule(run(rankings, judgements))["512"].kept
    assert (recall.measure, recall.verdict) == ("recall", FAILS)
    assert (ndcg.measure, ndcg.verdict, ndcg.share) == ("nDCG", HOLDS, pytest.approx(1))
    # Where full dimension finds nothing relevant there is no relevance to keep.
    none = replace(judgements, document_rows=np.full(200, 4999, np.int32))
    assert len(by_rule(run(rankings, none))["512"].kept) == 1


@pytest.mark.parametrize(("model", "trained"), [("wordllama-256", True), ("minilm-384", False)])
def test_the_sample_s_figures_are_those_of_its_summary(model, trained):
    sample = load_evaluation(SAMPLE / model / "help_centre.evaluation")
    found = by_rule(sample, trained=trained)
    for finding in found.values():
        for kept in finding.kept:
            assert kept.low <= kept.share <= kept.high + 1e-12
    row = summarise(sample, Cutoff(K)).row(found["512"].config)
    full = summarise(sample, Cutoff(K)).row(sample.rankings.baseline)
    assert found["512"].kept[0].share == pytest.approx(row.recall)
    assert found["512"].kept[1].share == pytest.approx(row.ndcg / full.ndcg)

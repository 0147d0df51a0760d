"""Dims by query: tuned on one half, reported on the other."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl_explorer.decide.allocation import allocate, cheap_features, make_ladder
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config, grid
from mrl_explorer.retrieval.evaluation import Evaluation, Listed, Queries, Source
from mrl_explorer.retrieval.metrics import Cutoff, recall
from mrl_explorer.retrieval.sweep import sweep

FULL_DIM, K = 32, 5


def made(*, n_queries=80, segments=True, depth=30, seed=0):
    """Half of the queries ask by the first dims alone, and half by all of them."""
    random = np.random.default_rng(seed)
    documents = random.normal(size=(400, FULL_DIM)).astype(np.float32)
    # With prefixes of one norm, the first dims alone rank as all of them where the rest is zero.
    for part in (slice(0, 8), slice(8, None)):
        documents[:, part] /= np.linalg.norm(documents[:, part], axis=1, keepdims=True)
    queries = documents[random.integers(400, size=n_queries)] + 0.2 * random.normal(
        size=(n_queries, FULL_DIM)
    )
    easy = np.arange(n_queries) % 2 == 0
    queries[easy, 8:] = 0
    rankings = sweep(
        documents,
        queries.astype(np.float32),
        grid(FULL_DIM, dims=(8, 16, 32), quantizations=("float32", "int8")),
        depth=depth,
    )
    names = tuple("easy" if one else "hard" for one in easy)
    return Evaluation(
        rankings,
        Listed(np.array([], np.int32), (), (), ()),
        Queries(
            tuple(map(str, range(n_queries))),
            tuple("x" * (3 if one else 30) for one in easy),
            names if segments else None,
        ),
        None,
        Source("d", "q", None, (), ()),
    )


CUTOFF = Cutoff(K)
EVALUATION = made()


def ladder_of(evaluation):
    return make_ladder(evaluation, quantization="float32", basis="native", cutoff=CUTOFF)


def allocated(evaluation=EVALUATION, **options):
    given = {"cutoff": CUTOFF, "cheap": 0, "deep": 2, "target": 0.9, **options}
    return allocate(evaluation, ladder_of(evaluation), **given)


def test_a_ladder_holds_recall_and_work_by_dim():
    ladder = ladder_of(EVALUATION)
    assert [config.dim for config in ladder.configs] == [8, 16, 32]
    assert ladder.work.tolist() == [32, 64, 128]
    rankings = EVALUATION.rankings
    expected = recall(rankings, CUTOFF)[[rankings.place(c) for c in ladder.configs]]
    np.testing.assert_array_equal(ladder.recall, expected)
    assert sorted([*ladder.tuning, *ladder.held_out]) == list(range(80))


def test_the_held_out_half_has_no_part_in_the_tuning():
    """Whatever the queries held out would need, every rule stays what it is."""
    ladder = ladder_of(EVALUATION)
    changed = ladder.recall.copy()
    changed[:, ladder.held_out] = np.random.default_rng(1).random((3, len(ladder.held_out)))
    options = {"cutoff": CUTOFF, "cheap": 0, "deep": 2, "target": 0.9}
    before = allocate(EVALUATION, ladder, **options)
    after = allocate(EVALUATION, replace(ladder, recall=changed), **options)
    for one, other in zip(before.policies, after.policies, strict=True):
        np.testing.assert_array_equal(one.levels, other.levels)
        assert one.rule == other.rule
    assert before.policies[0].tuned.recall != after.policies[0].tuned.recall


def test_figures_are_those_of_the_levels_by_hand():
    allocation = allocated()
    ladder = allocation.ladder
    for policy in allocation.policies:
        kept = ladder.recall[policy.levels, ladder.held_out]
        assert policy.tuned.recall == pytest.approx(kept.mean())
        assert policy.low <= policy.tuned.recall <= policy.high
        assert policy.tuned.share == pytest.approx((policy.levels > 0).mean())
        work = np.array([32, 64, 128])[policy.levels].astype(float)
        if policy.name != "by segment":
            # The cheap search has been run for those that go deeper, too.
            work += np.where(policy.levels == 2, 32, 0)
        assert policy.tuned.work == pytest.approx(work.mean())


def test_segments_that_differ_get_different_dims():
    (policy,) = [p for p in allocated(target=0.95).policies if p.name == "by segment"]
    ladder = ladder_of(EVALUATION)
    segments = np.array(EVALUATION.queries.segments)[ladder.held_out]
    easy, hard = (set(policy.levels[segments == name]) for name in ("easy", "hard"))
    assert easy == {0}
    assert hard == {2}
    assert policy.reached
    assert "easy 8, hard 32" in policy.rule
    fixed = allocated(target=0.95)
    assert fixed.fixed_tuned == 2
    assert policy.tuned.work < fixed.fixed[2].work


def test_valued_segments_get_all_dims():
    (policy,) = [p for p in allocated(valued=["easy"]).policies if p.name == "by segment"]
    ladder = ladder_of(EVALUATION)
    segments = np.array(EVALUATION.queries.segments)[ladder.held_out]
    assert set(policy.levels[segments == "easy"]) == {2}


def test_a_predictor_learns_what_the_query_tells():
    allocation = allocated(target=0.95)
    (policy,) = [p for p in allocation.policies if p.name == "by predictor"]
    hard = np.array(EVALUATION.queries.segments)[allocation.ladder.held_out] == "hard"
    # Length gives it away, so most that need more get more, and few others do.
    assert policy.levels[hard].mean() > 1.5
    assert policy.levels[~hard].mean() < 0.5


@settings(max_examples=5)
@given(st.integers(0, 5), st.floats(0.3, 1.0))
def test_no_policy_beats_the_oracle_nor_leaves_the_ends(seed, target):
    evaluation = made(n_queries=24, seed=seed)
    allocation = allocated(evaluation, target=target)
    works = np.array([point.work for point in allocation.oracle])
    recalls = np.array([point.recall for point in allocation.oracle])
    assert (np.diff(recalls) >= -1e-12).all()
    points = [*allocation.fixed]
    for policy in allocation.policies:
        points += [*policy.curve, policy.tuned]
    for point in points:
        # Below the line between two of the oracle's points is where mixtures lie.
        assert point.recall <= np.interp(point.work, works, recalls) + 1e-9
    for policy in allocation.policies[:2]:
        assert policy.curve[0].recall == pytest.approx(allocation.fixed[0].recall)
        assert policy.curve[0].work == allocation.fixed[0].work
        assert policy.curve[-1].recall == pytest.approx(allocation.fixed[2].recall)
        assert policy.curve[-1].work == allocation.fixed[0].work + allocation.fixed[2].work


def test_a_target_out_of_reach_sends_everybody_and_is_told():
    evaluation = made()
    ladder = ladder_of(evaluation)
    weak = replace(ladder, recall=ladder.recall * 0.5)
    allocation = allocate(evaluation, weak, cutoff=CUTOFF, cheap=0, deep=1, target=0.9)
    for policy in allocation.policies:
        assert not policy.reached
    assert set(allocation.policies[0].levels) == {1}
    assert allocation.fixed_tuned is None


def test_features_by_hand():
    rankings = EVALUATION.rankings
    scores = rankings.scores[rankings.place(Config(8))].astype(float)
    features = cheap_features(EVALUATION, Config(8), k=K)
    np.testing.assert_allclose(features[:, 0], scores[:, 4] - scores[:, 5])
    np.testing.assert_allclose(features[:, 2], scores[:, 0] - scores[:, 4])
    np.testing.assert_allclose(features[:, 3], scores[:, 4] - scores[:, 9])
    assert features[:2, 7].tolist() == [3, 30]


def test_features_of_a_list_that_ends_early_are_numbers():
    rankings = EVALUATION.rankings
    scores = rankings.scores.copy()
    scores[:, :, -3:] = -np.inf
    evaluation = replace(EVALUATION, rankings=replace(rankings, scores=scores))
    assert np.isfinite(cheap_features(evaluation, Config(8), k=29)).all()


def test_relevance_is_reported_for_judged_queries_only():
    ladder = ladder_of(EVALUATION)
    ndcg = np.full(ladder.recall.shape, np.nan)
    ndcg[:, ladder.held_out[:3]] = [[0.2] * 3, [0.4] * 3, [0.8] * 3]
    options = {"cutoff": CUTOFF, "cheap": 0, "deep": 2, "target": 0.9}
    allocation = allocate(EVALUATION, replace(ladder, ndcg=ndcg), **options)
    assert [point.ndcg for point in allocation.fixed] == pytest.approx([0.2, 0.4, 0.8])


def test_one_segment_or_none_has_no_policy_by_segment():
    queries = replace(EVALUATION.queries, segments=("a",) * 80)
    allocation = allocated(replace(EVALUATION, queries=queries))
    assert [policy.name for policy in allocation.policies] == ["by margin", "by predictor"]
    assert allocation.left_out == ("No policy by segment: all queries are in one.",)
    allocation = allocated(made(segments=False))
    assert allocation.left_out == ("No policy by segment: the queries have none.",)


def test_too_few_queries_dims_or_places_are_told():
    with pytest.raises(InputError, match="19 queries are too few"):
        ladder_of(made(n_queries=19))
    with pytest.raises(InputError, match="int4 in the basis native at 0 dims"):
        make_ladder(EVALUATION, quantization="int4", basis="native", cutoff=CUTOFF)
    with pytest.raises(InputError, match="lists of more than 30 places"):
        make_ladder(EVALUATION, quantization="int8", basis="native", cutoff=Cutoff(30))


@pytest.mark.parametrize("options", [{"cheap": 1, "deep": 1}, {"deep": 3}, {"target": 0}])
def test_levels_and_targets_that_make_no_sense_are_told(options):
    with pytest.raises(InputError):
        allocated(**options)

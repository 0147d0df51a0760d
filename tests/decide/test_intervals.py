import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import binomtest, bootstrap

from mrl_explorer.decide import intervals as intervals_module
from mrl_explorer.decide.intervals import (
    LEVEL,
    N_RESAMPLES,
    intervals,
    most_promised,
    queries_to_promise,
    simultaneous_lows,
)

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 60))
# As recall has them, shares of a small k, and anything else between 0 and 1.
VALUES = st.one_of(
    hnp.arrays(np.float64, SHAPES, elements=st.integers(0, 10).map(lambda hits: hits / 10)),
    hnp.arrays(np.float64, SHAPES, elements=st.sampled_from([0, 1 / 3, 0.9, 0.99, 1])),
    hnp.arrays(np.float64, SHAPES, elements=st.floats(0, 1)),
)


def test_the_level_is_95_percent():
    assert LEVEL == 0.95
    assert N_RESAMPLES >= 2000


@given(VALUES)
def test_ends_enclose_the_mean_within_0_and_1(values):
    low, high = intervals(values)
    mean = values.mean(axis=1)
    assert low.dtype == high.dtype == np.float64
    assert low.shape == high.shape == (len(values),)
    assert (low >= 0).all()
    assert (low <= mean).all()
    assert (mean <= high).all()
    # A mean of ones may itself be off by its last bit.
    assert (high <= np.maximum(mean, 1)).all()


@settings(max_examples=300)
@given(VALUES, st.data())
def test_at_least_as_good_on_every_query_is_never_ranked_below(values, data):
    """Monotone to the last bit: no tolerance."""
    gains = data.draw(
        hnp.arrays(np.float64, values.shape, elements=st.sampled_from([0, 0, 0, 1e-9, 0.1, 1]))
    )
    better = np.minimum(values + gains, 1)
    both = np.vstack([values, better])
    low, high = intervals(both)
    n = len(values)
    assert (low[n:] >= low[:n]).all()
    assert (high[n:] >= high[:n]).all()


@pytest.mark.parametrize("n_queries", [1, 7, 50, 333, 1000])
def test_monotone_along_a_chain_of_many_configurations(n_queries):
    """Wherever a configuration stands in the matrix that is multiplied."""
    random = np.random.default_rng(n_queries)
    steps = random.random((80, n_queries)) * (random.random((80, n_queries)) < 0.1)
    chain = np.minimum(np.cumsum(steps, axis=0) / 3, 1)
    order = random.permutation(80)
    low, high = (end[np.argsort(order)] for end in intervals(chain[order]))
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()


@pytest.mark.parametrize("n_queries", [1, 2, 3, 7, 10, 49, 50, 99, 100, 333, 1000])
def test_a_sample_without_a_miss_promises_less_than_one(n_queries):
    low, high = intervals(np.ones((3, n_queries)))
    assert (high == 1).all()
    # The exact binomial bound: none missed in n draws.
    assert low == pytest.approx(binomtest(n_queries, n_queries).proportion_ci().low)


def test_more_queries_promise_more():
    ends = [intervals(np.ones((1, n)))[0][0] for n in (1, 5, 20, 100, 500)]
    assert ends == sorted(ends)
    assert ends[-1] > 0.99


def test_a_sample_without_a_hit_rules_out_no_more_than_the_exact_bound():
    low, high = intervals(np.zeros((1, 40)))
    assert low == 0
    assert high == pytest.approx(binomtest(0, 40).proportion_ci(0.95, "exact").high)


def test_one_query_says_next_to_nothing():
    low, high = intervals(np.array([[1.0], [0.4]]))
    assert low.tolist() == pytest.approx([0.025, 0.025])
    assert high.tolist() == [1.0, pytest.approx(0.975)]


def test_no_query_has_no_interval():
    low, high = intervals(np.zeros((3, 0)))
    assert np.isnan(low).all()
    assert np.isnan(high).all()
    assert low.shape == high.shape == (3,)


@pytest.mark.parametrize("seed", range(3))
def test_the_upper_end_is_scipys_percentile_bootstrap(seed):
    random = np.random.default_rng(seed)
    values = random.binomial(10, 0.8, size=300) / 10
    expected = bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=seed
    ).confidence_interval
    low, high = intervals(values[None])
    assert high[0] == pytest.approx(expected.high, abs=1.5e-3)
    # The added query lowers the other end, by little in so many.
    assert expected.low - 0.004 < low[0] < expected.low + 5e-4


def test_the_lower_end_is_the_bootstrap_with_a_query_of_three_quarters():
    values = np.random.default_rng(5).binomial(10, 0.9, size=60) / 10
    expected = bootstrap(
        (np.append(values, 0.75),), np.mean, method="percentile", n_resamples=20_000, rng=1
    ).confidence_interval
    assert intervals(values[None])[0][0] == pytest.approx(expected.low, abs=3e-3)


def test_as_many_queries_as_it_takes_to_promise():
    assert most_promised(queries_to_promise(0.99)) >= 0.99
    assert most_promised(queries_to_promise(0.99) - 1) < 0.99
    # The rule of three, for 97.5%: 3.7 / n.
    assert most_promised(1000) == pytest.approx(1 - 3.69 / 1000, abs=1e-5)


def test_near_one_the_interval_covers():
    """95% of intervals hold the true mean where the plain percentile interval holds 79%."""
    random = np.random.default_rng(0)
    trials = random.binomial(10, 0.99, size=(400, 50)) / 10
    trials = np.where(random.random(trials.shape) < 0.05, trials * 0.9, trials)
    truth = 0.99 * (1 - 0.05 * 0.1)
    low, _ = intervals(trials)
    assert (low <= truth).mean() >= 0.97


def test_the_same_values_have_the_same_interval():
    values = np.random.default_rng(1).random((4, 30))
    first = intervals(values)
    intervals_module._draws.cache_clear()
    np.random.seed(3)  # noqa: NPY002 - global random numbers are nobody's business here
    second = intervals(values)
    assert np.array_equal(first, second)


def test_a_configurations_interval_does_not_depend_on_the_others():
    values = np.random.default_rng(2).random((12, 90))
    together = np.array(intervals(values))
    alone = np.hstack([intervals(row[None]) for row in values])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_resamples_are_paired():
    """A configuration that is better by the same on every query is so at both ends."""
    values = np.random.default_rng(3).random((1, 80)) / 2
    low, high = intervals(np.vstack([values, values + 0.25]))
    assert low[1] - low[0] == pytest.approx(0.25 * 80 / 81, abs=3e-3)
    assert high[1] - high[0] == pytest.approx(0.25, abs=1e-6)


def test_the_order_of_the_values_is_not_changed():
    values = np.random.default_rng(4).random((3, 20))
    before = values.copy()
    intervals(values)
    assert np.array_equal(values, before)


# --- all rows at once ---------------------------------------------------------------------------


@given(VALUES)
def test_joint_lows_lie_below_the_rows_own(values):
    low, _ = intervals(values)
    assert (simultaneous_lows(values) <= low).all()


def test_one_row_needs_little_allowance():
    values = np.random.default_rng(6).binomial(10, 0.8, size=(1, 200)) / 10
    assert simultaneous_lows(values) == pytest.approx(intervals(values)[0], abs=0.25 / 200 + 1e-3)


@settings(max_examples=200)
@given(VALUES, st.data())
def test_joint_lows_are_monotone(values, data):
    gains = data.draw(
        hnp.arrays(np.float64, values.shape, elements=st.sampled_from([0, 0, 0, 1e-9, 0.1, 1]))
    )
    low = simultaneous_lows(np.vstack([values, np.minimum(values + gains, 1)]))
    assert (low[len(values) :] >= low[: len(values)]).all()


def test_joint_lows_are_the_max_t_bounds_worked_out_naively():
    """Draw by draw: the share of resamples in which any row falls below its bound."""
    random = np.random.default_rng(8)
    values = random.binomial(10, 0.8, size=(12, 200)) / 10
    low = simultaneous_lows(values)
    resamples = random.integers(201, size=(4000, 201))
    padded = np.hstack([values, np.full((12, 1), 0.5)])
    means = np.array([padded[:, rows].mean(axis=1) for rows in resamples])
    outside = (means < low - 1e-6).any(axis=1).mean()
    assert 0.01 < outside < 0.04
    # Row by row each bound is missed about a twelfth as often, and by all alike.
    each = (means < low - 1e-6).mean(axis=0)
    assert each.max() < 0.008


def test_copies_of_one_row_need_no_allowance():
    values = np.random.default_rng(9).binomial(10, 0.8, size=(1, 150)) / 10
    assert simultaneous_lows(np.repeat(values, 40, axis=0)) == pytest.approx(
        simultaneous_lows(values)[0]
    )


def test_the_best_of_many_is_not_believed():
    """Of 60 configurations of the same worth, the best looking one's own interval is too high."""
    random = np.random.default_rng(10)
    naive = joint = 0
    for _ in range(60):
        values = random.binomial(10, 0.85, size=(60, 80)) / 10
        naive += intervals(values)[0].max() > 0.85
        joint += simultaneous_lows(values).max() > 0.85
    assert naive > 25
    assert joint <= 5


def test_no_rows_have_no_joint_lows():
    assert simultaneous_lows(np.zeros((0, 5))).shape == (0,)
    assert np.isnan(simultaneous_lows(np.zeros((2, 0)))).all()

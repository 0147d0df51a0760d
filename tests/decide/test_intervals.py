import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import bootstrap

from mrl_explorer.decide import intervals as intervals_module
from mrl_explorer.decide.intervals import LEVEL, N_RESAMPLES, intervals

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
    assert (low < 1).all()
    assert (low > 0.5).all() or n_queries < 4


def test_more_queries_promise_more():
    ends = [intervals(np.ones((1, n)))[0][0] for n in (1, 5, 20, 100, 500)]
    assert ends == sorted(ends)
    assert ends[-1] > 0.99


def test_a_sample_without_a_hit_is_zero():
    low, high = intervals(np.zeros((1, 40)))
    assert (low, high) == (0, 0)


def test_one_query_says_next_to_nothing():
    low, high = intervals(np.array([[1.0], [0.4]]))
    assert low.tolist() == [0.5, 0.4]
    assert high.tolist() == [1.0, pytest.approx(0.4)]


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
    # The added query of 0.5 lowers the other end, by little in so many.
    assert expected.low - 0.004 < low[0] < expected.low + 5e-4


def test_the_lower_end_is_the_bootstrap_with_a_query_of_one_half():
    values = np.random.default_rng(5).binomial(10, 0.97, size=60) / 10
    expected = bootstrap(
        (np.append(values, 0.5),), np.mean, method="percentile", n_resamples=20_000, rng=1
    ).confidence_interval
    assert intervals(values[None])[0][0] == pytest.approx(expected.low, abs=3e-3)


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

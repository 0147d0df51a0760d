import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap

from mrl_explorer.decide.pairs import compare, needed_queries


def two(n, *, shift=0.0, spread=0.2, seed=0):
    """Values of two configurations that differ by `shift` on average."""
    random = np.random.default_rng(seed)
    second = random.uniform(0.3, 0.7, size=n)
    return second + shift + random.uniform(-spread, spread, size=n), second


def test_the_interval_is_scipys_bootstrap_of_the_paired_differences():
    first, second = two(400)
    expected = bootstrap(
        (first - second,), np.mean, method="percentile", n_resamples=20_000, rng=1
    ).confidence_interval
    pair = compare(first, second)
    assert pair.difference == pytest.approx((first - second).mean())
    # The added query widens each end by at most 0.25 / 400 and a little noise.
    assert expected.low - 0.002 < pair.low <= expected.low + 5e-4
    assert expected.high - 5e-4 <= pair.high < expected.high + 0.002


def test_swapped_the_verdict_is_the_mirror_image():
    first, second = two(90, shift=0.1)
    pair, mirror = compare(first, second), compare(second, first)
    assert (pair.verdict, mirror.verdict) == ("first better", "second better")
    assert mirror.low == pytest.approx(-pair.high, abs=2e-3)
    assert mirror.needed == pair.needed


def test_alike_when_the_whole_interval_is_within_the_margin():
    first, second = two(2000, spread=0.05)
    assert compare(first, second, margin=0.01).verdict == "alike"
    # So it is when one is better by less than matters.
    assert compare(first + 0.004, second, margin=0.01).verdict == "alike"


def test_few_queries_cannot_tell():
    first, second = two(30)
    pair = compare(first, second, margin=0.01)
    assert pair.verdict == "cannot tell"
    assert pair.needed > 30


def test_no_difference_in_few_queries_is_no_proof_that_there_is_none():
    values = np.ones(20)
    pair = compare(values, values, margin=0.01)
    assert (pair.difference, pair.verdict) == (0, "cannot tell")
    assert pair.low < 0 < pair.high
    assert pair.needed > 20
    many = np.ones(400)
    assert compare(many, many, margin=0.01).verdict == "alike"


@given(
    st.floats(-0.5, 0.5),
    st.integers(5, 60),
    st.sampled_from([0.005, 0.01, 0.05]),
    st.integers(0, 5),
)
def test_the_number_needed_does_not_depend_on_the_observed_difference(shift, n, margin, seed):
    differences = np.random.default_rng(seed).normal(0, 0.1, size=n)
    assert needed_queries(differences + shift, margin=margin) == pytest.approx(
        needed_queries(differences, margin=margin), abs=1
    )


@pytest.mark.parametrize("margin", [0.01, 0.02])
def test_with_the_number_needed_the_interval_fits_the_margin(margin):
    first, second = two(60, shift=0.03, seed=4)
    needed = compare(first, second, margin=margin).needed
    random = np.random.default_rng(5)
    widths = []
    for _ in range(10):
        rows = random.integers(60, size=needed)
        pair = compare(first[rows], second[rows], margin=margin)
        widths.append((pair.high - pair.low) / 2)
    assert np.mean(widths) == pytest.approx(margin, rel=0.1)


def test_half_the_margin_needs_more_than_three_times_the_queries():
    first, second = two(50)
    assert compare(first, second, margin=0.005).needed > 3 * compare(first, second).needed


def test_one_query_tells_nothing():
    pair = compare(np.array([1.0]), np.array([0.2]))
    assert pair.verdict == "cannot tell"
    assert pair.low < 0 < pair.high

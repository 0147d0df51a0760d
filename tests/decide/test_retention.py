import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mrl_explorer.decide.retention import retention
from mrl_explorer.errors import InputError


def against(ndcg, full):
    return retention(ndcg, full[None], np.zeros(len(ndcg), int))


def test_the_share_is_the_ratio_of_means():
    full = np.array([1.0, 0.5, 0.0, 0.5])
    share, low = against(np.array([[1.0, 0.0, 0.0, 0.5], [1.0, 1.0, 0.5, 0.5]]), full)
    assert share.tolist() == [0.75, 1.5]
    assert (low <= share).all()


def test_the_low_end_is_that_of_a_paired_bootstrap():
    random = np.random.default_rng(0)
    full = random.random(300)
    ndcg = full * random.uniform(0.8, 1, size=300)
    share, low = against(ndcg[None], full)
    mean = full.mean()
    padded, base = np.append(ndcg, 0.5 * mean), np.append(full, mean)
    rows = random.integers(301, size=(20_000, 301))
    ratios = padded[rows].sum(axis=1) / base[rows].sum(axis=1)
    assert low[0] == pytest.approx(np.quantile(ratios, 0.025), abs=2e-3)
    # Pairing cancels what makes a query hard for both.
    assert share[0] - low[0] < 0.02


@given(
    hnp.arrays(np.float64, (2, 12), elements=st.sampled_from([0, 0.3, 0.5, 1])),
    st.integers(0, 11),
)
def test_monotone(ndcg, place):
    full = np.full(12, 0.5)
    better = ndcg.copy()
    better[0, place] = 1
    share, low = against(np.vstack([ndcg, better]), full)
    assert share[2] >= share[0]
    assert low[2] >= low[0]


def test_a_row_is_a_share_of_its_own_base():
    """What was measured on other documents is held against full dimension on those."""
    full = np.array([[1.0, 0.5, 0.5, 1.0], [1.0, np.nan, 0.25, 0.75]])
    ndcg = np.array([[0.5, 0.5, 0.5, 0.5], [0.5, 0.0, 0.25, 0.75]])
    share, low = retention(ndcg, full, np.array([0, 1]))
    assert share.tolist() == [2 / 3, 0.75]
    assert (low < share).all()


def test_a_query_that_does_not_count_changes_nothing_but_the_resamples():
    random = np.random.default_rng(1)
    full = random.uniform(0.2, 1, 200)
    ndcg = full * random.uniform(0.7, 1, 200)
    share, low = against(ndcg[None], full)
    more = np.vstack([np.append(full, np.full(100, 0.5)), np.append(full, np.full(100, np.nan))])
    other, other_low = retention(np.append(ndcg, np.zeros(100))[None], more, np.array([1]))
    assert other[0] == pytest.approx(share[0])
    # 200 of 300 queries count, in each resample about as many: the end is about where it was.
    assert other_low[0] == pytest.approx(low[0], abs=0.01)


def test_nothing_found_at_full_dimension_cannot_be_kept():
    with pytest.raises(InputError, match="no nDCG to keep"):
        against(np.zeros((1, 4)), np.zeros(4))

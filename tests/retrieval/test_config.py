import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.basis import BASES
from mrl_explorer.retrieval.config import MAX_CHOSEN_DIMS, Config, baseline, default_dims, grid
from mrl_explorer.retrieval.quantization import DEFAULT_QUANTIZATIONS, QUANTIZATIONS


def test_a_configuration_reads_as_on_the_page():
    assert str(Config(256, "int8")) == "256d int8"
    assert str(Config(256, "int8", "pca")) == "256d int8 pca"


def test_bytes_per_vector():
    assert Config(100, "binary").bytes_per_vector == 13
    assert Config(256).bytes_per_vector == 1024


def test_baseline_and_rotated_baseline():
    assert baseline(768) == Config(768, "float32", "native")
    assert not baseline(768).is_rotated_baseline(768)
    assert Config(768, "float32", "pca").is_rotated_baseline(768)
    for basis in ("pca-rotated", "random"):
        assert Config(768, "float32", basis).is_rotated_baseline(768)
    # A trained map is no rotation: what it gives at full dimension is its own.
    assert not Config(768, "float32", "adapter").is_rotated_baseline(768)
    assert not Config(767, "float32", "pca").is_rotated_baseline(768)
    assert not Config(768, "float16", "pca").is_rotated_baseline(768)


def test_which_bases_were_fitted_on_the_documents():
    fitted = [name for name in BASES if Config(4, "int8", name).is_fitted]
    assert fitted == ["pca", "pca-rotated", "adapter"]


@pytest.mark.parametrize(
    ("full_dim", "dims"),
    [
        (2, (2,)),
        (3, (2, 3)),
        (16, (2, 3, 4, 6, 8, 12, 16)),
        (256, (32, 48, 64, 96, 128, 192, 256)),
        (384, (32, 48, 64, 96, 128, 192, 256, 384)),
        (768, (32, 48, 64, 96, 128, 192, 256, 384, 512, 768)),
    ],
)
def test_default_dims(full_dim, dims):
    assert default_dims(full_dim) == dims


@given(st.integers(2, 100_000), st.sets(st.integers(-5, 200_000), max_size=8))
def test_default_dims_are_few_ascending_and_within(full_dim, trained):
    dims = default_dims(full_dim, trained=trained)
    assert list(dims) == sorted(set(dims))
    assert dims[0] >= 1
    assert dims[-1] == full_dim
    assert {d for d in trained if 0 < d <= full_dim} <= set(dims)
    assert len(dims) <= MAX_CHOSEN_DIMS + len(trained)


def test_grid_lists_the_baseline_then_native_float32():
    configs = grid(8, dims=[4, 2, 8], quantizations=["float32", "int8"], bases=["pca", "native"])
    assert configs == (
        Config(8),
        Config(2),
        Config(4),
        *(Config(d, "int8") for d in (2, 4, 8)),
        *(Config(d, "float32", "pca") for d in (2, 4, 8)),
        *(Config(d, "int8", "pca") for d in (2, 4, 8)),
    )


def test_grid_by_default():
    assert grid(4) == (
        Config(4),
        *(c for q in DEFAULT_QUANTIZATIONS for d in (2, 3, 4) if (c := Config(d, q)) != Config(4)),
    )


def test_grid_repeats_nothing():
    configs = grid(4, dims=[2, 2, 4], quantizations=["int8", "int8"], bases=["native", "native"])
    assert configs == (Config(4), Config(2, "int8"), Config(4, "int8"))


def test_grid_without_dims_is_the_baseline():
    assert grid(4, dims=[]) == (Config(4),)


def test_grid_takes_iterators():
    listed = grid(8, dims=[2, 4], quantizations=list(QUANTIZATIONS), bases=list(BASES))
    assert grid(8, dims=iter([2, 4]), quantizations=iter(QUANTIZATIONS), bases=iter(BASES)) == (
        listed
    )
    assert len(listed) == 1 + 2 * len(QUANTIZATIONS) * len(BASES)


@pytest.mark.parametrize("dim", [0, -1, 9])
def test_grid_refuses_a_dim_outside(dim):
    with pytest.raises(InputError, match=rf"Dimension {dim} is outside 1 to 8.*choose dims up"):
        grid(8, dims=[4, dim])


def test_grid_refuses_unknown_names():
    with pytest.raises(InputError, match="Unknown basis 'fourier': choose among native, pca"):
        grid(8, bases=["fourier"])
    with pytest.raises(InputError, match="Unknown quantization 'int3'"):
        grid(8, quantizations=["int3"])

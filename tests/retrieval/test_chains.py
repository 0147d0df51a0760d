import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.candidates import Scorer
from mrl_explorer.retrieval.chains import (
    chain,
    check_chain,
    parse_chain,
    remarks,
    rescoring_name,
    stored_code,
    stored_once,
)
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.quantization import QUANTIZATIONS

FULL = Config(256)


def test_a_chain_reads_as_it_runs():
    one = parse_chain("64-binary:500, 128-int8-pca:50, 256-float32:10")
    assert one == chain((Config(64, "binary"), 500), (Config(128, "int8", "pca"), 50), (FULL, 10))
    assert str(one) == "64d binary, 500 → 128d int8 pca, 50 → 256d float32, 10"
    assert (one.candidates, one.k) == (500, 10)


@given(
    st.lists(
        st.builds(
            Config,
            st.integers(1, 4096),
            st.sampled_from(list(QUANTIZATIONS)),
            st.sampled_from(["native", "pca"]),
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 10**6),
)
def test_every_chain_can_be_spelled(configs, keep):
    one = chain(*((config, keep) for config in configs))
    assert parse_chain(one.spelling) == one


@pytest.mark.parametrize(
    "text", ["", "64", "64-binary", "64-binary:", "64-float64:10", "64-int8-nosuch:5", "x-int8:5"]
)
def test_what_is_no_stage_is_told(text):
    with pytest.raises(InputError, match="names no stage: write dim-quantization:candidates"):
        parse_chain(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("64-binary:9,256-float32:10", "give stage 1 at least 10 candidates"),
        ("64-binary:101,256-float32:10", "the corpus has 100"),
        ("64-binary:0", "hands on nothing"),
        ("257-binary:10", "257 dimensions and the model 256"),
        (",".join(["64-binary:10"] * 5), "1 to 4 stages"),
    ],
)
def test_what_cannot_run_is_told(text, message):
    with pytest.raises(InputError, match=message):
        check_chain(parse_chain(text), n_docs=100, full_dim=256)


def test_shorter_codes_after_longer_ones_are_allowed_and_remarked():
    one = parse_chain("128-int8:50,64-int8:20,256-float32:10")
    check_chain(one, n_docs=100, full_dim=256)
    (remark,) = remarks(one)
    assert remark.startswith("Stage 2 ranks by shorter codes")
    assert remarks(parse_chain("64-int8:50,256-float32:10")) == ()


def test_rescoring_is_named():
    def named(last):
        return rescoring_name(Config(64, "binary"), last, full_dim=256)

    assert named(FULL) == "full-dimension float32"
    assert named(Config(64)) == "same-dimension float32"
    assert named(Config(64, "int8")) == "same-dimension int8"
    assert named(Config(64, "binary-floatq")) == "float32 query on the same codes"
    assert named(Config(128, "int8")) == "128d int8"


def test_a_float_query_reads_codes_that_are_stored_already():
    configs = [Config(64, "binary"), Config(64, "binary-floatq"), Config(64, "int4"), FULL]
    assert stored_once(configs) == (configs[0], configs[2], FULL)
    assert stored_code(Config(64, "binary-centred-floatq")) != stored_code(configs[0])


def test_equal_codes_are_the_same_bits():
    """What is stored once has to be the same bytes for both."""
    vectors = np.random.default_rng(0).normal(size=(20, 16)).astype(np.float32)
    scorer = Scorer(vectors, vectors)
    for name in ("binary", "int4"):
        pair = (Config(8, name), Config(8, f"{name}-floatq"))
        assert stored_code(pair[0]) == stored_code(pair[1])
        first, second = (scorer.all_codes(config) for config in pair)
        np.testing.assert_array_equal(first, second)

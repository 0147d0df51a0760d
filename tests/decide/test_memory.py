import numpy as np
import pytest
from usearch.index import Index

from mrl_explorer.decide.memory import memory
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.quantization import QUANTIZATIONS

# M = 16: a key of 8 bytes, 2 + 2 of level, a base list of 32 links and, for one node in 15 on
# average, one of 16 above it; a list is a count of 4 bytes and 4 a link.
GRAPH = 8 + 2 + 2 + (4 + 4 * 32) + (4 + 4 * 16) / 15


def project(dim, quantization="float32", *, n_vectors=1.0, full_dim=1024, rescore=False):
    return memory(
        Config(dim, quantization), n_vectors=n_vectors, full_dim=full_dim, rescore=rescore
    )


def test_one_vector_by_hand():
    one = project(256, "binary")
    assert one.vectors == 32
    assert one.graph == pytest.approx(148.5333333)
    assert one.graph == pytest.approx(GRAPH)
    assert one.rescoring == 0
    assert one.disk == pytest.approx(180.5333333)
    # Measured: 287 to 290 bytes resident, of which 32 are the code.
    assert 287 <= one.ram <= 291


def test_the_copy_for_rescoring_is_on_disk_alone():
    plain, rescored = project(64, "int8"), project(64, "int8", rescore=True)
    assert rescored.rescoring == 4096
    assert rescored.ram == plain.ram
    assert rescored.disk == plain.disk + 4096


def test_memory_grows_with_the_vectors():
    one, many = project(100, "int4"), project(100, "int4", n_vectors=10_000_000)
    for part in ("vectors", "graph", "bookkeeping", "rescoring", "ram", "disk"):
        assert getattr(many, part) == pytest.approx(10_000_000 * getattr(one, part))
    assert many.vectors == 500_000_000


@pytest.mark.parametrize("name", QUANTIZATIONS)
def test_vectors_are_the_codes_rounded_up_to_bytes(name):
    bits = QUANTIZATIONS[name].bits
    for dim in (1, 7, 9, 100, 255, 1024):
        assert project(dim, name).vectors == -(-dim * bits // 8)


def test_ten_million_at_1024_float32():
    projected = project(1024, n_vectors=10**7)
    assert projected.vectors == 40.96e9
    assert projected.disk == pytest.approx(40.96e9 + 1e7 * GRAPH)


@pytest.mark.parametrize(
    ("dim", "quantization", "dtype"),
    [
        (256, "binary", "b1"),
        (64, "int8", "i8"),
        (96, "float16", "f16"),
        (48, "bfloat16", "bf16"),
        (64, "float32", "f32"),
    ],
)
def test_disk_is_what_usearch_writes(dim, quantization, dtype, tmp_path):
    n_vectors = 2000
    vectors = np.random.default_rng(0).normal(size=(n_vectors, dim)).astype(np.float32)
    index = Index(ndim=dim, metric="hamming" if dtype == "b1" else "cos", dtype=dtype)
    codes = np.packbits(vectors > 0, axis=1) if dtype == "b1" else vectors
    index.add(np.arange(n_vectors), codes)
    index.save(str(tmp_path / "index"))
    written = (tmp_path / "index").stat().st_size
    projected = project(dim, quantization, n_vectors=n_vectors)
    assert projected.disk == pytest.approx(index.serialized_length, rel=0.03)
    assert projected.disk == pytest.approx(written, rel=0.03)

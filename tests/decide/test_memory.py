import numpy as np
import pytest
from usearch.index import Index

from mrl_explorer.decide.engines import usearch_memory
from mrl_explorer.decide.memory import PARTS, Memory, Part
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.quantization import QUANTIZATIONS

# M = 16: a key of 8 bytes, 2 + 2 of level, a base list of 32 links and, for one node in 15 on
# average, one of 16 above it; a list is a count of 4 bytes and 4 a link.
GRAPH = 8 + 2 + 2 + (4 + 4 * 32) + (4 + 4 * 16) / 15


def project(dim, quantization="float32", *, n_vectors=100_000, full_dim=1024, rescore=False):
    return usearch_memory(
        Config(dim, quantization), n_vectors=n_vectors, full_dim=full_dim, rescore=rescore
    )


def part(memory, name):
    (found,) = (part for part in memory.parts if part.name == name)
    return found


def test_memory_is_the_sum_of_its_parts():
    memory = Memory((Part("vectors", 3, 5), Part("rescoring", disk=7)), ram_built=4, shards=2)
    assert (memory.ram, memory.disk) == (3, 12)
    doubled = memory.times(2)
    assert (doubled.ram, doubled.disk, doubled.ram_built, doubled.shards) == (6, 24, 8, 2)
    assert Memory(()).times(3).ram_built is None


def test_a_vector_by_hand():
    one = project(256, "binary")
    assert part(one, "vectors").disk == 32 * 100_000
    assert part(one, "graph").disk == pytest.approx(148.5333333 * 100_000)
    assert part(one, "graph").disk == pytest.approx(GRAPH * 100_000)
    assert one.disk == pytest.approx(180.5333333 * 100_000)
    # A node of 142 bytes takes 192 and each level above it 64 more, for one node in 15; two
    # pointers; 262,144 places of 16.25 bytes in the table of keys.
    resident = 32 + 192 + 64 / 15 + 16 + 262_144 * 16.25 / 100_000
    assert one.ram == pytest.approx(resident * 100_000, rel=1e-4)
    # Measured with usearch 2.26.6: 287 to 290 bytes.
    assert 286 <= one.ram / 100_000 <= 290


def test_a_built_index_reserves_for_a_power_of_two():
    # 80,000 keys need 120,000 places, that is 2^17; built, it has room for 2^17 keys: 2^18 places.
    memory = project(256, "binary", n_vectors=80_000)
    assert memory.ram_built - memory.ram == pytest.approx(2**17 * 16.25)
    assert project(256, n_vectors=2**17).ram_built == project(256, n_vectors=2**17).ram


def test_the_copy_for_rescoring_is_on_disk_alone():
    plain, rescored = project(64, "int8"), project(64, "int8", rescore=True)
    assert part(rescored, "rescoring") == Part("rescoring", disk=4096 * 100_000)
    assert rescored.ram == plain.ram
    assert rescored.disk == plain.disk + 4096 * 100_000


def test_the_baseline_needs_no_copy_of_itself():
    assert project(1024, rescore=True) == project(1024)
    assert project(1024, "float16", rescore=True).disk > project(1024, "float16").disk


@pytest.mark.parametrize("name", QUANTIZATIONS)
def test_vectors_are_the_codes_rounded_up_to_bytes(name):
    bits = QUANTIZATIONS[name].bits
    for dim in (1, 7, 9, 100, 255, 1024):
        assert part(project(dim, name), "vectors").ram == -(-dim * bits // 8) * 100_000


def test_parts_have_their_order():
    names = [part.name for part in project(64, rescore=True).parts]
    assert names == sorted(names, key=PARTS.index)


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

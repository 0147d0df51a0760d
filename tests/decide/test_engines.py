import itertools

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrl_explorer.decide.engines import ENGINES, read_setting
from mrl_explorer.decide.memory import PARTS
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.quantization import QUANTIZATIONS

MILLION = 1_000_000


def project(engine, text, *, n_vectors=MILLION, full_dim=4096, rescore=False, **options):
    dim, quantization = text.split("d ")
    return ENGINES[engine].memory(
        Config(int(dim), quantization),
        n_vectors=n_vectors,
        full_dim=full_dim,
        rescore=rescore,
        **options,
    )


def each(memory, name):
    """RAM and disk of a part, per vector of a million."""
    found = [part for part in memory.parts if part.name == name]
    return sum(p.ram for p in found) / MILLION, sum(p.disk for p in found) / MILLION


def test_usearch_comes_first_and_every_engine_is_there():
    assert list(ENGINES) == [
        "usearch",
        "faiss-hnsw",
        "faiss-flat",
        "hnswlib",
        "pgvector",
        "qdrant",
        "milvus",
        "elasticsearch",
        "opensearch",
        "weaviate",
        "lancedb",
        "redis",
        "vespa",
    ]
    for name, engine in ENGINES.items():
        assert engine.name == name
        assert engine.label
        assert engine.rescoring
        # Told where from, in a form that can be looked up.
        assert "." in engine.source
        assert "/" in engine.source
        assert not engine.source.endswith(".")
        assert set(engine.quantizations) <= set(QUANTIZATIONS)
        assert "float32" in engine.quantizations
        for encoding in engine.quantizations.values():
            assert str(encoding) == encoding.name
            assert not set("{}") & set(encoding.name + encoding.note)
        for parameter in engine.parameters.values():
            assert parameter.default in parameter.allowed
            assert parameter.help


def test_what_is_measured_and_what_is_a_vendors_rule():
    measured = {name for name, engine in ENGINES.items() if engine.basis == "measured"}
    assert measured == {"usearch", "faiss-hnsw", "faiss-flat", "hnswlib", "pgvector", "lancedb"}
    assert {engine.basis for engine in ENGINES.values()} == {"measured", "documented"}


# By hand, per vector, from the formula at the engine's source.
@pytest.mark.parametrize(
    ("engine", "config", "ram", "disk"),
    [
        # 1,500,000 keys take 2^21 places of 16.25 bytes.
        ("usearch", "256d float32", 1024 + 192 + 64 / 15 + 16 + 34.0787, 1024 + 148.5333),
        ("usearch", "100d binary", 16 + 192 + 64 / 15 + 16 + 34.0787, 13 + 148.5333),
        # 64 links, 32 on one level in 31, offset and level: 256 + 4.129 + 12.
        ("faiss-hnsw", "256d float32", 1024 + 272.129, 1024 + 272.129),
        ("faiss-hnsw", "256d int4", 128 + 272.129, 128 + 272.129),
        ("faiss-flat", "256d int8", 256, 256),
        ("faiss-flat", "1024d binary", 128, 128),
        # Label, list of 32 links, length; lists above 68/15. In RAM 5.27 for those, as handed out,
        # 96 of tables and 65,536 locks of 40 bytes.
        ("hnswlib", "64d float32", 256 + 140 + 5.27 + 96 + 2.62, 256 + 144 + 68 / 15),
        # Six pairs of 1,108 and 204 bytes on a page of 8,160; seven rows of 1,068 on one of 8,168.
        ("pgvector", "256d float32", 8192 / 6, 8192 / 6 + 8192 / 7),
        # One pair of 6,228 + 204 on a page. The row's vector of 6,152 bytes is moved out in 3
        # chunks of 1,996 and one of 160, a page together.
        ("pgvector", "1536d float32", 8192, 8192 + 8192 + 60.2 + 4 * 22.3),
        # 25 pairs of 116 + 204 fill 8,000; a level more takes 96, so that there is room for one,
        # and two on 25 nodes are no rarity. The row of 72 + 4 stands 107 times on a page.
        ("pgvector", "256d binary", 334.34, 334.34 + 8192 / 107),
        # The rule's own example: 1M vectors of 1,024 dims take 6.144 GB.
        ("qdrant", "1024d float32", 6144, 4096 + 4 * (32 + 16 / 15)),
        # Half of 32 bytes holds no links: these are counted.
        ("qdrant", "256d binary", 32 + 132.2667, 32 + 132.2667 + 1024),
        # The documentation's example: 1M nodes of degree 32 take 128 MB.
        ("milvus", "128d float32", 512 + 128, 512 + 128),
        ("milvus", "128d int8", 128 + 128, 128 + 128 + 512),
        # 128 centres of 512 bytes and 2 bytes a vector.
        ("milvus", "128d binary-floatq", 16 + 2 + 0.065536, 16 + 2 + 0.065536 + 512),
        ("milvus", "128d binary", 16 + 2 + 0.002048, 16 + 2 + 0.002048),
        ("elasticsearch", "1024d float32", 4096 + 64, 4096 + 64),
        ("elasticsearch", "1024d int8", 1028 + 64, 1028 + 64 + 4096),
        ("elasticsearch", "1024d int4", 516 + 64, 516 + 64 + 4096),
        ("elasticsearch", "1024d binary-floatq", 142 + 64, 142 + 64 + 4096),
        ("elasticsearch", "1024d binary", 128 + 64, 128 + 64),
        # The documentation's example: 1M vectors of 256 dims with m = 16 take 1.267 GB.
        ("opensearch", "256d float32", 1267.2, 1152),
        # Bytes are what was given: there is no float32 original.
        ("opensearch", "256d int8", 1.1 * 384, 384),
        ("opensearch", "256d binary-floatq", 1.1 * 160, 160 + 1024),
        ("weaviate", "384d float32", 1536 + 320, 1536 + 320),
        # 100 dims are filled up to 128; one bit to at least 256.
        ("weaviate", "100d int8", 144 + 320, 144 + 320 + 400),
        ("weaviate", "64d binary-floatq", 40 + 320, 40 + 320 + 256),
        # 1,000 lists with a centre of 1,024 bytes; 3 factors; an address of 8 bytes in RAM and of
        # 20 bits on disk.
        ("lancedb", "256d binary-floatq", 44 + 8 + 1.024, 44 + 2.5 + 1.024 + 1024),
        ("lancedb", "256d int8", 256 + 8 + 1.024, 256 + 2.5 + 1.024 + 1024),
        ("redis", "256d int8", 256 + 298.24, 256 + 298.24),
        ("redis", "256d float32", 1024 + 298.24, 1024 + 298.24),
        ("vespa", "1024d bfloat16", 2048 + 132, 2048 + 132),
        ("vespa", "512d binary", 64 + 132, 64 + 132),
    ],
)
def test_a_vector_by_hand(engine, config, ram, disk):
    memory = project(engine, config)
    assert memory.ram / MILLION == pytest.approx(ram, rel=1e-3)
    assert memory.disk / MILLION == pytest.approx(disk, rel=1e-3)


@pytest.mark.parametrize(
    ("engine", "config", "ram", "disk"),
    [
        ("usearch", "256d int8", 0, 16_384),
        ("faiss-hnsw", "256d int8", 0, 16_384),
        # The table holds the full vectors in place of the cut ones.
        ("pgvector", "256d binary", 0, None),
        ("qdrant", "256d int8", 0, 16_384),
        ("qdrant", "4096d int8", 0, 0),
        ("milvus", "256d int8", 16_384, 16_384),
        ("elasticsearch", "256d int8", 0, 16_384),
        # The float32 vectors that it keeps anyway serve.
        ("elasticsearch", "4096d int8", 0, 0),
        ("elasticsearch", "4096d float32", 0, 0),
        ("opensearch", "256d binary-floatq", 0, 16_384),
        ("weaviate", "4096d int8", 0, 0),
        ("lancedb", "256d int8", 0, 16_384),
        ("lancedb", "4096d int8", 0, 0),
        ("redis", "256d int8", 16_384, 16_384),
        ("vespa", "256d int8", 0, 16_384),
    ],
)
def test_what_rescoring_needs_and_where(engine, config, ram, disk):
    plain, rescored = project(engine, config), project(engine, config, rescore=True)
    assert (rescored.ram - plain.ram) / MILLION == pytest.approx(ram)
    if disk is None:
        # 8 chunks of 1,996 bytes on two pages; the rest, the row and the index of chunks beside.
        assert each(rescored, "rescoring")[1] == pytest.approx(17_157, rel=1e-3)
        assert each(rescored, "originals") == (0, 0)
    else:
        assert (rescored.disk - plain.disk) / MILLION == pytest.approx(disk)


@pytest.mark.parametrize(
    ("dim", "per_row"),
    # Measured in Postgres 18.4 with pgvector 0.8.5: pg_table_size of 2,000 rows of vector(dim),
    # less the three pages of the maps.
    [
        *((256, 1183), (384, 1642), (500, 2871), (700, 3211), (768, 4235), (998, 5627)),
        *((1300, 6017), (1536, 8376), (1996, 8445), (2500, 12_517), (3072, 13_910)),
        (4096, 17_199),
    ],
)
def test_tables_of_postgres_as_measured(dim, per_row):
    memory = project("pgvector", "64d binary", full_dim=dim, rescore=True)
    assert each(memory, "rescoring")[1] == pytest.approx(per_row, rel=0.015)


@pytest.mark.parametrize(
    ("config", "per_row"),
    # Measured as pg_relation_size of the index of 10,000 rows, m = 16.
    [
        ("64d float32", 570.2),
        ("256d float32", 1367.2),
        ("384d float32", 2048.8),
        ("512d float32", 2732.0),
        ("768d float32", 4096.8),
        ("1024d float32", 8192.8),
        ("2000d float32", 16_384.8),
        ("256d float16", 832.3),
        ("3072d float16", 8192.8),
        ("4000d float16", 16_384.8),
    ],
)
def test_indexes_of_postgres_as_measured(config, per_row):
    assert project("pgvector", config).ram / MILLION == pytest.approx(per_row, rel=2e-3)


def vectors(n_vectors, dim):
    return np.random.default_rng(0).normal(size=(n_vectors, dim)).astype(np.float32)


CODES = {
    "float16": faiss.ScalarQuantizer.QT_fp16,
    "bfloat16": faiss.ScalarQuantizer.QT_bf16,
    "int8": faiss.ScalarQuantizer.QT_8bit,
    "int4": faiss.ScalarQuantizer.QT_4bit,
}


@pytest.mark.parametrize("links", [8, 16, 32])
@pytest.mark.parametrize("quantization", ["float32", *CODES])
def test_disk_is_what_faiss_writes(quantization, links):
    if quantization == "float32":
        index = faiss.IndexHNSWFlat(65, links)
    else:
        index = faiss.IndexHNSWSQ(65, CODES[quantization], links)
    index.hnsw.efConstruction = 16
    index.train(vectors(3000, 65))
    index.add(vectors(3000, 65))
    projected = project("faiss-hnsw", f"65d {quantization}", n_vectors=3000, M=links)
    assert projected.disk == pytest.approx(faiss.serialize_index(index).size, rel=0.02)


@pytest.mark.parametrize("quantization", ["float32", *CODES])
def test_disk_is_what_faiss_writes_without_a_graph(quantization):
    if quantization == "float32":
        index = faiss.IndexFlatIP(97)
    else:
        index = faiss.IndexScalarQuantizer(97, CODES[quantization])
    index.train(vectors(5000, 97))
    index.add(vectors(5000, 97))
    projected = project("faiss-flat", f"97d {quantization}", n_vectors=5000)
    assert projected.disk == pytest.approx(faiss.serialize_index(index).size, rel=0.01)


def test_disk_is_what_faiss_writes_of_bits():
    codes = np.random.default_rng(0).integers(256, size=(3000, 16), dtype=np.uint8)
    flat, graph = faiss.IndexBinaryFlat(128), faiss.IndexBinaryHNSW(128, 16)
    for index, engine, parameters in ((flat, "faiss-flat", {}), (graph, "faiss-hnsw", {"M": 16})):
        index.add(codes)
        projected = project(engine, "128d binary", n_vectors=3000, **parameters)
        written = faiss.serialize_index_binary(index).size
        assert projected.disk == pytest.approx(written, rel=0.02)


def test_a_faiss_graph_leaves_work_arrays_behind_when_it_is_built():
    # 20 bytes a vector, up to the size at which the C library gives an array back to the system.
    small, large = (
        project("faiss-hnsw", "64d int8"),
        project("faiss-hnsw", "64d int8", n_vectors=10**7),
    )
    assert small.ram_built - small.ram == pytest.approx(20 * MILLION)
    assert large.ram_built == large.ram
    flat = project("faiss-flat", "64d int8")
    assert flat.ram_built == flat.ram


stored = st.sampled_from(
    [
        (name, quantization)
        for name, engine in ENGINES.items()
        for quantization in engine.quantizations
    ]
)
dims = st.integers(8, 245).map(lambda eighths: 8 * eighths)
counts = st.integers(10**5, 10**10)


def ask(stored, dim, **needed):
    engine, quantization = stored
    asked = {"n_vectors": MILLION, "full_dim": 2000, "rescore": False} | needed
    return ENGINES[engine].memory(Config(dim, quantization), **asked)


@given(stored, dims, counts, counts, st.booleans())
def test_more_vectors_take_more(stored, dim, one, other, rescore):
    fewer, more = sorted((one, other))
    small = ask(stored, dim, n_vectors=fewer, rescore=rescore)
    large = ask(stored, dim, n_vectors=more, rescore=rescore)
    assert small.ram <= large.ram
    assert small.disk <= large.disk
    assert small.shards <= large.shards
    assert all(part.ram >= 0 and part.disk >= 0 for part in large.parts)
    names = [part.name for part in large.parts]
    assert names == sorted(names, key=PARTS.index)


@given(stored, dims, dims)
def test_more_dims_take_more(stored, one, other):
    fewer, more = sorted((one, other))
    assert ask(stored, fewer).ram <= ask(stored, more).ram
    # A page holds whole rows, and what one row leaves may fit another's end.
    assert ask(stored, fewer).disk <= 1.1 * ask(stored, more).disk


@given(stored, dims, st.integers(1, 9), st.booleans())
def test_replicas_multiply(stored, dim, replicas, rescore):
    one = ask(stored, dim, rescore=rescore)
    many = ask(stored, dim, rescore=rescore, replicas=replicas)
    assert many.ram == pytest.approx(replicas * one.ram)
    assert many.disk == pytest.approx(replicas * one.disk)


@given(stored, dims)
def test_rescoring_adds(stored, dim):
    plain, rescored = ask(stored, dim), ask(stored, dim, rescore=True)
    assert plain.ram <= rescored.ram
    assert plain.disk <= rescored.disk


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dim", [64, 256, 1024])
def test_fewer_bits_take_less_ram(engine, dim):
    names = sorted(ENGINES[engine].quantizations, key=lambda name: -QUANTIZATIONS[name].bits)
    taken = [ask((engine, name), dim).ram for name in names]
    by_bits = {}
    for name, ram in zip(names, taken, strict=True):
        by_bits.setdefault(QUANTIZATIONS[name].bits, []).append(ram)
    groups = list(by_bits.values())
    for more, fewer in itertools.pairwise(groups):
        assert max(fewer) < min(more)


def test_more_links_take_more():
    for name, engine in ENGINES.items():
        for parameter, entry in engine.parameters.items():
            values = sorted({entry.allowed[1], entry.allowed[-1]})
            few, many = (project(name, "256d float32", **{parameter: value}) for value in values)
            assert few.ram <= many.ram
            assert name == "milvus" or few.ram < many.ram
    few, many = (project("milvus", "256d float32", degree=degree) for degree in (16, 64))
    assert many.ram - few.ram == 48 * 4 * MILLION


def test_an_index_that_ends_is_split():
    lucene = 2**31 - 129
    assert project("elasticsearch", "8d float32", n_vectors=lucene).shards == 1
    assert project("opensearch", "8d float32", n_vectors=lucene + 1).shards == 2
    split = project("opensearch", "8d float32", n_vectors=5 * lucene)
    assert split.shards == 5
    assert split.ram == pytest.approx(5 * 1.1 * lucene * (32 + 128))
    assert project("usearch", "8d float32", n_vectors=2**32).shards == 2


@pytest.mark.parametrize(
    ("engine", "config", "words"),
    [
        ("pgvector", "2001d float32", ["up to 2,000 dims", "2,001", "halfvec", "cut to 2,000"]),
        ("pgvector", "4001d float16", ["halfvec", "up to 4,000 dims", "bit", "cut to 4,000"]),
        ("pgvector", "64001d binary", ["up to 64,000 dims", "cut to 64,000"]),
        ("pgvector", "256d int8", ["pgvector", "does not store int8", "float32, float16, binary"]),
        ("usearch", "256d int4", ["usearch does not store int4", "another engine"]),
        ("hnswlib", "256d binary", ["hnswlib does not store binary"]),
        ("elasticsearch", "32d binary-floatq", ["bbq_hnsw", "from 64 dims on", "32"]),
        ("elasticsearch", "101d int4", ["multiple of 2", "101"]),
        ("elasticsearch", "4097d float32", ["up to 4,096 dims"]),
        ("faiss-flat", "100d binary", ["multiple of 8", "100"]),
        ("milvus", "100d binary", ["multiple of 8"]),
        ("vespa", "100d binary", ["multiple of 8"]),
        ("lancedb", "100d binary-floatq", ["multiple of 8"]),
        ("lancedb", "256d int5", ["Unknown quantization"]),
    ],
)
def test_what_cannot_be_stored_is_refused_in_one_sentence(engine, config, words):
    with pytest.raises(InputError) as caught:
        project(engine, config)
    message = str(caught.value)
    assert all(word in message for word in words)
    assert message.count(". ") == 0
    assert message.endswith(".")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"n_vectors": 0}, ["number of vectors is 0"]),
        ({"n_vectors": float("nan")}, ["nan"]),
        ({"n_vectors": float("inf")}, ["inf"]),
        ({"n_vectors": -5}, ["-5"]),
        ({"replicas": 0}, ["0 replicas"]),
        ({"replicas": 1.5}, ["1.5 replicas"]),
        ({"replicas": float("nan")}, ["nan replicas"]),
        ({"connectivity": 1}, ["connectivity = 1", "from 4 to 128"]),
        ({"connectivity": "many"}, ["connectivity = many"]),
        ({"connectivity": True}, ["connectivity = True"]),
        ({"m": 16}, ["no parameter 'm'", "connectivity"]),
    ],
)
def test_values_that_make_no_sense_are_refused(asked, words):
    with pytest.raises(InputError) as caught:
        project("usearch", "64d float32", **asked)
    assert all(word in str(caught.value) for word in words)


def test_an_engine_without_parameters_says_so():
    with pytest.raises(InputError, match="it has none"):
        project("faiss-flat", "64d float32", M=16)


@pytest.mark.parametrize(
    ("text", "read"),
    [("M=64", ("M", 64)), (" m = 8 ", ("m", 8)), ("num_partitions=0", ("num_partitions", 0))],
)
def test_a_setting_is_a_name_and_a_whole_number(text, read):
    assert read_setting(text) == read


@pytest.mark.parametrize(
    "text", ["", "M", "M=", "=64", "M=many", "M=-1", "M=1.5", "M=6=4", "M=٣", "M=" + "9" * 400]
)
def test_what_is_no_setting_is_refused_in_one_sentence(text):
    with pytest.raises(InputError) as caught:
        read_setting(text)
    message = str(caught.value)
    assert message.endswith("write for example M=64.")
    assert len(message) < 120

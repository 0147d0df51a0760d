"""Databases whose memory is projected by their vendors' own rules, not measured here.

Where a rule counts vectors and graph alone, so does the projection: room for other fields, for
indexing and for the process itself comes on top.
"""

from mrl_explorer.decide.engines.engine import Encoding, Engine, Need, Parameter, bits, rounded_up
from mrl_explorer.decide.memory import Memory, Part

_LUCENE = 2**31 - 1 - 128
"""Documents of one shard at most (IndexWriter.MAX_DOCS)."""

_M_HELP = "Links per node of the graph."
_ORIGINALS = "The float32 vectors stay on disk beside the codes and are read for rescoring"
_SECOND_FIELD = "; where dims are cut, a second field holds the full ones."
_OWN_INT8 = "Scaled by quantiles of the components, not by each vector's largest."
_ASYMMETRIC = "Documents 1 bit, queries {}, with corrections."


def _documented(
    need: Need, *, graph: float, allowance: float = 0.0, originals: float = 0.0
) -> Memory:
    """Codes and graph in RAM and on disk; float vectors on disk alone."""
    copy = need.full_copy_beside_originals if originals else need.full_copy
    return Memory(
        (
            Part("vectors", need.vectors, need.vectors),
            Part("graph", graph, graph),
            Part("bookkeeping", allowance),
            Part("originals", disk=originals),
            Part("rescoring", disk=copy),
        )
    )


def _originals_if_coded(need: Need, uncoded: tuple[str, ...]) -> float:
    """Bytes of the float32 vectors kept beside codes; what is not coded is its own original."""
    return 0.0 if need.quantization in uncoded else need.kept_originals


def _qdrant(need: Need, *, m: int) -> Memory:
    # Links of 4 bytes: 2m on the lowest level, m on each above.
    graph = need.n_vectors * 4 * (2 * m + m / (m - 1))
    # The rule: half as much again for index, versions and temporary segments. Codes are so small
    # that half of them does not hold the links.
    allowance = max(0.0, 0.5 * need.vectors - graph)
    originals = _originals_if_coded(need, ("float32", "float16"))
    return _documented(need, graph=graph, allowance=allowance, originals=originals)


QDRANT = Engine(
    name="qdrant",
    label="Qdrant",
    quantizations={
        "float32": Encoding("float32", bits(32)),
        "float16": Encoding("float16", bits(16)),
        "int8": Encoding("scalar int8", bits(8), _OWN_INT8),
        "int4-floatq": Encoding(
            "turbo bits4", bits(4), "Rotated first, and stored by a codebook of its own."
        ),
        "binary": Encoding("binary one_bit", bits(1)),
        "binary-floatq": Encoding(
            "binary one_bit, query scalar8bits", bits(1), "The query is rounded to 8 bits."
        ),
    },
    parameters={"m": Parameter(16, range(4, 129), _M_HELP)},
    source=(
        "1.5 times the vectors, or vectors and links where these are more: "
        "qdrant.tech/documentation/capacity-planning"
    ),
    basis="documented",
    rescoring=_ORIGINALS + _SECOND_FIELD,
    model=_qdrant,
)


def _milvus(need: Need, *, degree: int, nlist: int) -> Memory:
    if need.quantization == "binary":
        graph = 2 * need.n_vectors + nlist * need.encoding.code_bytes(need.dim)
        originals = 0.0
    elif need.quantization == "binary-floatq":
        graph = 2 * need.n_vectors + nlist * 4 * need.dim
        originals = need.kept_originals
    else:
        graph = need.n_vectors * 4 * degree
        originals = _originals_if_coded(need, ("float32", "float16", "bfloat16"))
    # Refining reads a copy that is loaded with the index.
    return Memory(
        (
            Part("vectors", need.vectors, need.vectors),
            Part("graph", graph, graph),
            Part("originals", disk=originals),
            Part("rescoring", need.full_copy, need.full_copy),
        )
    )


MILVUS = Engine(
    name="milvus",
    label="Milvus",
    quantizations={
        "float32": Encoding("HNSW", bits(32)),
        "float16": Encoding("HNSW on FLOAT16_VECTOR", bits(16)),
        "bfloat16": Encoding("HNSW on BFLOAT16_VECTOR", bits(16)),
        "int8": Encoding(
            "HNSW_SQ, sq_type SQ8", bits(8), "Scaled by the range of each dim, query float32."
        ),
        "binary": Encoding("BIN_IVF_FLAT", bits(1), multiple=8),
        "binary-floatq": Encoding("IVF_RABITQ", bits(1), "Rotated first, with corrections."),
    },
    parameters={
        "degree": Parameter(
            32, range(4, 257), "Links per node of the graph, 4 bytes each: twice HNSW's M."
        ),
        "nlist": Parameter(
            128, range(1, 65_537), "Lists of the indexes for binary vectors (IVF), each a centre."
        ),
    },
    source=(
        "Degree of the graph, lists and codes: milvus.io/docs/index-explained.md; the log of what "
        "was inserted, in object storage, comes on top"
    ),
    basis="documented",
    rescoring="The index keeps a float32 copy (refine), by default loaded into RAM with it.",
    model=_milvus,
)


def _elasticsearch(need: Need, *, m: int) -> Memory:
    originals = _originals_if_coded(need, ("float32", "bfloat16", "binary"))
    return _documented(need, graph=need.n_vectors * 4 * m, originals=originals)


ELASTICSEARCH = Engine(
    name="elasticsearch",
    label="Elasticsearch",
    quantizations={
        "float32": Encoding("hnsw", bits(32), max_dim=4096),
        "bfloat16": Encoding("hnsw, element_type bfloat16", bits(16), max_dim=4096),
        "int8": Encoding("int8_hnsw", bits(8, extra=4), _OWN_INT8, max_dim=4096),
        "int4": Encoding("int4_hnsw", bits(4, extra=4), _OWN_INT8, max_dim=4096, multiple=2),
        "binary": Encoding("hnsw, element_type bit", bits(1), max_dim=4096, multiple=8),
        "binary-floatq": Encoding(
            "bbq_hnsw",
            bits(1, extra=14),
            _ASYMMETRIC.format("4 bits"),
            min_dim=64,
            max_dim=4096,
        ),
    },
    parameters={"m": Parameter(16, range(2, 513), f"{_M_HELP} 4 bytes each.")},
    source=(
        "Off-heap memory by index type: elastic.co/docs/deploy-manage/production-guidance/"
        "optimize-performance/approximate-knn-search"
    ),
    basis="documented",
    rescoring=_ORIGINALS + _SECOND_FIELD,
    model=_elasticsearch,
    max_vectors=_LUCENE,
)


def _opensearch(need: Need, *, m: int) -> Memory:
    graph = need.n_vectors * 8 * m
    originals = _originals_if_coded(need, ("float32", "int8", "binary"))
    # The rule: a tenth more than codes and links.
    allowance = 0.1 * (need.vectors + graph)
    return _documented(need, graph=graph, allowance=allowance, originals=originals)


OPENSEARCH = Engine(
    name="opensearch",
    label="OpenSearch",
    quantizations={
        "float32": Encoding("float", bits(32), max_dim=16_000),
        "float16": Encoding("faiss, encoder sq fp16", bits(16), max_dim=16_000),
        "int8": Encoding(
            "data_type byte", bits(8), "You scale the vectors yourself.", max_dim=16_000
        ),
        "int4-floatq": Encoding(
            "compression_level 8x",
            bits(4),
            "Documents 4 bits, queries float32, with corrections.",
            max_dim=16_000,
        ),
        "binary": Encoding("data_type binary", bits(1), max_dim=16_000, multiple=8),
        "binary-floatq": Encoding(
            "compression_level 32x", bits(1), _ASYMMETRIC.format("float32"), max_dim=16_000
        ),
    },
    parameters={"m": Parameter(16, range(2, 101), f"{_M_HELP} 8 bytes each.")},
    source=(
        "1.1 times codes and 8m bytes of links: docs.opensearch.org/latest/mappings/"
        "supported-field-types/knn-methods-engines"
    ),
    basis="documented",
    rescoring=_ORIGINALS + _SECOND_FIELD,
    model=_opensearch,
    max_vectors=_LUCENE,
)


def _weaviate(need: Need, *, max_connections: int) -> Memory:
    graph = need.n_vectors * 10 * max_connections
    return _documented(need, graph=graph, originals=_originals_if_coded(need, ("float32",)))


WEAVIATE = Engine(
    name="weaviate",
    label="Weaviate",
    quantizations={
        "float32": Encoding("none", bits(32)),
        "int8": Encoding(
            "rq, bits 8",
            lambda dim: rounded_up(dim, to=64) + 16,
            "Rotated first, dims filled up to a multiple of 64.",
        ),
        "binary": Encoding("bq", bits(1)),
        "binary-floatq": Encoding(
            "rq, bits 1",
            lambda dim: max(256, rounded_up(dim, to=64)) / 8 + 8,
            "Rotated first, dims filled up to 256 or a multiple of 64; queries 5 bits.",
        ),
    },
    parameters={
        "max_connections": Parameter(
            32, range(4, 257), "Links per node of the graph (maxConnections), 10 bytes each."
        )
    },
    source=(
        "Vectors and 10 bytes a connection: docs.weaviate.io/weaviate/concepts/resources; codes of "
        "rq: docs.weaviate.io/weaviate/configuration/compression/rq-compression"
    ),
    basis="documented",
    rescoring=_ORIGINALS + _SECOND_FIELD,
    model=_weaviate,
)


def _redis(need: Need, *, m: int) -> Memory:
    # 2m pointers on the lowest level and a third of m above it, on average.
    graph = need.n_vectors * 8 * (2 + 0.33) * m
    # What is in RAM is also in the snapshot.
    return Memory(
        (
            Part("vectors", need.vectors, need.vectors),
            Part("graph", graph, graph),
            Part("rescoring", need.full_copy, need.full_copy),
        )
    )


REDIS = Engine(
    name="redis",
    label="Redis vector sets",
    quantizations={
        "float32": Encoding("NOQUANT", bits(32)),
        "int8": Encoding("Q8", bits(8)),
        "binary": Encoding("BIN", bits(1)),
    },
    parameters={"m": Parameter(16, range(4, 4097), f"{_M_HELP} A pointer of 8 bytes each.")},
    source=(
        "2.33 pointers for each of m: redis.io/docs/latest/develop/data-types/vector-sets/memory"
    ),
    basis="documented",
    rescoring="All that Redis holds is in RAM, the full-dimension vectors too.",
    model=_redis,
)


def _vespa(need: Need, *, max_links_per_node: int) -> Memory:
    # Links of 4 bytes, twice as many on the lowest level; 4 bytes refer to the tensor.
    graph = need.n_vectors * (4 * 2 * max_links_per_node + 4)
    return _documented(need, graph=graph)


VESPA = Engine(
    name="vespa",
    label="Vespa",
    quantizations={
        "float32": Encoding("tensor<float>", bits(32)),
        "bfloat16": Encoding("tensor<bfloat16>", bits(16)),
        "int8": Encoding("tensor<int8>", bits(8), "You scale the vectors yourself."),
        "binary": Encoding("tensor<int8> of binarize | pack_bits", bits(1), multiple=8),
    },
    parameters={
        "max_links_per_node": Parameter(
            16, range(2, 257), "Links per node of the graph, twice as many on the lowest level."
        )
    },
    source=(
        "Cells and 4 bytes a tensor: docs.vespa.ai/en/attributes.html; links: "
        "docs.vespa.ai/en/approximate-nn-hnsw.html"
    ),
    basis="documented",
    rescoring="The full-dimension vectors are a second attribute, paged from disk.",
    model=_vespa,
)

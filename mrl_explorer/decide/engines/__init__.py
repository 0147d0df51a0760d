"""What each engine needs to hold a configuration: RAM and disk, by its own structure or rule."""

from mrl_explorer.decide.engines.engine import Encoding, Engine, Parameter, read_setting
from mrl_explorer.decide.engines.lance import LANCEDB
from mrl_explorer.decide.engines.libraries import (
    FAISS_FLAT,
    FAISS_HNSW,
    HNSWLIB,
    USEARCH,
    usearch_memory,
)
from mrl_explorer.decide.engines.postgres import PGVECTOR
from mrl_explorer.decide.engines.servers import (
    ELASTICSEARCH,
    MILVUS,
    OPENSEARCH,
    QDRANT,
    REDIS,
    VESPA,
    WEAVIATE,
)

__all__ = ["ENGINES", "Encoding", "Engine", "Parameter", "read_setting", "usearch_memory"]

ENGINES: dict[str, Engine] = {
    engine.name: engine
    for engine in (
        USEARCH,
        FAISS_HNSW,
        FAISS_FLAT,
        HNSWLIB,
        PGVECTOR,
        QDRANT,
        MILVUS,
        ELASTICSEARCH,
        OPENSEARCH,
        WEAVIATE,
        LANCEDB,
        REDIS,
        VESPA,
    )
}
"""Every engine by name, the one that the Explore page shows first."""

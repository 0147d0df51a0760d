import pytest

from mrl_explorer.decide.cost import Need, Production
from mrl_explorer.decide.engines import ENGINES
from mrl_explorer.decide.recommendation import Choice, Constraints, Recommendation
from mrl_explorer.report.engines import ANY, engine_name, engine_notes, source_text
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff


def choice(config, *, oversample=None):
    cutoff = Cutoff(10) if oversample is None else Cutoff(10, oversample, rescore=True)
    figures = (0.96, 0.94, 0.98, 0.93, False, None, None, Need(4e9, 3e9, 20.0))
    return Choice(config, cutoff, *figures)


def notes(config, production, *, oversample=None):
    return engine_notes(
        Recommendation(
            Constraints(),
            production,
            choice(config, oversample=oversample),
            choice(Config(768)),
        )
    )


def test_an_engine_says_how_it_stores_what_is_recommended():
    assert notes(Config(256, "float16"), Production(engine="pgvector")) == (
        "pgvector HNSW stores 256d float16 as halfvec, with m = 16 (default).",
    )
    assert notes(Config(256, "binary"), Production(engine="faiss-flat")) == (
        "faiss flat stores 256d binary as IndexBinaryFlat.",
    )


def test_what_was_set_is_named_beside_what_was_not():
    milvus = Production(engine="milvus", parameters=(("degree", 64),))
    assert notes(Config(256, "float32"), milvus) == (
        "Milvus stores 256d float32 as HNSW, with degree = 64, nlist = 128 (default).",
    )


def test_codes_that_differ_from_those_measured_are_told():
    stored, differing = notes(Config(512, "int8"), Production(engine="usearch"))
    assert "stores 512d int8 as i8" in stored
    assert differing.startswith("How its codes differ from those measured here: 127 times")
    assert differing.endswith(
        "from some 256 dims on it uses few of the 256 codes and finds less than shown here."
    )


def test_an_index_that_ends_is_said_to_be_split():
    """Lucene holds 2,147,483,519 documents a shard, so 5 times 10^9 need three."""
    opensearch = Production(5e9, replicas=2, engine="opensearch")
    assert notes(Config(64, "binary"), opensearch)[1] == (
        "One index of it holds 2,147,483,519 vectors at most: these need 3 shards."
    )
    assert len(notes(Config(64, "binary"), Production(2e9, engine="opensearch"))) == 1


def test_rescoring_says_where_its_copy_is():
    redis = Production(engine="redis")
    assert notes(Config(64, "binary"), redis, oversample=4)[1] == (
        "Rescoring: All that Redis holds is in RAM, the full-dimension vectors too."
    )
    assert len(notes(Config(64, "binary"), redis)) == 1


@pytest.mark.parametrize(
    ("config", "rest"),
    [
        (Config(256), "."),
        (
            Config(256, "int8"),
            "; 256d int8 is not stored by hnswlib and pgvector HNSW.",
        ),
        (
            Config(256, "int4"),
            "; of 13 engines only faiss HNSW, faiss flat and Elasticsearch store 256d int4.",
        ),
        (
            Config(2008, "bfloat16"),
            "; of 13 engines only usearch, faiss HNSW, faiss flat, Milvus, Elasticsearch and Vespa "
            "store 2008d bfloat16.",
        ),
        (
            Config(256, "binary-centred-floatq"),
            "; none of 13 engines stores 256d binary-centred-floatq.",
        ),
        # pgvector's halfvec ends at 4,000 dims, and OpenSearch's vectors at 16,000.
        (
            Config(20_000, "float16"),
            "; of 13 engines only usearch, faiss HNSW, faiss flat, Qdrant and Milvus store "
            "20000d float16.",
        ),
    ],
)
def test_without_an_engine_it_says_whose_memory_it_is_and_who_stores_such_codes(config, rest):
    (note,) = notes(config, Production())
    assert note == f"RAM and disk are those of an HNSW graph as usearch's, with M = 16{rest}"


def test_where_nothing_holds_there_is_nothing_to_store():
    nothing = Recommendation(Constraints(), Production(engine="redis"), None, choice(Config(768)))
    assert engine_notes(nothing) == ()


def test_engines_are_named_and_their_formulas_traced():
    assert engine_name("pgvector") == "pgvector HNSW"
    assert engine_name(ANY) == "any"
    for name, engine in ENGINES.items():
        text = source_text(name)
        assert text.startswith(f"RAM and disk of {engine.label} are projected by ")
        assert text.endswith(f"{engine.source}.")
        assert ("not measured here" in text) == (engine.basis == "documented")
        assert ".." not in text
    assert source_text(ANY).startswith("RAM and disk of usearch, which stands in for any, are ")

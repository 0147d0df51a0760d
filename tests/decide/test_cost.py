"""What will run, with the engine's own parameters."""

import pytest

from mrl_explorer.decide.cost import Production, check_production, memory, need
from mrl_explorer.decide.engines import ENGINES
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.config import Config

CONFIG = Config(256, "float32")


def ask(production):
    return need(CONFIG, production=production, full_dim=256, rescore=False)


def test_more_links_cost_what_they_take():
    """faiss keeps 2M links of 4 bytes on the lowest level, and 4M / (M - 1) above it."""
    few, many = (
        ask(Production(1e6, 3, 2.0, 0.5, "faiss-hnsw", (("M", links),))) for links in (32, 64)
    )
    above = 4 * 64 / 63 - 4 * 32 / 31
    added = 3 * 1e6 * (4 * 2 * 32 + above)
    assert many.ram - few.ram == pytest.approx(added)
    assert many.disk - few.disk == pytest.approx(added)
    assert many.cost - few.cost == pytest.approx(added / 1e9 * 2.5)
    # 32 is faiss's own default.
    assert few == ask(Production(1e6, 3, 2.0, 0.5, "faiss-hnsw"))


@pytest.mark.parametrize(
    ("name", "parameter"),
    [(name, parameter) for name, engine in ENGINES.items() for parameter in engine.parameters],
)
def test_every_parameter_reaches_the_engine(name, parameter):
    largest = ENGINES[name].parameters[parameter].allowed[-1]
    quantization = "binary" if parameter == "nlist" else "float32"
    config = Config(256, quantization)
    taken = memory(
        config,
        production=Production(1e6, engine=name, parameters=((parameter, largest),)),
        full_dim=256,
        rescore=False,
    )
    alone = ENGINES[name].memory(
        config, n_vectors=1e6, full_dim=256, rescore=False, **{parameter: largest}
    )
    usual = ENGINES[name].memory(config, n_vectors=1e6, full_dim=256, rescore=False)
    assert taken == alone
    assert taken.ram > usual.ram


@pytest.mark.parametrize(
    ("engine", "parameters", "words"),
    [
        (None, (("M", 16),), ["M is a parameter of an engine", "name the engine"]),
        ("pgvector", (("M", 16),), ["pgvector HNSW has no parameter 'M'", "it has m"]),
        ("pgvector", (("m", 16), ("m", 3)), ["m = 3", "from 4 to 100"]),
        ("milvus", (("nlist", 65_537),), ["nlist = 65537", "from 1 to 65536"]),
        ("faiss-flat", (("M", 16),), ["it has none"]),
    ],
)
def test_a_parameter_that_the_engine_does_not_take_is_refused(engine, parameters, words):
    with pytest.raises(InputError) as caught:
        check_production(Production(engine=engine, parameters=parameters))
    message = str(caught.value)
    assert all(word in message for word in words)
    assert message.endswith(".")
    assert message.count(". ") == 0

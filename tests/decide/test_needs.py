"""Bytes of chains, by hand."""

import pytest

from mrl_explorer.decide.engines import ENGINES
from mrl_explorer.decide.needs import chain_need, full_need, rescoring_configs
from mrl_explorer.retrieval.chains import parse_chain
from mrl_explorer.retrieval.config import Config

N = 1_000_000


def need(text, **options):
    return chain_need(parse_chain(text), n_vectors=N, full_dim=768, **options)


def test_three_stages_by_hand():
    one = need("64-binary:500,256-int8:50,768-float32:10")
    assert one.ram == N * (8 + 256)
    assert one.disk == N * (8 + 256 + 3072)
    # All binary codes, 500 of 256 bytes from RAM, 50 vectors of a page each from disk.
    assert [stage.bytes_read for stage in one.stages] == [N * 8, 500 * 256, 50 * 4096]
    assert one.bytes_read == N * 8 + 128_000 + 204_800
    assert one.disk_reads == 50


def test_a_float_query_on_the_same_codes_is_stored_once():
    one = need("64-binary:500,64-binary-floatq:50,768-float32:10")
    assert one.ram == N * 8
    assert one.stages[1].bytes_read == 500 * 8
    alone = need("64-binary:500,64-binary-floatq:10")
    assert (alone.ram, alone.disk, alone.disk_reads) == (N * 8, N * 8, 0)


def test_the_last_stage_may_stay_in_ram():
    one = need("64-binary:500,768-float32:10", last_on_disk=False)
    assert one.ram == N * (8 + 3072)
    assert one.disk_reads == 0
    assert one.stages[1].bytes_read == 500 * 3072


def test_vectors_longer_than_a_page_read_several():
    one = chain_need(parse_chain("64-binary:100,1536-float32:10"), n_vectors=N, full_dim=1536)
    assert one.stages[1].bytes_read == 100 * 2 * 4096


def test_no_more_is_scored_than_there_is():
    one = chain_need(parse_chain("64-binary:500,768-float32:10"), n_vectors=100, full_dim=768)
    assert one.stages[1].scored == 100


def test_a_graph_adds_what_the_memory_model_says():
    flat, indexed = (
        need("64-binary:50,768-float32:10"),
        need("64-binary:50,768-float32:10", indexed=True),
    )
    model = ENGINES["usearch"].memory(Config(64, "binary"), n_vectors=N, full_dim=768, rescore=True)
    assert indexed.ram == pytest.approx(model.ram)
    assert indexed.disk == pytest.approx(model.disk)
    assert flat.ram == N * 8


def test_full_dimension_is_one_stage_in_ram():
    full = full_need(768, n_vectors=N)
    assert (full.ram, full.disk, full.bytes_read, full.disk_reads) == (
        N * 3072,
        N * 3072,
        N * 3072,
        0,
    )


def test_rescoring_takes_what_is_stored():
    run = (Config(64, "binary"), Config(64, "float32", "pca"), Config(128, "float32", "pca"))
    assert set(rescoring_configs(128, run)) == {
        *(Config(64, name) for name in ("float32", "int8", "binary-floatq")),
        *(Config(64, name, "pca") for name in ("float32", "int8", "binary-floatq")),
        # At full dimension, float32 in another basis is the ground truth itself.
        *(Config(128, name, "pca") for name in ("int8", "binary-floatq")),
    }

"""Longer lists begin as the shorter ones do."""

import json

import numpy as np
import pytest

from mrl_explorer.data import Collection, read_records, with_vectors
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval.deeper import left_out_rows, rank_deeper
from mrl_explorer.retrieval.evaluation import evaluate


@pytest.fixture
def collection(tmp_path):
    """Documents, the first nine of which are the queries."""
    vectors = np.random.default_rng(0).normal(size=(60, 16)).astype(np.float32)

    def records(name, n_rows):
        lines = (json.dumps({"_id": f"d{row}", "text": f"text {row}"}) for row in range(n_rows))
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
        np.save(tmp_path / f"{name}.npy", vectors[:n_rows])
        read = read_records(tmp_path / f"{name}.jsonl")
        return with_vectors(read, tmp_path / f"{name}.npy")

    return Collection(records("documents", 60), records("queries", 9))


@pytest.mark.parametrize("exclude_self", [False, True])
def test_longer_lists_begin_as_the_shorter_ones(collection, exclude_self):
    short = evaluate(
        collection, dims=(8,), depth=12, exclude_self=exclude_self, quantizations=("int8", "binary")
    )
    deep = rank_deeper(short, collection, depth=40)
    assert deep.rankings.depth == 40
    assert deep.rankings.configs == short.rankings.configs
    np.testing.assert_array_equal(deep.rankings.ids[:, :, :12], short.rankings.ids)
    np.testing.assert_array_equal(deep.rankings.full_scores[:, :, :12], short.rankings.full_scores)
    own = np.arange(9)
    assert (deep.rankings.ids == own[None, :, None]).any() != exclude_self
    found = left_out_rows(short, collection)
    if exclude_self:
        np.testing.assert_array_equal(found, own)
    else:
        assert found is None
    # Whatever a longer list names can be shown.
    for row in np.unique(deep.rankings.ids[deep.rankings.ids >= 0]):
        deep.listed.place(int(row))


def test_other_data_is_refused(collection):
    short = evaluate(collection, dims=(8,), depth=12)
    other = Collection(collection.documents.select(np.arange(50)), collection.queries)
    with pytest.raises(InputError, match="give the data that it was made from"):
        rank_deeper(short, other, depth=40)

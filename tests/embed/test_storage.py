import os

import pytest

from mrl_explorer.embed.storage import (
    cache_limit,
    cache_usage,
    empty_cache,
    mark_used,
    trim_cache,
)
from mrl_explorer.errors import InputError

HOUR = 3600


def put(cache, name, n_bytes, *, hours_ago=0):
    """Write a file that was changed, and last read, so long ago."""
    path = cache / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(n_bytes))
    at = path.stat().st_mtime - hours_ago * HOUR
    os.utime(path, (at, at))
    return path


def names(cache):
    return sorted(str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file())


def test_usage_counts_each_kind(tmp_path):
    put(tmp_path, "embeddings/a.npy", 100)
    put(tmp_path, "embeddings/b.x.part", 10)
    put(tmp_path, "evaluations/run-1.json", 7)
    put(tmp_path, "library/one/corpus.jsonl", 1_000)
    usage = cache_usage(tmp_path)
    assert usage["embeddings"] == 110
    assert usage["evaluations"] == 7
    # A folder's own size comes on top, and depends on the file system.
    assert 1_000 <= usage["library"] < 20_000


def test_a_cache_that_is_not_there_is_empty(tmp_path):
    missing = tmp_path / "nothing"
    assert set(cache_usage(missing).values()) == {0}
    assert empty_cache(missing) == 0
    trim_cache(missing, limit=0)
    assert not missing.exists()


def test_what_was_not_used_for_longest_goes_first_whatever_its_kind(tmp_path):
    put(tmp_path, "embeddings/new.npy", 100, hours_ago=1)
    put(tmp_path, "embeddings/old.npy", 100, hours_ago=5)
    put(tmp_path, "evaluations/oldest.evaluation", 100, hours_ago=9)
    put(tmp_path, "evaluations/middle.evaluation", 100, hours_ago=3)
    trim_cache(tmp_path, limit=400)
    assert len(names(tmp_path)) == 4
    trim_cache(tmp_path, limit=250)
    assert names(tmp_path) == ["embeddings/new.npy", "evaluations/middle.evaluation"]
    trim_cache(tmp_path, limit=199)
    assert names(tmp_path) == ["embeddings/new.npy"]
    trim_cache(tmp_path, limit=0)
    assert names(tmp_path) == []


def test_use_keeps_an_entry_and_leaves_its_time_of_change(tmp_path):
    used = put(tmp_path, "embeddings/used.npy", 100, hours_ago=9)
    put(tmp_path, "embeddings/idle.npy", 100, hours_ago=5)
    changed = used.stat().st_mtime_ns
    mark_used(used)
    mark_used(tmp_path / "embeddings" / "gone.npy")
    assert used.stat().st_mtime_ns == changed
    trim_cache(tmp_path, limit=100)
    assert names(tmp_path) == ["embeddings/used.npy"]


def test_files_that_belong_together_go_together(tmp_path):
    put(tmp_path, "evaluations/run-1.json", 10, hours_ago=9)
    put(tmp_path, "evaluations/run-1.evaluation", 100, hours_ago=2)
    put(tmp_path, "evaluations/run-2.json", 10, hours_ago=5)
    put(tmp_path, "evaluations/run-2.evaluation", 100, hours_ago=4)
    trim_cache(tmp_path, limit=200)
    assert names(tmp_path) == ["evaluations/run-1.evaluation", "evaluations/run-1.json"]


def test_a_file_that_is_being_appended_to_is_in_use(tmp_path):
    part = put(tmp_path, "embeddings/a.1.part", 100, hours_ago=9)
    put(tmp_path, "embeddings/b.npy", 100, hours_ago=1)
    with part.open("ab") as file:
        file.write(bytes(10))
    trim_cache(tmp_path, limit=150)
    assert names(tmp_path) == ["embeddings/a.1.part"]


def test_emptying_leaves_what_is_not_the_caches(tmp_path):
    put(tmp_path, "notes.txt", 5)
    put(tmp_path, "other/file", 5)
    put(tmp_path, "embeddings/a.npy", 100)
    put(tmp_path, "library/one/corpus.jsonl", 1_000)
    assert empty_cache(tmp_path) >= 1_100
    assert names(tmp_path) == ["notes.txt", "other/file"]
    assert set(cache_usage(tmp_path).values()) == {0}


def test_a_link_inside_is_removed_and_not_followed(tmp_path):
    kept = put(tmp_path / "elsewhere", "kept.txt", 5)
    (tmp_path / "cache/library").mkdir(parents=True)
    (tmp_path / "cache/library/link").symlink_to(kept.parent)
    empty_cache(tmp_path / "cache")
    assert kept.is_file()
    assert not (tmp_path / "cache/library/link").is_symlink()


@pytest.mark.parametrize(("text", "limit"), [("", 10**10), ("0", 0), (" 2.5 ", 2_500_000_000)])
def test_the_limit_is_in_gigabytes(monkeypatch, text, limit):
    monkeypatch.setenv("MRL_EXPLORER_CACHE_GB", text)
    assert cache_limit() == limit
    monkeypatch.delenv("MRL_EXPLORER_CACHE_GB")
    assert cache_limit() == 10**10


@pytest.mark.parametrize("text", ["-1", "ten", "inf", "nan", "10 GB"])
def test_a_limit_that_is_none_is_said(monkeypatch, text):
    monkeypatch.setenv("MRL_EXPLORER_CACHE_GB", text)
    with pytest.raises(InputError, match="give a number of gigabytes, for example 10"):
        cache_limit()

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mrl_explorer.embed import cache as cache_module
from mrl_explorer.embed import cache_dir, embed, encode, load_model
from mrl_explorer.embed.cache import CHUNK
from mrl_explorer.progress import Progress

from .conftest import save_tiny

WORDS = ("red", "green")
TEXTS = [f"{WORDS[row % 2]} " * (row % 5 + 1) + f"n{row}" for row in range(2 * CHUNK + 100)]


class StoppedError(Exception):
    """What a user's "stop" raises."""


def entries(cache):
    return sorted((cache / "embeddings").iterdir())


def test_second_run_encodes_nothing(tiny, tmp_path, encoded):
    first = embed(tiny, TEXTS, kind="document", cache=tmp_path)
    assert sorted(encoded) == sorted(TEXTS)
    encoded.clear()
    reports = []
    second = embed(tiny, TEXTS, kind="document", cache=tmp_path, on_progress=reports.append)
    assert encoded == []
    assert reports == [Progress(len(TEXTS), len(TEXTS), "embedding documents")]
    np.testing.assert_array_equal(first, second)


def test_result_is_that_of_encode_with_and_without_a_cache(tiny, tmp_path):
    expected = encode(tiny, TEXTS, kind="query")
    np.testing.assert_array_equal(embed(tiny, TEXTS, kind="query", cache=tmp_path), expected)
    np.testing.assert_array_equal(embed(tiny, TEXTS, kind="query", cache=tmp_path), expected)
    np.testing.assert_array_equal(embed(tiny, TEXTS, kind="query", cache=None), expected)


def test_no_texts_make_no_entries(tiny, tmp_path):
    assert embed(tiny, [], kind="document", cache=tmp_path).shape == (0, 4)
    assert list(tmp_path.iterdir()) == []


def test_a_changed_text_costs_only_its_chunk(tiny, tmp_path, encoded):
    embed(tiny, TEXTS, kind="document", cache=tmp_path)
    encoded.clear()
    changed = [*TEXTS]
    changed[CHUNK + 7] = "green"
    reports = []
    vectors = embed(tiny, changed, kind="document", cache=tmp_path, on_progress=reports.append)
    assert sorted(encoded) == sorted(changed[CHUNK : 2 * CHUNK])
    assert reports[0].done == len(TEXTS) - CHUNK
    assert reports[-1].done == len(TEXTS)
    np.testing.assert_array_equal(vectors[CHUNK + 7], [0, 4, 0, 2])


def test_kind_model_and_text_boundaries_have_entries_of_their_own(tiny, tmp_path, encoded):
    other = load_model(str(save_tiny(tmp_path / "other")))
    cache = tmp_path / "cache"
    for model, texts, kind in (
        (tiny, ["red", "green"], "document"),
        (tiny, ["red", "green"], "query"),
        (tiny, ["redgreen", ""], "document"),
        (other, ["red", "green"], "document"),
    ):
        encoded.clear()
        embed(model, texts, kind=kind, cache=cache)
        assert len(encoded) == 2
    assert len(entries(cache)) == 4


def test_a_stopped_run_goes_on_where_it_was(tiny, tmp_path, encoded):
    def stop(progress):
        if progress.done >= CHUNK + 500:
            raise StoppedError

    with pytest.raises(StoppedError):
        embed(tiny, TEXTS, kind="document", cache=tmp_path, on_progress=stop)
    encoded.clear()
    vectors = embed(tiny, TEXTS, kind="document", cache=tmp_path)
    assert sorted(encoded) == sorted(TEXTS[CHUNK:])
    np.testing.assert_array_equal(vectors, encode(tiny, TEXTS, kind="document"))


EMBED = """
import sys
from pathlib import Path
from mrl_explorer.embed import embed, load_model
texts = Path(sys.argv[2]).read_text().split("\\n")
report = lambda progress: print(progress.done, flush=True)
embed(load_model(sys.argv[1]), texts, kind="document", cache=Path(sys.argv[3]), on_progress=report)
"""


def start(model, texts, cache):
    command = [sys.executable, "-c", EMBED, model.name, str(texts), str(cache)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def texts_file(tmp_path):
    file = tmp_path / "texts.txt"
    file.write_text("\n".join(TEXTS))
    return file


def test_a_killed_process_loses_at_most_its_chunk(tiny, tmp_path, texts_file, encoded):
    process = start(tiny, texts_file, tmp_path / "cache")
    while int(process.stdout.readline()) < CHUNK + 200:
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    vectors = embed(tiny, TEXTS, kind="document", cache=tmp_path / "cache")
    # It worked on while the signal was on its way, so more than the first chunk may be there.
    assert len(encoded) <= len(TEXTS) - CHUNK
    np.testing.assert_array_equal(vectors, encode(tiny, TEXTS, kind="document"))


def test_two_processes_may_share_a_cache(tiny, tmp_path, texts_file, encoded):
    processes = [start(tiny, texts_file, tmp_path / "cache") for _ in range(2)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    vectors = embed(tiny, TEXTS, kind="document", cache=tmp_path / "cache")
    assert encoded == []
    assert [entry.suffix for entry in entries(tmp_path / "cache")] == [".npy"] * 3
    np.testing.assert_array_equal(vectors, encode(tiny, TEXTS, kind="document"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: content[:-5000] + bytes(4968) + content[-32:],  # blocks never written
        lambda content: b"other" + content,
    ],
)
def test_a_damaged_entry_is_encoded_again(tiny, tmp_path, encoded, damage):
    expected = embed(tiny, TEXTS[:CHUNK], kind="document", cache=tmp_path)
    (entry,) = entries(tmp_path)
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    encoded.clear()
    vectors = embed(tiny, TEXTS[:CHUNK], kind="document", cache=tmp_path)
    assert len(encoded) == CHUNK
    np.testing.assert_array_equal(vectors, expected)
    assert entry.read_bytes() == whole


def test_an_entry_is_a_file_that_numpy_reads(tiny, tmp_path):
    vectors = embed(tiny, ["red"], kind="document", cache=tmp_path)
    (entry,) = entries(tmp_path)
    np.testing.assert_array_equal(np.load(entry, allow_pickle=False), vectors)


def test_a_cache_that_cannot_be_made_is_said_and_does_not_stop_the_run(tiny, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    reports = []
    vectors = embed(
        tiny, TEXTS, kind="document", cache=blocked / "cache", on_progress=reports.append
    )
    np.testing.assert_array_equal(vectors, encode(tiny, TEXTS, kind="document"))
    assert reports[-1] == Progress(
        len(TEXTS),
        len(TEXTS),
        f"embedding documents (not kept: Not a directory in the cache {blocked / 'cache'})",
    )


def test_a_full_disk_is_said_and_leaves_nothing_behind(tiny, tmp_path):
    """A limit on the size of files fails the write after some bytes, as a full disk does."""
    code = (
        "import resource, signal, sys; from pathlib import Path; "
        "from mrl_explorer.embed import embed, load_model; "
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "model = load_model(sys.argv[1]); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY)); "
        "reports = []; "
        "vectors = embed(model, ['red'] * 3, kind='query', cache=Path(sys.argv[2]), "
        "on_progress=reports.append); "
        "sys.stdout.write(f'{vectors.sum():g} {reports[-1].what}')"
    )
    command = [sys.executable, "-c", code, tiny.name, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == (
        f"18 embedding queries (not kept: File too large in the cache {tmp_path})"
    )
    assert entries(tmp_path) == []


def test_cache_dir_is_the_chosen_one_else_the_users(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("MRL_EXPLORER_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_dir() == Path("/home/someone/.cache/mrl-explorer")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_dir() == Path("/home/someone/.cache/mrl-explorer")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert cache_dir() == Path("/var/cache/mrl-explorer")
    monkeypatch.setenv("MRL_EXPLORER_CACHE", "~/chosen")
    assert cache_dir() == Path("/home/someone/chosen")


def test_a_new_format_makes_old_entries_unknown(tiny, tmp_path, monkeypatch, encoded):
    embed(tiny, ["red"], kind="document", cache=tmp_path)
    monkeypatch.setattr(cache_module, "_FORMAT", b"another")
    embed(tiny, ["red"], kind="document", cache=tmp_path)
    assert encoded == ["red", "red"]

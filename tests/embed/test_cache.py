import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mrl_explorer.embed import cache as cache_module
from mrl_explorer.embed import cache_dir, embed, encode, load_model
from mrl_explorer.embed.cache import CHUNK
from mrl_explorer.embed.models import BATCH_SIZE
from mrl_explorer.embed.storage import empty_cache
from mrl_explorer.errors import InputError
from mrl_explorer.progress import Progress

from .conftest import save_tiny

WORDS = ("red", "green")
TEXTS = [f"{WORDS[row % 2]} " * (row % 5 + 1) + f"n{row}" for row in range(2 * CHUNK + 100)]


class StoppedError(Exception):
    """What a user's "stop" raises."""


@pytest.fixture
def tiny(tiny):
    """In the batches of a slow model: a static one's are as large as an entry."""
    return replace(tiny, batch_size=BATCH_SIZE)


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
    done = len(encoded)
    encoded.clear()
    reports = []
    vectors = embed(tiny, TEXTS, kind="document", cache=tmp_path, on_progress=reports.append)
    assert reports[0].done == done >= CHUNK + 500
    assert len(encoded) == len(TEXTS) - done
    np.testing.assert_array_equal(vectors, encode(tiny, TEXTS, kind="document"))
    assert [entry.suffix for entry in entries(tmp_path)] == [".npy"] * 3


def test_a_run_stopped_again_and_again_goes_on(tiny, tmp_path, encoded):
    def stop(progress):
        # What is found does not count: each run gets two batches further.
        nonlocal n_reports
        n_reports += 1
        if n_reports == 3:
            raise StoppedError

    for runs in range(1, 4):
        n_reports = 0
        with pytest.raises(StoppedError):
            embed(tiny, TEXTS[:CHUNK], kind="document", cache=tmp_path, on_progress=stop)
        assert len(encoded) == len(set(encoded)) == runs * 2 * BATCH_SIZE
    vectors = embed(tiny, TEXTS[:CHUNK], kind="document", cache=tmp_path)
    assert sorted(encoded) == sorted(TEXTS[:CHUNK])
    np.testing.assert_array_equal(vectors, encode(tiny, TEXTS[:CHUNK], kind="document"))
    assert [entry.suffix for entry in entries(tmp_path)] == [".npy"]


@pytest.mark.parametrize(
    ("damage", "n_lost"),
    [
        (lambda content: content[:-1], 1),
        (lambda content: content[:-40] + bytes(40), 1),
        (lambda content: content + bytes(1000), 0),
        (lambda content: content + b"\xff" * 1000, 0),
        (lambda content: content[: len(content) // 3 + 5], 2),
        (lambda content: b"", 3),
        (lambda content: b"\x01" + content[1:], 3),
    ],
)
def test_a_damaged_unfinished_file_counts_as_far_as_it_is_whole(
    tiny, tmp_path, encoded, damage, n_lost
):
    def stop(progress):
        if progress.done >= 3 * BATCH_SIZE:
            raise StoppedError

    texts = TEXTS[:CHUNK]
    with pytest.raises(StoppedError):
        embed(tiny, texts, kind="document", cache=tmp_path, on_progress=stop)
    (part,) = entries(tmp_path)
    part.write_bytes(damage(part.read_bytes()))
    encoded.clear()
    vectors = embed(tiny, texts, kind="document", cache=tmp_path)
    assert len(encoded) == len(texts) - (3 - n_lost) * BATCH_SIZE
    np.testing.assert_array_equal(vectors, encode(tiny, texts, kind="document"))


EMBED = """
import sys
from dataclasses import replace
from pathlib import Path
from mrl_explorer.embed import embed, load_model
from mrl_explorer.embed.models import BATCH_SIZE
model = replace(load_model(sys.argv[1]), batch_size=BATCH_SIZE)
texts = Path(sys.argv[2]).read_text().split("\\n")
report = lambda progress: print(progress.done, flush=True)
embed(model, texts, kind="document", cache=Path(sys.argv[3]), on_progress=report)
"""


def start(model, texts, cache):
    command = [sys.executable, "-c", EMBED, model.name, str(texts), str(cache)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def texts_file(tmp_path):
    file = tmp_path / "texts.txt"
    file.write_text("\n".join(TEXTS))
    return file


def killed_when(process, done):
    """Kill a process without warning once it has done so many texts; give what it reported."""
    reported = 0
    while reported < done:
        reported = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    # It worked on while the signal was on its way.
    last = [int(line) for line in process.stdout]
    process.stdout.close()
    return max([reported, *last])


def test_a_killed_process_loses_at_most_its_last_batch(tiny, tmp_path, texts_file, encoded):
    cache = tmp_path / "cache"
    done = killed_when(start(tiny, texts_file, cache), 300)
    reports = []
    vectors = embed(tiny, TEXTS, kind="document", cache=cache, on_progress=reports.append)
    assert reports[0].done >= done - BATCH_SIZE
    assert len(encoded) == len(TEXTS) - reports[0].done
    np.testing.assert_array_equal(vectors, encode(tiny, TEXTS, kind="document"))
    assert [entry.suffix for entry in entries(cache)] == [".npy"] * 3


def test_a_run_killed_twice_keeps_what_both_did(tiny, tmp_path, texts_file, encoded):
    cache = tmp_path / "cache"
    killed_when(start(tiny, texts_file, cache), 200)
    done = killed_when(start(tiny, texts_file, cache), 600)
    reports = []
    embed(tiny, TEXTS, kind="document", cache=cache, on_progress=reports.append)
    assert reports[0].done >= done - BATCH_SIZE
    assert len(encoded) == len(TEXTS) - reports[0].done


def test_two_processes_may_share_a_cache(tiny, tmp_path, texts_file, encoded):
    processes = [start(tiny, texts_file, tmp_path / "cache") for _ in range(2)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    vectors = embed(tiny, TEXTS, kind="document", cache=tmp_path / "cache")
    assert encoded == []
    assert [entry.suffix for entry in entries(tmp_path / "cache")] == [".npy"] * 3
    np.testing.assert_array_equal(vectors, encode(tiny, TEXTS, kind="document"))


def test_threads_may_share_a_cache_and_a_model(tiny, tmp_path, encoded):
    with ThreadPoolExecutor(4) as pool:
        results = list(
            pool.map(lambda _: embed(tiny, TEXTS, kind="document", cache=tmp_path), range(4))
        )
    encoded.clear()
    expected = encode(tiny, TEXTS, kind="document")
    for result in results:
        np.testing.assert_array_equal(result, expected)
    assert [entry.suffix for entry in entries(tmp_path)] == [".npy"] * 3
    np.testing.assert_array_equal(embed(tiny, TEXTS, kind="document", cache=tmp_path), expected)


def test_a_run_survives_a_cache_that_is_emptied_under_it(tiny, tmp_path):
    def empty(progress):
        empty_cache(tmp_path)

    vectors = embed(tiny, TEXTS, kind="document", cache=tmp_path, on_progress=empty)
    np.testing.assert_array_equal(vectors, encode(tiny, TEXTS, kind="document"))


def test_a_query_is_embedded_between_two_batches_of_another_run(tiny, tmp_path):
    """Sessions share a model; who comes waits for the batch under way and not for the rest."""
    under_way, go_on = threading.Event(), threading.Event()
    done = []

    def report(progress):
        done.append(progress.done)
        if progress.done == 2 * BATCH_SIZE:
            under_way.set()
            assert go_on.wait(60)

    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(embed, tiny, TEXTS, kind="document", cache=tmp_path, on_progress=report)
        assert under_way.wait(60)
        vectors = embed(tiny, ["red"], kind="query", cache=None)
        assert not run.done()
        assert done[-1] == 2 * BATCH_SIZE
        go_on.set()
        np.testing.assert_array_equal(run.result(60), encode(tiny, TEXTS, kind="document"))
    np.testing.assert_array_equal(vectors, encode(tiny, ["red"], kind="query"))


def test_the_cache_stays_within_its_limit(tiny, tmp_path, monkeypatch, encoded):
    # An entry takes 16,544 bytes: 1,024 vectors of 4 numbers, the head of the array, a digest.
    monkeypatch.setenv("MRL_EXPLORER_CACHE_GB", "0.00004")
    embed(tiny, TEXTS[:CHUNK], kind="document", cache=tmp_path)
    embed(tiny, TEXTS[CHUNK : 2 * CHUNK], kind="document", cache=tmp_path)
    # The first is used again, so the second is now the older one.
    embed(tiny, TEXTS[:CHUNK], kind="document", cache=tmp_path)
    embed(tiny, TEXTS[:CHUNK], kind="query", cache=tmp_path)
    assert len(entries(tmp_path)) == 2
    encoded.clear()
    embed(tiny, TEXTS[:CHUNK], kind="document", cache=tmp_path)
    assert encoded == []
    embed(tiny, TEXTS[CHUNK : 2 * CHUNK], kind="document", cache=tmp_path)
    assert len(encoded) == CHUNK


def test_a_run_larger_than_the_limit_ends_well(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("MRL_EXPLORER_CACHE_GB", "0.00002")
    vectors = embed(tiny, TEXTS, kind="document", cache=tmp_path)
    np.testing.assert_array_equal(vectors, encode(tiny, TEXTS, kind="document"))
    assert sum(entry.stat().st_size for entry in entries(tmp_path)) <= 20_000


def test_a_limit_that_is_no_number_is_said_before_the_work(tiny, tmp_path, monkeypatch, encoded):
    monkeypatch.setenv("MRL_EXPLORER_CACHE_GB", "plenty")
    with pytest.raises(InputError, match="MRL_EXPLORER_CACHE_GB is 'plenty'"):
        embed(tiny, TEXTS, kind="document", cache=tmp_path)
    assert encoded == []


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


def test_a_disk_that_fills_in_the_middle_of_a_chunk(tiny, tmp_path):
    """Room for some batches and not for an entry: said, and what was written is given back."""
    code = (
        "import resource, signal, sys; from dataclasses import replace; from pathlib import Path; "
        "from mrl_explorer.embed import embed, load_model; "
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "model = replace(load_model(sys.argv[1]), batch_size=32); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY)); "
        "reports = []; "
        "vectors = embed(model, ['red'] * 1000, kind='query', cache=Path(sys.argv[2]), "
        "on_progress=reports.append); "
        "sys.stdout.write(f'{vectors.sum():g} {reports[-1].what}')"
    )
    command = [sys.executable, "-c", code, tiny.name, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == (
        f"6000 embedding queries (not kept: File too large in the cache {tmp_path})"
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

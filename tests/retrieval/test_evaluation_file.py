import copy
import dataclasses
import hashlib
import io
import json
import os
import re
import zipfile

import numpy as np
import pytest

from mrl_explorer.data import Collection, Judgements, make_records
from mrl_explorer.errors import InputError
from mrl_explorer.retrieval import evaluation_file
from mrl_explorer.retrieval.basis import Basis
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation import evaluate
from mrl_explorer.retrieval.evaluation_file import FORMAT, VERSION, load_evaluation, save_evaluation
from mrl_explorer.retrieval.extension import extend
from mrl_explorer.retrieval.held_out import searched_half
from mrl_explorer.retrieval.quantization import QUANTIZATIONS

from .corpora import make_corpus

TEXTS = ["plain", "Ünïcødé 漢字 🙂", 'quotes " and \\ and\nlines', "<b>&amp;</b>", "", "\x00\x1f"]


def make_evaluation(
    *, texts=True, segments=True, judgements=True, exclude_self=False, n_docs=30, **options
):
    documents, queries = make_corpus(
        "gaussian", n_docs=n_docs, n_queries=6, full_dim=12, seed=n_docs
    )
    document_records = make_records(
        name="dócs.jsonl",
        vectors=documents,
        ids=[f"é{row}" for row in range(n_docs)],
        texts=[f"{TEXTS[row % 6]} {row}" for row in range(n_docs)] if texts else None,
        titles=[TEXTS[row % 6] for row in range(n_docs)] if texts else None,
    )
    query_records = make_records(
        name="queries.jsonl",
        vectors=queries,
        ids=["é1", "é2", *"abcd"],
        texts=[f"{text}?" for text in TEXTS] if texts else None,
        segments=["ä", "", *"xyzz"] if segments else None,
        what="queries",
    )
    labels = Judgements(
        "qrels/tést.tsv",
        np.array([0, 0, 5], np.int32),
        np.array([3, n_docs - 1, 1], np.int32),
        np.array([1, 0, 2.5], np.float32),
    )
    return evaluate(
        Collection(document_records, query_records, labels if judgements else None),
        dims=options.pop("dims", [4, 12]),
        exclude_self=exclude_self,
        depth=8,
        model="a modèl",
        trained_dims=(4, 8),
        **options,
    )


def assert_equal(first, second):
    """Equal in every array, bit by bit, and in every text."""
    if isinstance(first, np.ndarray):
        assert isinstance(second, np.ndarray)
        assert first.dtype == second.dtype
        assert first.shape == second.shape
        assert first.tobytes() == second.tobytes()
    elif dataclasses.is_dataclass(first):
        assert type(first) is type(second)
        for field in dataclasses.fields(first):
            assert_equal(getattr(first, field.name), getattr(second, field.name))
    elif isinstance(first, tuple) and first and dataclasses.is_dataclass(first[0]):
        assert len(first) == len(second)
        for pair in zip(first, second, strict=True):
            assert_equal(*pair)
    else:
        assert type(first) is type(second)
        assert first == second


@pytest.fixture(scope="module")
def evaluation():
    return make_evaluation()


@pytest.fixture
def saved(evaluation, tmp_path):
    path = tmp_path / "run.evaluation"
    save_evaluation(evaluation, path)
    return path


def refusal(path):
    """What loading is refused with: one sentence that names the file."""
    with pytest.raises(InputError) as caught:
        load_evaluation(path)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    assert message.endswith(".")
    assert ": " in message  # what to do follows what is wrong
    assert not re.search(r"\bNone\b|Error|Traceback", message)
    return message


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path, parts):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def seal(manifest):
    """Put the right hash into a manifest, and give it as text."""
    said = {name: value for name, value in manifest.items() if name != "manifest_sha256"}
    content = json.dumps(said, sort_keys=True).encode()
    return json.dumps({**said, "manifest_sha256": hashlib.sha256(content).hexdigest()})


def change_manifest(path, change, *, sealed=True):
    """Change a manifest as whoever knows how its hash is made can; or as one who does not."""
    parts = members(path)
    manifest = json.loads(parts["manifest.json"])
    change(manifest)
    parts["manifest.json"] = seal(manifest) if sealed else json.dumps(manifest)
    rewrite(path, parts)


# --- there and back -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"segments": False},
        {"judgements": False},
        {"texts": False, "segments": False, "judgements": False},
        {"exclude_self": True},
        {"quantizations": tuple(QUANTIZATIONS)},
        {"dims": [], "bases": ("native",)},
        {"n_docs": 30, "quantizations": ("binary",), "bases": ("pca",)},
        {"bases": ("native", "pca", "pca-rotated", "random")},
        {"n_docs": 3, "judgements": False},
        {"given": (Basis("adapter", np.eye(5, 12, dtype=np.float32)),)},
    ],
)
def test_there_and_back_nothing_changes(tmp_path, options):
    evaluation = make_evaluation(**options)
    save_evaluation(evaluation, tmp_path / "run.evaluation")
    assert_equal(load_evaluation(tmp_path / "run.evaluation"), evaluation)


def test_lists_that_end_early_come_back(tmp_path):
    documents, _ = make_corpus("gaussian", n_docs=3, n_queries=1, full_dim=4, seed=0)
    both = make_records(name="same.npy", vectors=documents)
    evaluation = evaluate(Collection(both, both), dims=[2], exclude_self=True)
    assert (evaluation.rankings.ids == -1).any()
    save_evaluation(evaluation, tmp_path / "run.evaluation")
    assert_equal(load_evaluation(tmp_path / "run.evaluation"), evaluation)


def test_the_file_moves_and_is_written_over(saved, evaluation):
    moved = saved.with_name("other name.zip")
    saved.rename(moved)
    assert_equal(load_evaluation(moved), evaluation)
    other = make_evaluation(judgements=False)
    save_evaluation(other, moved)
    assert_equal(load_evaluation(moved), other)
    assert [path.name for path in moved.parent.iterdir()] == [moved.name]


def test_the_parts_are_plain_and_hold_no_pickle(saved):
    parts = members(saved)
    assert sorted(parts) == [
        "axes_pca.npy",
        "documents.parquet",
        "held_out_ids.npy",
        "held_out_pair_rows.npy",
        "held_out_pair_scores.npy",
        "held_out_pair_starts.npy",
        "held_out_rows.npy",
        "held_out_scores.npy",
        "ids.npy",
        "judgements.parquet",
        "manifest.json",
        "pair_rows.npy",
        "pair_scores.npy",
        "pair_starts.npy",
        "queries.parquet",
        "scores.npy",
    ]
    for name, content in parts.items():
        if name.endswith(".npy"):
            array = np.load(io.BytesIO(content), allow_pickle=False)
            assert array.dtype.kind in "if"
        elif name.endswith(".parquet"):
            assert content[:4] == content[-4:] == b"PAR1"
    manifest = json.loads(parts["manifest.json"])
    assert (manifest["format"], manifest["version"]) == (FORMAT, VERSION)
    assert set(manifest["sha256"]) == set(parts) - {"manifest.json"}


def replace_part(path, name, content):
    """Put other content in, with the right checksum."""
    parts = members(path)
    manifest = json.loads(parts["manifest.json"])
    manifest["sha256"][name] = hashlib.sha256(content).hexdigest()
    rewrite(path, {**parts, name: content, "manifest.json": seal(manifest)})


def test_arrays_of_objects_are_not_unpickled(saved):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(saved.with_name("sprung")),)

    buffer = io.BytesIO()
    np.save(buffer, np.array([Trap()], object), allow_pickle=True)
    replace_part(saved, "scores.npy", buffer.getvalue())
    assert "is damaged" in refusal(saved)
    assert not saved.with_name("sprung").exists()
    np.load(io.BytesIO(buffer.getvalue()), allow_pickle=True)
    assert saved.with_name("sprung").exists()  # it would have been seen


@pytest.mark.parametrize("size", [10**13, 10**30])
def test_arrays_that_claim_to_be_huge(saved, size):
    buffer = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (size,)}
    np.lib.format.write_array_header_2_0(buffer, header)
    replace_part(saved, "scores.npy", buffer.getvalue() + b"1234")
    assert "is damaged" in refusal(saved)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" * 100])
def test_texts_that_are_no_parquet(saved, content):
    replace_part(saved, "documents.parquet", content)
    assert "is damaged" in refusal(saved)


# --- what cannot be read ------------------------------------------------------------------------


def test_a_missing_file(tmp_path):
    path = tmp_path / "gone.evaluation"
    assert refusal(path) == f"There is no file {path}: check the path."


def test_a_folder(tmp_path):
    path = tmp_path / "folder.evaluation"
    path.mkdir()
    assert "cannot be read" in refusal(path)


def test_a_file_within_a_file(saved):
    assert "cannot be read" in refusal(saved / "inner.evaluation")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut", b"\x00" * 5000])
def test_what_is_no_archive(tmp_path, content):
    path = tmp_path / "other.evaluation"
    path.write_bytes(content)
    refusal(path)


def test_an_archive_of_something_else(tmp_path):
    path = tmp_path / "other.zip"
    rewrite(path, {"readme.txt": "hello"})
    assert "is not an evaluation: give a file written by" in refusal(path)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.99, 0.9999])
def test_a_file_cut_short(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(len(content) * share)])
    assert "damaged" in refusal(saved)


def load_or_refusal(path):
    try:
        return load_evaluation(path)
    except InputError:
        return refusal(path)


def flipped_places(content, *, step):
    """Some bytes of the parts, and every byte of what ZIP itself writes around them."""
    places = set(range(0, len(content), step))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            start = member.header_offset
            places |= set(range(start, start + 30 + len(member.filename)))
        places |= set(range(archive.start_dir, len(content)))
    return sorted(places)


def test_a_flipped_byte(tmp_path):
    """It is noticed, or it is one that means nothing, such as the time of writing."""
    evaluation = make_evaluation(dims=[], bases=("native",))
    path = tmp_path / "run.evaluation"
    save_evaluation(evaluation, path)
    content = path.read_bytes()
    n_refused = 0
    places = flipped_places(content, step=17)
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        got = load_or_refusal(path)
        if isinstance(got, str):
            n_refused += 1
        else:
            assert_equal(got, evaluation)
    assert n_refused > len(places) / 2


@pytest.mark.parametrize("bit", [0x01, 0x08, 0x40])
def test_flags_that_another_archiver_would_set(saved, bit):
    """Such as "encrypted", in the directory at the end and before every part."""
    content = bytearray(saved.read_bytes())
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        for match in re.finditer(re.escape(signature), bytes(content)):
            content[match.start() + offset] ^= bit
    saved.write_bytes(content)
    got = load_or_refusal(saved)
    assert isinstance(got, str) or bit != 0x01


@pytest.mark.parametrize("method", [12, 14, 97])
def test_compressed_otherwise(saved, method):
    content = bytearray(saved.read_bytes())
    for signature, offset in ((b"PK\x01\x02", 10), (b"PK\x03\x04", 8)):
        for match in re.finditer(re.escape(signature), bytes(content)):
            content[match.start() + offset] = method
    saved.write_bytes(content)
    refusal(saved)


@pytest.mark.parametrize(
    "name",
    [
        *("ids.npy", "scores.npy", "pair_rows.npy", "documents.parquet", "queries.parquet"),
        *("axes_pca.npy", "held_out_ids.npy", "held_out_rows.npy"),
    ],
)
def test_a_missing_part(saved, name):
    parts = members(saved)
    del parts[name]
    rewrite(saved, parts)
    refusal(saved)
    # Nor if the manifest does not name it either.
    change_manifest(saved, lambda manifest: manifest["sha256"].pop(name))
    refusal(saved)


def test_a_missing_manifest(saved):
    parts = members(saved)
    del parts["manifest.json"]
    rewrite(saved, parts)
    assert "is not an evaluation" in refusal(saved)


def test_a_changed_part(saved):
    parts = members(saved)
    parts["scores.npy"] = parts["scores.npy"][:-1] + b"\x00"
    rewrite(saved, parts)
    assert refusal(saved) == DAMAGED


DAMAGED = (
    "run.evaluation is damaged or was changed after it was written: evaluate again, or copy it "
    "again from where it came."
)


def test_two_labels_that_changed_places(saved):
    def swap(manifest):
        configs = manifest["configs"]
        configs[1], configs[2] = configs[2], configs[1]

    change_manifest(saved, swap, sealed=False)
    assert refusal(saved) == DAMAGED


def leaves(value, path=()):
    """Give the place of everything that a manifest says."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        if isinstance(child, dict | list) and child:
            yield from leaves(child, (*path, key))
        else:
            yield (*path, key)


def test_nothing_in_the_manifest_can_be_changed(saved):
    whole = saved.read_bytes()
    places = list(leaves(json.loads(members(saved)["manifest.json"])))
    assert ("configs", 0, "dim") in places
    assert ("manifest_sha256",) in places
    for *path, last in places:
        if last in ("format", "version"):
            continue

        def change(manifest, path=path, last=last):
            inner = manifest
            for key in path:
                inner = inner[key]
            inner[last] = inner[last] + 1 if type(inner[last]) is int else "other"

        change_manifest(saved, change, sealed=False)
        assert refusal(saved) == DAMAGED, (path, last)
        saved.write_bytes(whole)
    load_evaluation(saved)


def test_a_manifest_without_its_hash(saved):
    change_manifest(saved, lambda manifest: manifest.pop("manifest_sha256"), sealed=False)
    assert refusal(saved) == DAMAGED


@pytest.mark.parametrize(
    "manifest", [b"", b"{", b"\xff\xfe", b"null", b"[]", b"7", b'"text"', b"[" * 100_000]
)
def test_a_manifest_that_is_no_json_object(saved, manifest):
    rewrite(saved, {**members(saved), "manifest.json": manifest})
    refusal(saved)


def test_a_newer_version(saved):
    change_manifest(saved, lambda manifest: manifest.update(version=VERSION + 1))
    assert refusal(saved) == (
        "run.evaluation was written by a newer MRL Explorer (format 4, this one reads 3): update "
        "MRL Explorer."
    )


WRONG = [None, "text", 7, 1.5, [], {}, [1], ["text"], {"text": 1}, [None], True]


@pytest.mark.parametrize(
    "key",
    ["format", "version", "n_docs", "full_dim", "configs", "source", "sha256", "bases", "held_out"],
)
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_a_manifest_of_wrong_types(saved, key, value):
    change_manifest(saved, lambda manifest: manifest.update({key: value}))
    # No bases, and nothing held out, is what some evaluations have.
    if (key, value) not in (("bases", {}), ("held_out", None)):
        refusal(saved)
    else:
        load_evaluation(saved)


def test_checksums_that_are_a_list(saved):
    change_manifest(saved, lambda manifest: manifest.update(sha256=list(manifest["sha256"])))
    refusal(saved)


@pytest.mark.parametrize("n_docs", [1000.5, "1000"])
def test_a_number_of_documents_that_is_none(saved, n_docs):
    change_manifest(saved, lambda manifest: manifest.update(n_docs=n_docs))
    refusal(saved)


@pytest.mark.parametrize(
    "key",
    [
        *("format", "version", "n_docs", "full_dim", "configs", "source", "sha256", "judgements"),
        *("bases", "held_out"),
    ],
)
def test_a_manifest_that_lacks_something(saved, key):
    change_manifest(saved, lambda manifest: manifest.pop(key))
    refusal(saved)


@pytest.mark.parametrize(
    "config",
    [
        None,
        7,
        {},
        {"dim": 4, "colour": "red"},
        {"dim": "4"},
        {"dim": 4.5},
        {"dim": 0},
        {"dim": 13},
        {"dim": [4]},
        {"dim": 4, "quantization": "int3"},
        {"dim": 4, "quantization": None},
        {"dim": 4, "basis": "fourier"},
        {"dim": 4, "basis": 7},
    ],
    ids=repr,
)
def test_a_configuration_that_cannot_be(saved, config):
    def change(manifest):
        manifest["configs"][-1] = config

    change_manifest(saved, change)
    refusal(saved)


def test_configurations_that_do_not_belong_to_the_lists(saved):
    change_manifest(saved, lambda manifest: manifest["configs"].pop())
    assert "damaged" in refusal(saved)


def test_a_configuration_twice(saved):
    def change(manifest):
        manifest["configs"][-1] = manifest["configs"][-2]

    change_manifest(saved, change)
    assert "damaged" in refusal(saved)


@pytest.mark.parametrize("n_docs", [-1, 0, 29])
def test_fewer_documents_than_are_listed(saved, n_docs):
    change_manifest(saved, lambda manifest: manifest.update(n_docs=n_docs))
    assert "damaged" in refusal(saved)


def changed(evaluation, **changes):
    """A copy that its own class would not have made."""
    other = copy.copy(evaluation)
    for name, values in changes.items():
        object.__setattr__(other, name, dataclasses.replace(getattr(other, name), **values))
    return other


@pytest.mark.parametrize(
    "changes",
    [
        {"rankings": {"scores": np.zeros((2, 6, 8), np.float32)}},
        {"rankings": {"n_docs": 3}},
        {
            "listed": {
                "rows": np.array([0], np.int32),
                "ids": ("a",),
                "titles": ("",),
                "texts": ("",),
            }
        },
        {"queries": {"ids": ("a",), "texts": ("",), "segments": None}},
        {"judgements": {"query_rows": np.array([0, 0, 6], np.int32)}},
        {"judgements": {"document_rows": np.array([0, 30, 1], np.int32)}},
        {"judgements": {"document_rows": np.array([0, -1, 1], np.int32)}},
        {"held_out": {"rows": np.arange(14, dtype=np.int32)}},
        {"held_out": {"rows": np.arange(16, 31, dtype=np.int32)}},
        {"held_out": {"rows": np.arange(15, dtype=np.int32)[::-1].copy()}},
        {"held_out": {"rows": np.arange(15, dtype=np.float32)}},
    ],
    ids=repr,
)
def test_parts_that_do_not_belong_together(evaluation, tmp_path, changes):
    """Each whole and with its checksum, but not of one evaluation."""
    path = tmp_path / "run.evaluation"
    save_evaluation(changed(evaluation, **changes), path)
    assert "damaged" in refusal(path)


@pytest.mark.parametrize(
    "axes",
    [
        np.eye(12),
        np.eye(12, 11, dtype=np.float32),
        np.eye(11, 12, dtype=np.float32),
        np.ones(12, np.float32),
        np.full((12, 12), np.nan, np.float32),
    ],
    ids=["float64", "narrow", "too few", "one axis", "no numbers"],
)
def test_axes_that_cannot_be(saved, axes):
    replace_part(saved, "axes_pca.npy", evaluation_file._npy(axes))
    assert "damaged" in refusal(saved)


def test_held_out_configurations_without_their_native_one(saved):
    def change(manifest):
        manifest["held_out"][1] = {"dim": 5, "quantization": "float32", "basis": "native"}

    change_manifest(saved, change)
    assert "damaged" in refusal(saved)


def test_bases_that_share_their_axes_are_stored_once(tmp_path):
    path = tmp_path / "run.evaluation"
    save_evaluation(make_evaluation(bases=("pca", "pca-rotated")), path)
    assert [name for name in members(path) if name.startswith("axes")] == ["axes_pca.npy"]
    first, second = load_evaluation(path).bases
    assert first.components is second.components
    assert (first.name, second.name) == ("pca", "pca-rotated")


@pytest.mark.parametrize("exclude_self", [False, True])
def test_a_file_of_version_1_still_opens(tmp_path, exclude_self):
    evaluation = make_evaluation(exclude_self=exclude_self)
    path = tmp_path / "run.evaluation"
    save_evaluation(evaluation, path)
    newer = [name for name in members(path) if name.startswith(("axes", "held_out"))]

    def age(manifest):
        manifest["version"] = 1
        del manifest["bases"], manifest["held_out"], manifest["source"]["exclude_self"]
        for name in newer:
            del manifest["sha256"][name]

    change_manifest(path, age)
    rewrite(path, {name: part for name, part in members(path).items() if name not in newer})
    expected = dataclasses.replace(evaluation, bases=(), held_out=None)
    assert_equal(load_evaluation(path), expected)


def test_a_file_of_version_2_still_opens(saved, evaluation):
    def age(manifest):
        manifest["version"] = 2
        del manifest["manifest_sha256"]

    change_manifest(saved, age, sealed=False)
    assert_equal(load_evaluation(saved), evaluation)


def test_a_listed_document_without_a_score(evaluation, tmp_path, monkeypatch):
    path = tmp_path / "run.evaluation"
    whole = evaluation_file._pairs

    def other_rows(rankings):
        starts, rows, scores = whole(rankings)
        return starts, rows + 1, scores

    monkeypatch.setattr(evaluation_file, "_pairs", other_rows)
    save_evaluation(evaluation, path)
    assert "damaged" in refusal(path)


def test_a_file_that_unpacks_to_too_much(saved, monkeypatch):
    monkeypatch.setattr(evaluation_file, "MAX_BYTES", 1000)
    assert "unpacks to more than" in refusal(saved)


# --- what cannot be written ---------------------------------------------------------------------


def save_refusal(evaluation, path):
    with pytest.raises(InputError) as caught:
        save_evaluation(evaluation, path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert "cannot be written" in message
    assert "(None)" not in message
    return message


def test_a_folder_that_does_not_exist(evaluation, tmp_path):
    save_refusal(evaluation, tmp_path / "missing" / "run.evaluation")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file(evaluation, tmp_path):
    (tmp_path / "file").write_text("kept")
    save_refusal(evaluation, tmp_path / "file" / "run.evaluation")
    assert (tmp_path / "file").read_text() == "kept"


def test_a_name_that_is_too_long(evaluation, tmp_path):
    save_refusal(evaluation, tmp_path / ("x" * 300))
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_is_a_folder(evaluation, tmp_path):
    (tmp_path / "run.evaluation").mkdir()
    save_refusal(evaluation, tmp_path / "run.evaluation")
    assert [path.name for path in tmp_path.iterdir()] == ["run.evaluation"]


@pytest.mark.parametrize("path", [".", "/", ".."])
def test_a_target_without_a_name(evaluation, tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    save_refusal(evaluation, evaluation_file.Path(path))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_to(evaluation):
    # Nobody, not even root, makes files here.
    save_refusal(evaluation, evaluation_file.Path("/proc/run.evaluation"))


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_save_leaves_what_was_there(saved, evaluation, monkeypatch, error):
    before = saved.read_bytes()
    whole = zipfile.ZipFile.writestr

    def fail_late(archive, name, content):
        if name == "queries.parquet":
            raise error
        whole(archive, name, content)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fail_late)
    with pytest.raises((InputError, KeyboardInterrupt)) as caught:
        save_evaluation(make_evaluation(judgements=False), saved)
    assert isinstance(caught.value, InputError) == isinstance(error, OSError)
    assert os.listdir(saved.parent) == [saved.name]
    assert saved.read_bytes() == before
    monkeypatch.undo()
    assert_equal(load_evaluation(saved), evaluation)


def test_an_adapter_comes_back_with_what_it_has_not_seen(tmp_path):
    documents, queries = make_corpus("gaussian", n_docs=40, n_queries=4, full_dim=8, seed=2)
    collection = Collection(
        make_records(name="d", vectors=documents),
        make_records(name="q", vectors=queries, what="queries"),
    )
    components = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    adapter = Basis("adapter", components, searched_half(40))
    before = evaluate(collection, dims=[4], bases=["native"], given=[adapter], depth=10)
    path = tmp_path / "adapted.evaluation"
    save_evaluation(before, path)
    after = load_evaluation(path)
    assert np.array_equal(after.bases[0].components, components)
    assert np.array_equal(after.bases[0].unseen, searched_half(40))
    grown = extend(after, collection, dims=[6])
    assert Config(6, "int8", "adapter") in grown.held_out.rankings

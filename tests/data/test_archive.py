import stat
import zipfile
import zlib

import pytest

from mrl_explorer.data import archive as archive_module
from mrl_explorer.data import read_beir, read_records
from mrl_explorer.data.archive import archive_members, unpacked
from mrl_explorer.errors import InputError


@pytest.fixture
def pack(tmp_path):
    def pack_file(members, name="a.zip"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members:
                archive.writestr(member, content)
        return tmp_path / name

    return pack_file


def test_files_come_out_and_are_removed(pack):
    path = pack([("inner/", ""), ("inner/a.txt", "a"), ("b\\c.txt", "c")])
    assert archive_members(path) == ("inner/a.txt", "b\\c.txt")
    with unpacked(path) as folder:
        assert (folder / "inner" / "a.txt").read_text() == "a"
        assert (folder / "b" / "c.txt").read_text() == "c"
    assert not folder.exists()


@pytest.mark.parametrize(
    "member", ["../x", "a/../../x", "/etc/x", "C:/x", "c:x", "..\\x", "\\x", "a/.."]
)
def test_members_that_climb_out_are_refused(pack, tmp_path, member):
    path = pack([("ok.txt", "a"), (member, "b")])
    with (
        pytest.raises(InputError, match=r"a\.zip: .* points outside the archive"),
        unpacked(path),
    ):
        pass
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.zip"]


def test_links_are_refused(pack):
    link = zipfile.ZipInfo("corpus.jsonl")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(InputError, match=r'a\.zip: "corpus\.jsonl" points outside'):
        read_beir(pack([(link, "/etc/passwd")]))


def test_a_bomb_is_refused(pack):
    path = pack([("corpus.jsonl", b"a" * 60_000_000)])
    with pytest.raises(InputError, match=r"a\.zip unpacks to more than 200 times its size"):
        read_beir(path)


def test_a_bomb_of_vectors_is_refused(pack):
    path = pack([("vectors.npy", b"\0" * 60_000_000)], name="v.npz")
    with pytest.raises(InputError, match=r"v\.npz unpacks to more than 200 times its size"):
        read_records(path)


def test_the_limit_holds_for_all_members_together(pack):
    path = pack([(f"{i}.txt", b"a" * 1000) for i in range(3)])
    with unpacked(path, limit_bytes=3000):
        pass
    with (
        pytest.raises(InputError, match=r"a\.zip unpacks to more than 2\.999e-06 GB"),
        unpacked(path, limit_bytes=2999),
    ):
        pass


def test_a_member_longer_than_declared_is_refused(pack):
    path = pack([("corpus.jsonl", b"a" * 1000)])
    # The size after unpacking stands in the local header and in the directory at the end.
    declared, lie = (1000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    raw = path.read_bytes()
    assert raw.count(declared) == 2
    path.write_bytes(raw.replace(declared, lie))
    with pytest.raises(InputError, match=r"a\.zip is not a whole ZIP archive"):
        read_beir(path)


def test_encrypted_members_are_refused(pack):
    path = pack([("corpus.jsonl", "a")])
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r'a\.zip: "corpus\.jsonl" is encrypted'):
        read_beir(path)


def test_an_unknown_compression_is_refused(pack):
    path = pack([("corpus.jsonl", "a")])
    raw = bytearray(path.read_bytes())
    raw[8] = raw[raw.index(b"PK\x01\x02") + 10] = 99
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"a\.zip is not a whole ZIP archive in a usual compress"):
        read_beir(path)


def test_damage_within_a_member_is_an_input_error(pack):
    path = pack([("corpus.jsonl", bytes(range(256)) * 50)])
    raw = bytearray(path.read_bytes())
    raw[60:80] = zlib.compress(b"x")[:1] * 20
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"a\.zip is not a whole ZIP archive"):
        read_beir(path)


def test_a_member_that_stands_twice_is_refused(pack):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = pack([("corpus.jsonl", "a"), ("corpus.jsonl", "b")])
    with pytest.raises(InputError, match=r"a\.zip cannot be read \(File exists\)"):
        read_beir(path)


def test_too_many_members_are_refused(pack, monkeypatch):
    monkeypatch.setattr(archive_module, "_MEMBER_LIMIT", 2)
    with pytest.raises(InputError, match=r"a\.zip holds more than 2 files"):
        read_beir(pack([(str(i), "") for i in range(3)]))


def test_a_file_that_is_no_archive(write):
    with pytest.raises(InputError, match=r"a\.zip is not a whole ZIP archive"):
        read_beir(write("a.zip", "no"))

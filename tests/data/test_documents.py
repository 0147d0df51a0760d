"""Files that are one document, most of them made by other programs (files/README.md)."""

import zipfile
from pathlib import Path

import pytest

from mrl_explorer.data import Columns, list_columns, read_records
from mrl_explorer.errors import InputError

FILES = Path(__file__).parent / "files"
PANDOC_PARTS = ("twice a week; costs $5", "basil", "Feed in spring", "Grüße", "中文", "مرحبا")


@pytest.mark.parametrize("name", ["pandoc.docx", "pandoc.html", "pandoc.md"])
def test_one_source_in_three_kinds(name):
    records = read_records(FILES / name)
    assert records.ids == (name,)
    assert records.has_ids
    assert records.titles == ("Garden manual",)
    (text,) = records.texts
    assert all(part in text for part in PANDOC_PARTS)
    assert not any(mark in text for mark in ("**", "<b>", "ignored", "|--", "font-family"))
    assert list_columns(FILES / name) == ("id", "title", "text")


@pytest.mark.parametrize(
    ("name", "title", "pages"),
    [
        ("chromium.pdf", "Chromium print", ["tomatoes twice a week.", "Grüße, 中文."]),
        ("fpdf2.pdf", "Printed manual", ["tomatoes. ", "cactus plants. ", "watering. "]),
        ("restricted.pdf", "Printed manual", ["tomatoes. ", "cactus plants. ", "watering. "]),
    ],
)
def test_a_pdf_has_a_page_break_between_pages(name, title, pages):
    records = read_records(FILES / name)
    assert records.titles == (title,)
    found = records.texts[0].split("\f")
    assert len(found) == len(pages)
    assert all(part in page for part, page in zip(pages, found, strict=True))


def test_the_text_alone_can_be_chosen():
    records = read_records(FILES / "pandoc.md", columns=Columns(text="text"))
    assert records.titles is None
    assert records.ids == ("0",)


def test_without_a_title_there_is_none(write):
    assert read_records(write("notes.md", "plain words")).titles == ("",)
    assert read_records(write("notes.html", "plain <b>words</b>")).texts == ("plain words",)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<p>é</p>".encode(), "é"),
        ("\ufeff<p>é</p>".encode(), "é"),
        ("<p>é</p>".encode("utf-16"), "é"),
        ('<meta charset="iso-8859-1"><p>é</p>'.encode("latin-1"), "é"),
        (b'<?xml version="1.0" encoding="utf-8"?><p>a</p>', "a"),
        (b"<p>a<script>evil()</script><style>p {}</style><!-- no --></p>", "a"),
        (b"<div>" * 2000 + b"deep", "deep"),
        (b"<p>a\0b</p>", "a\ufffdb"),
    ],
)
def test_html_of_any_encoding(write, content, text):
    assert read_records(write("p.html", content)).texts == (text,)


def test_markdown_with_a_byte_order_mark_and_windows_line_ends(write):
    records = read_records(write("m.md", b"\xef\xbb\xbf# T\r\n\r\none\r\ntwo\r\n"))
    assert records.titles == ("T",)
    assert records.texts == ("T\n\none two",)


def docx_bomb(path):
    with (
        zipfile.ZipFile(FILES / "pandoc.docx") as whole,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in whole.namelist():
            bomb.writestr(name, whole.read(name))
        bomb.writestr("word/media/image1.png", b"\0" * 60_000_000)


def test_a_bomb_in_a_docx_is_refused_before_it_is_unpacked(tmp_path):
    docx_bomb(tmp_path / "d.docx")
    with pytest.raises(InputError, match=r"d\.docx unpacks to more than 200 times its size"):
        read_records(tmp_path / "d.docx")


def test_a_docx_without_its_document(tmp_path):
    with zipfile.ZipFile(tmp_path / "d.docx", "w") as archive:
        archive.writestr("hello.txt", "a")
    with pytest.raises(InputError, match=r"d\.docx is not a whole, readable DOCX"):
        read_records(tmp_path / "d.docx")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("encrypted.pdf", "is encrypted: save it without a password"),
        ("scanned.pdf", r"holds no text, only images .* \(OCR\)"),
    ],
)
def test_a_pdf_that_gives_no_text(name, message):
    with pytest.raises(InputError, match=f"{name} {message}"):
        read_records(FILES / name)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("d.pdf", b"", r"d\.pdf is empty: "),
        ("d.pdf", b"%PDF-1.7 and no more", r"d\.pdf is not a whole, readable PDF"),
        ("d.docx", b"", r"d\.docx is empty: "),
        ("d.docx", b"\xd0\xcf\x11\xe0 an old .doc", r"d\.docx is not a DOCX file"),
        ("d.docx", b"PK\x03\x04 cut", r"d\.docx is not a DOCX file"),
        ("d.md", b"", r"d\.md is empty: "),
        ("d.md", "é".encode("latin-1"), r"d\.md, line 1: byte 1 is not UTF-8"),
        ("d.html", b"", r"d\.html is empty: "),
        ("d.html", b"<!-- only -->", r"d\.html holds no text"),
        ("d.html", b"<p>\xe9</p>", r"d\.html is neither UTF-8 nor in an encoding that it decl"),
        ("d.html", b"<meta charset=klingon><p>\xe9", r"d\.html is neither UTF-8"),
    ],
)
def test_bad_documents_are_named_in_one_sentence(write, name, content, message):
    with pytest.raises(InputError, match=message):
        read_records(write(name, content))

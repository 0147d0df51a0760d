"""Files that are one document each: Markdown, HTML, PDF, DOCX, and text within a folder."""

# ruff: noqa: PLC0415 - each reader is loaded by the first file of its kind, not by the first page.

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mrl_explorer.data.archive import ZIP_DAMAGE, check_archive
from mrl_explorer.data.columns import Columns, check_columns
from mrl_explorer.data.files import opened, reading, whole_text
from mrl_explorer.data.strings import Strings
from mrl_explorer.data.tables import Table, encodable
from mrl_explorer.errors import InputError

if TYPE_CHECKING:
    from docx.table import _Row as DocxRow
    from lxml.html import HtmlElement
    from pypdfium2 import PdfPage

# Far beyond any manual; what is larger is a table under a wrong name.
_LIMIT_BYTES = 200 * 10**6

PAGE_BREAK = "\f"
"""Between the pages of a document that has pages, as a terminal's form feed."""

COLUMNS = ("id", "title", "text")

# PDFium keeps state of its own that two threads must not change at once.
_PDF_LOCK = threading.Lock()

Document = tuple[str, str]
"""Title and text."""


def document_columns(path: Path) -> tuple[str, ...]:
    """Return the columns of a file that is one document; `path` is not read."""
    del path
    return COLUMNS


def whole_file(read: Callable[[Path], Document]) -> Callable[[Path, Columns], Table]:
    """Make a reader of one-document files a reader of tables with one row.

    The id is the file's name, the title the document's own. Where it has none it stays empty: a
    file's name is seldom a text that should be embedded.
    """

    def read_table(path: Path, columns: Columns) -> Table:
        check_columns(columns.of_text, found=COLUMNS, name=path.name)
        title, text = read(path)
        cells = {"id": path.name, "title": title.strip(), "text": text}
        if not text.strip():
            raise InputError(f"{path.name} holds no text: leave it out, or give its text.")
        return Table(
            cells={name: Strings.of([encodable(cells[name])]) for name in columns.of_text},
            rows=range(1),
            row_word="row",
        )

    return read_table


def read_text(path: Path) -> Document:
    """Read a plain text as one document."""
    return "", whole_text(path, limit_bytes=_LIMIT_BYTES)


def read_markdown(path: Path) -> Document:
    """Read Markdown as the text that it shows; front matter is left out."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.front_matter import front_matter_plugin

    source = whole_text(path, limit_bytes=_LIMIT_BYTES)
    page = MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(front_matter_plugin)
    return _shown(page.render(source), path)


def read_html(path: Path) -> Document:
    """Read a page as the text that a browser shows, without scripts and styles."""
    with opened(path) as stream:
        raw = stream.read(_LIMIT_BYTES + 1)
    if len(raw) > _LIMIT_BYTES:
        raise InputError(
            f"{path.name} is larger than {_LIMIT_BYTES // 10**6} MB: give it in smaller files."
        )
    return _shown(raw, path)


def _shown(page: str | bytes, path: Path) -> Document:
    """Give title and visible text of HTML."""
    import html_text
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    try:
        if isinstance(page, bytes):
            page = _decoded(page, path)
        # As bytes: a string that declares an encoding of its own is refused by the parser.
        parser = HTMLParser(encoding="utf-8", remove_comments=True, huge_tree=True)
        tree = document_fromstring(page.encode("utf-8", "replace"), parser=parser)
        heading = next(
            (node for node in (*tree.iter("title"), *tree.iter("h1")) if _plain(node)), None
        )
        title = "" if heading is None else _plain(heading)
        for node in tree.xpath("//head | //script | //style | //noscript | //template"):
            node.drop_tree()
        text = html_text.extract_text(tree)
    except (etree.LxmlError, ValueError, RecursionError, AssertionError) as error:
        if isinstance(error, InputError):
            raise
        if isinstance(error, etree.ParserError):  # nothing but white space or comments
            return "", ""
        raise InputError(
            f"{path.name} is not a page that can be read as HTML: save it again, or as text."
        ) from error
    return title, text


def _plain(node: "HtmlElement") -> str:
    """Give an element's text on one line."""
    return " ".join(node.text_content().split())


def _decoded(raw: bytes, path: Path) -> str:
    """Decode HTML: by its byte order mark, as UTF-8, or as the page itself declares."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", "replace")
    with suppress(UnicodeDecodeError):
        return raw.decode("utf-8-sig")
    declared = re.search(rb"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", raw[:4096])
    with suppress(LookupError, UnicodeDecodeError):
        if declared:
            return raw.decode(declared[1].decode())
    raise InputError(
        f"{path.name} is neither UTF-8 nor in an encoding that it declares: save it as UTF-8."
    )


def read_pdf(path: Path) -> Document:
    """Read a PDF's text, page by page, with a page break between them."""
    import pypdfium2

    with reading(path):
        if not path.stat().st_size:
            raise InputError(f"{path.name} is empty (0 bytes): copy or save it again.")
        path.open("rb").close()
    try:
        with _PDF_LOCK:
            file = pypdfium2.PdfDocument(path)
            try:
                title = file.get_metadata_value("Title")
                pages = [_page_text(page) for page in file]
            finally:
                file.close()
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise InputError(f"{path.name} is encrypted: save it without a password.") from error
        raise InputError(
            f"{path.name} is not a whole, readable PDF: copy or save it again."
        ) from error
    if not any(page.strip() for page in pages):
        raise InputError(
            f"{path.name} holds no text, only images of its pages perhaps: run text recognition "
            "(OCR) on it, for example with ocrmypdf, and give the result."
        )
    return title, PAGE_BREAK.join(pages)


def _page_text(page: "PdfPage") -> str:
    """Give a page's text."""
    try:
        part = page.get_textpage()
        try:
            text = part.get_text_bounded()
        finally:
            part.close()
    finally:
        page.close()
    # U+FFFE stands for a hyphen at the end of a line: the word goes on in the next one.
    text = text.replace("\ufffe\r\n", "").replace("\ufffe", "").replace("\r\n", "\n")
    return text.replace(PAGE_BREAK, "\n").replace("\0", "")


def read_docx(path: Path) -> Document:
    """Read paragraphs and tables of a Word document, in their order."""
    from docx import Document as DocxFile
    from docx.opc.exceptions import OpcError
    from docx.table import Table as DocxTable
    from lxml import etree

    check_archive(path, what="a DOCX file (Word 2007 or later)")
    try:
        document = DocxFile(str(path))
        title = document.core_properties.title or ""
        parts: list[str] = []
        for block in document.iter_inner_content():
            if isinstance(block, DocxTable):
                parts += [" | ".join(_row_cells(row)) for row in block.rows]
                continue
            # The style's id and not its name, which costs a search through all styles.
            if not title and block._p.style in _TITLE_STYLES:
                title = block.text
            parts.append(block.text)
    # Anything may be missing from a file that is a ZIP of XML and no whole document.
    except (OpcError, etree.LxmlError, *_DOCX_DAMAGE) as error:
        raise InputError(
            f"{path.name} is not a whole, readable DOCX file (Word 2007 or later): save it again."
        ) from error
    return title, "\n\n".join(part for part in parts if part.strip())


_TITLE_STYLES = ("Title", "Heading1")

_DOCX_DAMAGE = (
    *ZIP_DAMAGE,
    *(ValueError, KeyError, AttributeError, TypeError, IndexError, AssertionError),
    *(OSError, EOFError, NotImplementedError, RecursionError),
)


def _row_cells(row: "DocxRow") -> list[str]:
    """Give a row's texts; a merged cell stands in several places and counts once."""
    seen: list[object] = []
    texts = []
    for cell in row.cells:
        if cell._tc not in seen:
            seen.append(cell._tc)
            texts.append(cell.text.strip())
    return texts

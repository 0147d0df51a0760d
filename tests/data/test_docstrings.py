import numpy as np
import pytest

from mrl_explorer.data import docstrings as module
from mrl_explorer.data import passages
from mrl_explorer.data.docstrings import (
    Library,
    build_library,
    docstrings,
    installed_key,
    is_built,
    plain,
    read_library,
    split,
)
from mrl_explorer.errors import InputError

from .packages import BODY, install, source, use_only

SUBJECTS = ("anvil", "bellows", "chisel", "drill", "eraser", "file")


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Two packages, six functions."""
    folder = tmp_path / "site"
    install(folder, "tools", {"tools/__init__.py": "", "tools/hand.py": source(*SUBJECTS[:4])})
    install(folder, "Other.Tools", {"other/desk.py": source(*SUBJECTS[4:])})
    use_only(folder, monkeypatch)
    return folder


def words(n):
    return " ".join(f"word{i}" for i in range(n))


# --- one docstring ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "sentence"),
    [
        ("Return the sum of all values.", "Return the sum of all values"),
        ("Return the sum of\nall values.", "Return the sum of all values"),
        ("Return the sum of all values", "Return the sum of all values"),
        ("Use a map, e.g. a dict, for values. It is fast.", "Use a map, e.g. a dict, for values"),
        ("Use numpy.sum for all these values. Or not.", "Use numpy.sum for all these values"),
        ("Is this the largest value? It tells.", "Is this the largest value"),
    ],
)
def test_the_first_sentence_is_held_out(first, sentence):
    found, passage = split(f"{first}\n\n{words(50)}")
    assert found == sentence
    assert sentence not in passage
    assert passage.endswith(words(50))


def test_the_rest_of_the_first_paragraph_belongs_to_the_passage():
    _, passage = split(f"Return the sum of all values. Empty lists give zero.\n\n{words(50)}")
    assert passage == f"Empty lists give zero. {words(50)}"


def test_a_passage_has_40_to_250_words():
    sentence = "Return the sum of all values."
    assert split(f"{sentence}\n\n{words(39)}") == (sentence[:-1], "")
    assert split(f"{sentence}\n\n{words(40)}")[1] == words(40)
    assert split(f"{sentence}\n\n{words(300)}")[1] == words(250)


@pytest.mark.parametrize(
    "first",
    [
        "Return it.",
        "sum(values, /, start=0) -> total (int)",
        "values (list of int, *optional*): The values to sum up.",
        "x_max: The largest of the values that are summed.",
        "=== + === + === + ===",
        "Reads files, by A Person <person@example.org>",
        " ".join(["word"] * 41),
    ],
)
def test_what_is_no_sentence_is_no_query(first):
    assert split(f"{first}\n\n{words(50)}") is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (">>> f(2)\n4\n>>> for x in y:\n...     g(x)", "f(2)\n4\nfor x in y:\n    g(x)"),
        (
            "Before.\n\n.. versionadded:: 1.2\n.. deprecated:: 3.0 Use g.\n\nAfter.",
            "Before.\n\nAfter.",
        ),
        (".. note:: Mind the gap.\n.. math ::\n    x", "Mind the gap.\n\n    x"),
        ("Title\n=====\nText\n-----", "Title\n\nText"),
        ("See :class:`~numpy.ndarray` and :py:func:`that <this>`.", "See numpy.ndarray and that."),
        ("See `the guide <https://example.org>`_ or [it](https://x.y).", "See the guide or it."),
        ("Takes ``None`` or `x`, **never** y.", "Takes None or x, never y."),
        (
            ":param int size: How many.\n:type size: int\n:returns: All.",
            "size: How many.\n\nreturns: All.",
        ),
        ("> [!WARNING]\n> Not for you.", "Not for you."),
        ("%(before)s\nAs follows::\n", "As follows:"),
    ],
)
def test_markup_is_taken_out(text, shown):
    assert plain(text) == shown


def test_what_a_module_documents_is_found_by_name_and_kind(tmp_path):
    path = tmp_path / "m.py"
    path.write_text(
        f'"""Tell what this module is for.\n\n{words(45)}\n"""\n'
        "class A:\n"
        f'    """Hold the values of one run.\n\n    {words(46)}\n    """\n'
        "    class B:\n"
        "        async def f(self):\n"
        f'            """Give the values one by one.\n\n            {words(47)}\n            """\n'
        "def g():\n"
        f'    """Print the values to the screen.\n\n    {words(48)}\n    """\n'
        "    def hidden():\n"
        f'        """Help with the printing of values.\n\n        {words(49)}\n        """\n'
    )
    assert sorted(
        (d.name, d.kind, d.sentence, d.passage) for d in docstrings(path, module="m")
    ) == [
        ("m", "module", "Tell what this module is for", words(45)),
        ("m.A", "class", "Hold the values of one run", words(46)),
        ("m.A.B.f", "method", "Give the values one by one", words(47)),
        ("m.g", "function", "Print the values to the screen", words(48)),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"def (",
        b"\0",
        b"\xff\xfe",
        b"x = " + b"(" * 5000,
        b"# coding: nonsense\n'text'",
        b"\x80",
    ],
)
def test_a_file_that_is_no_python_has_no_docstrings(tmp_path, content):
    path = tmp_path / "odd.py"
    path.write_bytes(content)
    assert list(docstrings(path, module="odd")) == []
    assert list(docstrings(tmp_path / "missing.py", module="missing")) == []


def test_an_old_escape_says_nothing(tmp_path, recwarn):
    path = tmp_path / "old.py"
    path.write_text('x = "\\d"\n')
    assert list(docstrings(path, module="old")) == []
    assert len(recwarn) == 0


# --- the collection -----------------------------------------------------------------------------


def test_each_query_has_its_own_passage(site):
    collection = build_library()
    documents, queries, judgements = collection.documents, collection.queries, collection.judgements
    assert documents.ids == (
        *("other.desk.eraser", "other.desk.file"),
        *(f"tools.hand.{subject}" for subject in SUBJECTS[:4]),
    )
    assert sorted(queries.texts) == [f"Explain what the {name} does here" for name in SUBJECTS]
    assert queries.segments == ("function",) * 6
    np.testing.assert_array_equal(judgements.gains, np.ones(6))
    assert len(set(judgements.query_rows)) == len(set(judgements.document_rows)) == 6
    for query, document in zip(judgements.query_rows, judgements.document_rows, strict=True):
        subject = documents.ids[document].rpartition(".")[2]
        assert queries.texts[query] == f"Explain what the {subject} does here"
        assert queries.texts[query] not in passages(documents)[document]
        assert documents.texts[document] == " ".join(BODY.format(subject=subject).split())


def test_the_same_packages_give_the_same_collection(site):
    first, second = (build_library(4, n_queries=2) for _ in range(2))
    assert first.documents.ids == second.documents.ids
    assert len(first.documents) == 4
    assert first.queries.texts == second.queries.texts
    assert len(first.queries) == 2


def test_copies_generated_passages_and_ambiguous_queries_are_left_out(tmp_path, monkeypatch):
    def function(name, sentence, body):
        return f'def {name}():\n    """{sentence}\n\n    {body}\n    """\n'

    template = f"The 'NAME' property has 7 values. {words(45)}"
    install(
        tmp_path / "site",
        "many",
        {
            "many/a.py": function("f", "Find the way home now.", words(50))
            + function("g", "Find the way out of here.", words(50).upper()),
            "many/b.py": function("h", "Set the colour of lines.", template.replace("NAME", "x"))
            + function(
                "i", "Set the colour of dots.", template.replace("NAME", "y").replace("7", "8")
            ),
            "many/c.py": function("j", "Close the file at once.", words(60))
            + function("k", "close the file at once.", words(70)),
        },
    )
    use_only(tmp_path / "site", monkeypatch)
    collection = build_library()
    names = [identity[-1] for identity in collection.documents.ids]
    assert len(names) == 4
    assert ("f" in names) != ("g" in names)
    assert ("h" in names) != ("i" in names)
    assert {"j", "k"} <= set(names)
    assert len(collection.queries) == 2
    assert not any(text.casefold().startswith("close") for text in collection.queries.texts)


def test_tests_copies_of_others_and_what_lies_outside_are_not_read(tmp_path, monkeypatch):
    kept = {"p/__init__.py": source("anvil"), "p/sub/tool.py": source("bellows")}
    left_out = {
        **dict.fromkeys(("p/tests/test_x.py", "p/_vendor/q.py", "tests/x.py"), source("chisel")),
        "p/notes.txt": source("drill"),
        "p/conftest.py": source("eraser"),
        "p/huge.py": source("file") + "#" * 300_000,
    }
    install(tmp_path / "site", "p", kept | left_out | {"../../bin/p.py": source("grinder")})
    use_only(tmp_path / "site", monkeypatch)
    assert build_library().documents.ids == ("p.anvil", "p.sub.tool.bellows")


def test_next_to_no_documentation_is_said(tmp_path, monkeypatch):
    install(tmp_path / "site", "p", {"p/__init__.py": source("anvil")})
    use_only(tmp_path / "site", monkeypatch)
    with pytest.raises(InputError, match="hold next to no documentation"):
        build_library()


def test_progress_is_told_and_stops_the_work(site):
    reports = []
    build_library(on_progress=reports.append)
    assert (reports[0].done, reports[0].total) == (0, 20_000)

    class StopError(Exception):
        pass

    def stop(progress):
        raise StopError

    with pytest.raises(StopError):
        build_library(on_progress=stop)


# --- kept on disk -------------------------------------------------------------------------------


def test_what_is_kept_reads_as_what_was_built(site, tmp_path):
    library = Library(5).pinned()
    assert not is_built(library, cache=tmp_path / "cache")
    built = read_library(library, cache=tmp_path / "cache")
    assert is_built(library, cache=tmp_path / "cache")
    read = read_library(library, cache=tmp_path / "cache")
    for one, other in ((built.documents, read.documents), (built.queries, read.queries)):
        assert (one.name, one.ids, one.texts, one.titles, one.segments) == (
            *(other.name, other.ids, other.texts, other.titles, other.segments),
        )
    assert built.judgements.name == read.judgements.name
    for name in ("query_rows", "document_rows", "gains"):
        np.testing.assert_array_equal(
            getattr(built.judgements, name), getattr(read.judgements, name)
        )
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [f"{library.key}-5"]


def test_it_is_built_once(site, tmp_path, monkeypatch):
    read_library(Library(5), cache=tmp_path / "cache")
    monkeypatch.setattr(module, "build_library", None)
    assert len(read_library(Library(5), cache=tmp_path / "cache").documents) == 5


def test_the_key_follows_what_is_installed(site, tmp_path):
    pinned = Library(5).pinned()
    read_library(pinned, cache=tmp_path / "cache")
    install(site, "tools", {"tools/hand.py": source(*SUBJECTS[:3], "grinder")})
    assert installed_key() != pinned.key
    assert "tools.hand.grinder" in build_library().documents.ids
    # A run made of what was installed then still finds it.
    assert "tools.hand.grinder" not in read_library(pinned, cache=tmp_path / "cache").documents.ids
    with pytest.raises(InputError, match="have changed since"):
        read_library(pinned, cache=tmp_path / "empty")


def test_a_place_that_cannot_be_written_costs_nothing_but_the_keeping(site, tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert len(read_library(Library(5), cache=tmp_path / "file").documents) == 5


@pytest.mark.parametrize(
    ("text", "library"),
    [
        ("library-documentation", Library(20_000)),
        ("library-documentation:500", Library(500)),
        ("library-documentation:500:0a1b", Library(500, "0a1b")),
        ("./library-documentation", None),
        ("documents.csv", None),
        ("C:\\documents.csv", None),
    ],
)
def test_it_is_named_where_a_path_could_stand(text, library):
    assert Library.parse(text) == library
    if library is not None:
        assert Library.parse(str(library)) == library


@pytest.mark.parametrize("size", ["", "1", "-5", "many", "500001", "5:a:b", "5:../../x", "5:A"])
def test_a_size_that_is_none_is_said(size):
    with pytest.raises(InputError, match="library-documentation:50000"):
        Library.parse(f"library-documentation:{size}")


def test_the_packages_installed_here_give_a_good_sample():
    collection = build_library(300, n_queries=50)
    assert len(collection.documents) == 300
    assert len(collection.queries) == 50
    lengths = [len(text.split()) for text in collection.documents.texts]
    assert min(lengths) >= 40
    assert max(lengths) <= 250
    assert len(set(collection.documents.texts)) == 300
    assert not any(">>>" in text or "``" in text for text in collection.documents.texts)

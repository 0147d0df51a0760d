from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrl_explorer.data import (
    WHOLE,
    Splitting,
    default_splitting,
    is_passage_id,
    make_records,
    own_rows,
    read_beir,
    read_judgements,
    read_records,
    split_records,
    with_vectors,
)
from mrl_explorer.errors import InputError

FILES = Path(__file__).parent / "files"
LONG = "First sentence here. Second sentence here.\n\nA new paragraph stands here."
QUERIES = make_records(name="q.csv", texts=["x"], ids=["q"])


def manual(**columns):
    return make_records(
        name="d", texts=["short", LONG], titles=["S", "L"], ids=["s", "manual.pdf"], **columns
    )


def test_long_documents_are_split_at_their_paragraphs():
    records = split_records(manual(segments=["a", "b"]), Splitting(50, 0))
    assert records.ids == ("s", "manual.pdf#1", "manual.pdf#2")
    assert records.texts == (
        *("short", "First sentence here. Second sentence here."),
        "A new paragraph stands here.",
    )
    assert records.titles == ("S", "L", "L")
    assert records.segments == ("a", "b", "b")
    assert records.source_ids == ("s", "manual.pdf", "manual.pdf")
    assert records.rows.tolist() == [0, 1, 1]
    assert len(records) == 3


def test_passages_tell_their_page():
    records = split_records(read_records(FILES / "fpdf2.pdf"), Splitting(300, 0))
    pages = {identity.partition(" ")[2] for identity in records.ids}
    assert pages == {"(page 1)", "(page 2)", "(page 3)"}
    assert records.ids[0] == "fpdf2.pdf#1 (page 1)"
    for identity, text in zip(records.ids, records.texts, strict=True):
        word = {"1": "tomatoes", "2": "cactus", "3": "watering"}[identity[-2]]
        assert word in text
        assert "\f" not in text


def test_whole_documents_stay_as_they_are():
    records = manual()
    assert split_records(records, WHOLE) is records


@given(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=400).filter(str.strip),
    st.integers(20, 120),
    st.integers(0, 19),
)
def test_no_passage_is_too_long_and_nothing_is_lost(text, size, overlap):
    records = split_records(make_records(name="d", texts=[text]), Splitting(size, overlap))
    assert all(len(passage) <= size for passage in records.texts)
    # Every visible character is in some passage; only white space at borders goes.
    kept = set("".join(records.texts))
    assert {c for c in text if not c.isspace()} <= kept
    if not overlap and len(text) > size:
        assert "".join("".join(records.texts).split()) == "".join(text.split())


def test_an_overlap_repeats_the_end_of_the_passage_before():
    text = " ".join(f"word{n}" for n in range(100))
    first, second = split_records(make_records(name="d", texts=[text]), Splitting(100, 30)).texts[
        :2
    ]
    assert second.split()[0] in first.split()


@pytest.mark.parametrize(("size", "overlap"), [(10, 0), (100, 100), (100, -1), (-5, 0)])
def test_sizes_that_cannot_be(size, overlap):
    with pytest.raises(InputError, match=f"Passages of {size} characters with an overlap"):
        Splitting(size, overlap)


def test_a_judgement_of_a_document_holds_for_each_passage(write):
    records = split_records(manual(), Splitting(50, 0))
    judgements = read_judgements(write("j.tsv", "q\tmanual.pdf\t2\nq\ts\t1\n"), records, QUERIES)
    assert judgements.document_rows.tolist() == [1, 2, 0]
    assert judgements.gains.tolist() == [2, 2, 1]
    one = read_judgements(write("k.tsv", "q\tmanual.pdf#2\t1\n"), records, QUERIES)
    assert one.document_rows.tolist() == [2]


def test_a_collection_of_beir_can_be_split(write, tmp_path):
    write("corpus.jsonl", f'{{"_id": "a", "text": "{LONG}"}}\n'.replace("\n\n", "\\n\\n"))
    write("queries.jsonl", '{"_id": "q", "text": "x"}\n')
    write("qrels/test.tsv", "q\ta\t1\n")
    collection = read_beir(tmp_path, splitting=Splitting(50, 0))
    assert collection.documents.ids == ("a#1", "a#2")
    assert collection.judgements.document_rows.tolist() == [0, 1]


def test_what_cannot_be_split(write, tmp_path):
    vectors = np.ones((2, 2), dtype=np.float32)
    with pytest.raises(InputError, match="d has vectors of whole documents"):
        split_records(manual(vectors=vectors), Splitting())
    np.save(tmp_path / "v.npy", vectors)
    split = split_records(manual(), Splitting(50, 0))
    with pytest.raises(InputError, match=r"v\.npy holds vectors of whole documents"):
        with_vectors(split, tmp_path / "v.npy")
    with pytest.raises(InputError, match="when documents are split into passages"):
        own_rows(split, QUERIES)
    clash = make_records(name="d", texts=[LONG, "x"], ids=["a", "a#1"])
    with pytest.raises(InputError, match=r'd holds a document with the id "a#1"'):
        split_records(clash, Splitting(50, 0))


def test_the_kind_of_file_decides_unless_the_user_does(write):
    assert default_splitting(FILES / "fpdf2.pdf") == Splitting()
    for name in ("d.csv", "d.txt", "d.json", "d.parquet"):
        assert default_splitting(write(name, "a")) == WHOLE


def test_the_ids_of_passages_are_told_from_others():
    records = split_records(manual(), Splitting(50, 0))
    assert [is_passage_id(identity) for identity in records.ids] == [False, True, True]
    assert is_passage_id("a.pdf#12 (page 3)")
    assert not any(map(is_passage_id, ("c#", "#", "a#1b", "a#1 (page x)")))

import pytest

from mrl_explorer.data import make_records, own_rows, read_judgements
from mrl_explorer.data.lookup import Lookup


@pytest.mark.parametrize(
    ("ids", "asked", "row"),
    [
        (["1", "2"], "2", 1),
        (["1", "2"], "2.0", 1),
        (["1.0", "2.0"], "2", 1),
        (["007", "8"], "7", 0),
        (["1", "2"], "3", -1),
        (["1", "2"], "1.5", -1),
        (["1", "2"], "", -1),
        (["1", "01"], "01", 1),
        # Two ids of one value are told apart by their spelling alone.
        (["1", "01"], "1.0", -1),
        (["a1"], "1", -1),
    ],
)
def test_ids_that_are_numbers_here_and_text_there(ids, asked, row):
    assert Lookup(ids).row(asked) == row


def test_judgements_and_documents_used_as_queries_align(write):
    documents = make_records(name="d", texts=["a", "b"], ids=["1.0", "2.0"])
    queries = make_records(name="q", texts=["a", "b"], ids=["1", "2"])
    judgements = read_judgements(write("j.csv", "qid,docid,rel\n01,2,1\n"), documents, queries)
    assert judgements.query_rows.tolist() == [0]
    assert judgements.document_rows.tolist() == [1]
    assert own_rows(documents, queries).tolist() == [0, 1]

import numpy as np
import pytest

from mrl_explorer.report.comparison import (
    Column,
    Result,
    column_data,
    compare,
    compare_with_own_truth,
    mark_shared,
    score_text,
)
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff, recall
from tests.report.runs import rankings_by_hand

FULL, INT8, BINARY = Config(8), Config(4, "int8"), Config(2, "binary", "pca")
SCORES = {row: score / 10 for row, score in enumerate((9, 8, 7, 6, 5, 4, 3, 2))}


def shown(column):
    return [(r.row, r.rank, r.mark, r.badge, r.spoken) for r in column.results]


def test_each_place_says_how_it_stands_against_the_other_list():
    rankings = rankings_by_hand(SCORES, {FULL: [0, 1, 2, 3, 4], INT8: [1, 0, 5, 3, 2]})
    truth, chosen = compare(rankings, 0, chosen=INT8, pinned=None, cutoff=Cutoff(4))
    assert (truth.title, truth.config, truth.note) == (
        "Full dimension",
        FULL,
        "1 of 4 not found by this configuration",
    )
    assert shown(truth) == [
        (0, 1, "kept", "✓", "kept"),
        (1, 2, "kept", "✓", "kept"),
        (2, 3, "lost", "✕ lost → 5", "lost, now at rank 5"),
        (3, 4, "kept", "✓", "kept"),
    ]
    assert (chosen.title, chosen.config, chosen.note) == (
        "This configuration",
        INT8,
        "keeps 3 of 4",
    )
    assert shown(chosen) == [
        (1, 1, "up", "▲ 1", "true rank 2, up 1"),
        (0, 2, "down", "▼ 1", "true rank 1, down 1"),
        (5, 3, "new", "+ new", "not among the true results"),
        (3, 4, "same", "=", "same rank"),
    ]


def test_a_new_place_names_its_true_rank_where_the_truth_is_ranked_deep_enough():
    rankings = rankings_by_hand(SCORES, {FULL: [0, 1, 2, 3, 4], INT8: [0, 4, 6, 7, 5]})
    truth, chosen = compare(rankings, 0, chosen=INT8, pinned=None, cutoff=Cutoff(3))
    assert [r.badge for r in chosen.results] == ["=", "+ new ← 5", "+ new"]
    assert chosen.results[1].spoken == "not among the true results, true rank 5"
    assert [r.badge for r in truth.results] == ["✓", "✕ lost", "✕ lost"]
    assert truth.results[1].spoken == "lost, not in the first 5"


def test_moves_of_several_places_are_counted():
    rankings = rankings_by_hand(SCORES, {FULL: [0, 1, 2, 3, 4], INT8: [3, 1, 2, 4, 0]})
    truth, chosen = compare(rankings, 0, chosen=INT8, pinned=None, cutoff=Cutoff(5))
    assert [r.badge for r in chosen.results] == ["▲ 3", "=", "=", "▲ 1", "▼ 4"]
    assert truth.note == "all found"
    assert chosen.note == "keeps 5 of 5"


def test_each_column_shows_the_scores_that_order_it():
    rankings = rankings_by_hand(SCORES, {FULL: [0, 1, 2], BINARY: [1, 2, 5]})
    truth, chosen = compare(rankings, 0, chosen=BINARY, pinned=None, cutoff=Cutoff(2))
    assert [r.score for r in truth.results] == pytest.approx([0.9, 0.8])
    assert [r.score for r in chosen.results] == [0.0, -1.0]


def test_rescoring_reorders_the_candidates_by_the_full_score():
    lists = {FULL: [0, 1, 2, 3, 4, 5], BINARY: [5, 2, 1, 7, 0, 6]}
    rankings = rankings_by_hand(SCORES, lists)
    cutoff = Cutoff(2, oversample=2, rescore=True)
    truth, chosen = compare(rankings, 0, chosen=BINARY, pinned=None, cutoff=cutoff)
    assert [(r.row, r.badge) for r in chosen.results] == [(1, "▲ 1"), (2, "+ new ← 3")]
    assert [r.score for r in chosen.results] == pytest.approx([0.8, 0.7])
    # Row 0 was no candidate: it stands where the configuration's own list has it.
    assert [(r.row, r.badge) for r in truth.results] == [(0, "✕ lost → 5"), (1, "✓")]
    assert chosen.note == "keeps 1 of 2"
    deeper = compare(rankings, 0, chosen=BINARY, pinned=None, cutoff=Cutoff(2, 3, rescore=True))
    assert [r.row for r in deeper[1].results] == [0, 1]
    assert (deeper[0].note, deeper[1].note) == ("all found", "keeps 2 of 2")


def test_a_pinned_configuration_is_held_against_the_truth_too():
    lists = {FULL: [0, 1, 2], INT8: [0, 1, 2], BINARY: [4, 0, 1]}
    rankings = rankings_by_hand(SCORES, lists)
    columns = compare(rankings, 0, chosen=INT8, pinned=BINARY, cutoff=Cutoff(2))
    assert [(c.title, c.config, c.note) for c in columns] == [
        ("Full dimension", FULL, "all found"),
        ("This configuration", INT8, "keeps 2 of 2"),
        ("Pinned", BINARY, "keeps 1 of 2"),
    ]
    assert [r.badge for r in columns[2].results] == ["+ new", "▼ 1"]


def test_another_query_has_its_own_lists():
    one = rankings_by_hand(SCORES, {FULL: [0, 1], INT8: [0, 1]})
    two = rankings_by_hand(SCORES, {FULL: [2, 3], INT8: [3, 2]})
    both = type(one)(
        one.configs,
        np.concatenate([one.ids, two.ids], axis=1),
        np.concatenate([one.scores, two.scores], axis=1),
        np.concatenate([one.full_scores, two.full_scores], axis=1),
        8,
        8,
    )
    _, chosen = compare(both, 1, chosen=INT8, pinned=None, cutoff=Cutoff(2))
    assert [(r.row, r.badge) for r in chosen.results] == [(3, "▲ 1"), (2, "▼ 1")]


def test_lists_that_end_early_show_what_there_is():
    lists = {FULL: [0, 1, None], INT8: [1, 0, None]}
    rankings = rankings_by_hand(SCORES, lists)
    truth, chosen = compare(rankings, 0, chosen=INT8, pinned=None, cutoff=Cutoff(3))
    assert [r.row for r in truth.results] == [0, 1]
    assert [r.row for r in chosen.results] == [1, 0]
    assert (truth.note, chosen.note) == ("all found", "keeps 2 of 2")


def test_a_tie_with_the_last_true_result_counts_as_found():
    scores = {**SCORES, 6: SCORES[2]}
    rankings = rankings_by_hand(scores, {FULL: [0, 1, 2, 6], INT8: [0, 1, 6, 5]})
    cutoff = Cutoff(3)
    assert recall(rankings, cutoff)[1, 0] == 1
    truth, chosen = compare(rankings, 0, chosen=INT8, pinned=None, cutoff=cutoff)
    assert (chosen.results[2].mark, chosen.results[2].badge) == ("same", "= tied")
    assert chosen.results[2].spoken == "ties with the last of the true results"
    assert chosen.note == "keeps 3 of 3"
    # The column beside it must not call a result lost that the number counts as found.
    assert truth.note == "all found"
    assert not [r for r in truth.results if r.mark == "lost"]


def test_both_notes_add_up_when_some_are_tied_and_some_lost():
    scores = {**SCORES, 6: SCORES[3]}
    rankings = rankings_by_hand(scores, {FULL: [0, 1, 2, 3, 6], INT8: [0, 1, 6, 5, 7]})
    cutoff = Cutoff(4)
    assert recall(rankings, cutoff)[1, 0] == 0.75
    truth, chosen = compare(rankings, 0, chosen=INT8, pinned=None, cutoff=cutoff)
    assert chosen.note == "keeps 3 of 4"
    assert truth.note == "1 of 4 not found by this configuration"


def test_the_least_true_score_need_not_be_the_last():
    # Rows 0 and 1 tie and stand by row; row 5 ties with the lower of the two only.
    scores = {0: 0.5, 1: 0.5000006, 5: 0.4999993, 7: 0.1}
    rankings = rankings_by_hand(scores, {FULL: [0, 1, 5], INT8: [1, 5, 7]}, n_docs=8)
    cutoff = Cutoff(2)
    assert recall(rankings, cutoff)[1, 0] == 1
    _, chosen = compare(rankings, 0, chosen=INT8, pinned=None, cutoff=cutoff)
    assert chosen.note == "keeps 2 of 2"


@pytest.mark.parametrize(
    ("dim", "quantization", "basis", "cutoff"),
    [
        (32, "binary", "native", Cutoff(10)),
        (32, "binary", "native", Cutoff(10, 4, rescore=True)),
        (64, "int8", "pca", Cutoff(1)),
        (128, "int4", "native", Cutoff(25, 2, rescore=True)),
        (256, "float32", "pca", Cutoff(100)),
    ],
)
def test_the_columns_count_what_recall_counts(sample, dim, quantization, basis, cutoff):
    config = Config(dim, quantization, basis)
    rankings = sample.rankings
    shares = recall(rankings, cutoff)[rankings.place(config)]
    assert len(shares) == 150
    for query, share in enumerate(shares):
        truth, chosen = compare(rankings, query, chosen=config, pinned=None, cutoff=cutoff)
        kept = round(share * cutoff.k)
        assert chosen.note == f"keeps {kept} of {cutoff.k}"
        lost = cutoff.k - kept
        wanted = f"{lost} of {cutoff.k} not found by this configuration" if lost else "all found"
        assert truth.note == wanted


@pytest.mark.parametrize(
    ("score", "config", "rescored", "text"),
    [
        (0.8734, INT8, False, ".873"),
        (1.0, FULL, False, "1.000"),
        (1.0004, FULL, False, "1.000"),
        (-31.0, BINARY, False, "31 bits apart"),
        (0.0, BINARY, False, "0 bits apart"),
        (-0.0, BINARY, False, "0 bits apart"),
        (0.75, BINARY, True, ".750"),
        (12.345, Config(8, "binary-floatq"), False, "12.3"),
        (0.42, Config(8, "binary-floatq"), True, ".420"),
    ],
)
def test_scores_are_written_as_their_kind_is_read(score, config, rescored, text):
    assert score_text(score, config, rescored=rescored) == text


def test_the_browser_gets_plain_values():
    column = Column(
        "This configuration", BINARY, "keeps 0 of 1", (Result(7, 1, -3.0, "new", "+ new", "new"),)
    )
    texts = {7: ("d7", "<b>Title</b>", "text")}
    assert column_data([column], texts, cutoff=Cutoff(1)) == [
        {
            "title": "This configuration",
            "config": "2d binary pca",
            "note": "keeps 0 of 1",
            "cards": [
                {
                    "row": 7,
                    "rank": 1,
                    "id": "d7",
                    "title": "<b>Title</b>",
                    "source": "",
                    "text": "text",
                    "score": "3 bits apart",
                    "mark": "new",
                    "badge": "+ new",
                    "spoken": "new",
                }
            ],
            "lost": [],
        }
    ]


def test_only_rescored_columns_say_so():
    rankings = rankings_by_hand(SCORES, {FULL: [0, 1, 2], INT8: [0, 1, 2], BINARY: [2, 1, 0]})
    cutoff = Cutoff(1, 3, rescore=True)
    columns = compare(rankings, 0, chosen=INT8, pinned=BINARY, cutoff=cutoff)
    data = column_data(columns, dict.fromkeys(range(8), ("", "", "")), cutoff=cutoff)
    assert [entry["config"] for entry in data] == [
        "8d float32",
        "4d int8 rescored",
        "2d binary pca rescored",
    ]
    # A rescored binary list is ordered by cosines, so it shows no bits.
    assert [entry["cards"][0]["score"] for entry in data] == [".900", ".900", ".900"]


def test_with_its_own_truth_a_column_tells_what_it_lost_at_its_end():
    rankings = rankings_by_hand(SCORES, {FULL: [0, 1, 2, 3, 4], INT8: [1, 0, 5, 3, 2]})
    column = compare_with_own_truth(rankings, 0, INT8, title="Mine", cutoff=Cutoff(4))
    _, chosen = compare(rankings, 0, chosen=INT8, pinned=None, cutoff=Cutoff(4))
    assert (column.title, column.config) == ("Mine", INT8)
    assert column.note == "keeps 3 of 4 of its own full dimension"
    assert column.results == chosen.results
    assert [(r.row, r.rank, r.badge, r.score) for r in column.lost] == [
        (2, 3, "✕ lost → 5", pytest.approx(0.7))
    ]


def test_with_its_own_truth_full_dimension_loses_nothing():
    rankings = rankings_by_hand(SCORES, {FULL: [0, 1, 2, 3, 4]})
    column = compare_with_own_truth(rankings, 0, FULL, title="Mine", cutoff=Cutoff(4))
    assert column.lost == ()
    assert {r.mark for r in column.results} == {"same"}


def test_what_a_binary_column_lost_is_shown_with_its_full_score():
    rankings = rankings_by_hand(SCORES, {FULL: [0, 1, 2, 3, 4], BINARY: [1, 0, 5, 3, 2]})
    column = compare_with_own_truth(rankings, 0, BINARY, title="Mine", cutoff=Cutoff(4))
    texts = {row: (f"d{row}", "", "") for row in SCORES}
    (data,) = column_data([column], texts, cutoff=Cutoff(4))
    assert data["cards"][1]["score"] == "1 bits apart"
    assert [(card["id"], card["score"]) for card in data["lost"]] == [("d2", ".700")]


def card(identity, row, rank, text=""):
    return {"id": identity, "row": row, "rank": rank, "title": "", "text": text}


def test_documents_that_both_show_are_lined_up_by_id_and_tell_the_other_rank():
    mine = {"title": "mine", "cards": [card("a", 7, 1), card("b", 3, 2)], "lost": [card("c", 5, 2)]}
    pinned = {"title": "pinned", "cards": [card("d", 9, 1)], "lost": []}
    theirs = {
        "title": "theirs",
        "cards": [card("b", 0, 1), card("c", 1, 2), card("d", 2, 3), card("e", 3, 4)],
        "lost": [card("a", 4, 2)],
    }
    columns = mark_shared([mine, pinned], theirs)
    assert [column["title"] for column in columns] == ["mine", "theirs", "pinned"]
    assert [(c["row"], c["other"]) for c in columns[0]["cards"]] == [(7, None), (3, 1)]
    # c is lost in mine and d stands in the pinned one only: the same document, and no rank.
    assert [(c["row"], c["other"]) for c in columns[1]["cards"]] == [
        (3, 2),
        (5, None),
        (9, None),
        (-4, None),
    ]
    assert [c["row"] for c in columns[1]["lost"]] == [7]
    assert columns[2] == pinned
    assert theirs["cards"][0]["row"] == 0


def test_the_same_id_of_another_text_is_another_document():
    mine = {"cards": [card("0", 0, 1, "cats"), card("1", 1, 2, "dogs")], "lost": []}
    theirs = {"cards": [card("0", 0, 1, "trains"), card("1", 1, 2, "dogs")], "lost": []}
    front, second = mark_shared([mine], theirs)
    assert [c["other"] for c in front["cards"]] == [None, 2]
    assert [(c["row"], c["other"]) for c in second["cards"]] == [(-1, None), (1, 2)]


def test_a_passage_names_its_document_beside_the_shared_title():
    rankings = rankings_by_hand(SCORES, {FULL: [0, 1, 2], INT8: [0, 1, 2]})
    (column, *_) = compare(rankings, 0, chosen=INT8, pinned=None, cutoff=Cutoff(1))
    row = column.results[0].row
    for identity, source in (
        ("manual.pdf#3", "manual.pdf#3"),
        ("m.pdf#1 (page 2)", "m.pdf#1 (page 2)"),
        ("manual.pdf", ""),
        ("issue #12b", ""),
    ):
        texts = {row: (identity, "Manual", "text")}
        (data,) = column_data([column], texts, cutoff=Cutoff(1))
        assert data["cards"][0]["source"] == source

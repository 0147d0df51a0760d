"""The rules of thumb in words."""

import pytest

from mrl_explorer.decide.rules_of_thumb import FAILS, RULES, Finding, Kept
from mrl_explorer.report.rules_of_thumb import SAYINGS, VERDICT_ICONS, how_tested, kept_text
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff


def said(finding, *, known=True):
    return how_tested(finding, n_docs=5000, full_dim=384, known=known)


def test_every_rule_has_a_saying_and_every_verdict_a_mark():
    assert tuple(SAYINGS) == RULES
    assert len(set(VERDICT_ICONS.values())) == 3


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (
            Finding("512", 0.95, Config(192), Cutoff(10), "too few dims"),
            "this model has 384 dims. 192 of them are tested instead.",
        ),
        (
            Finding("512", 0.95, Config(96), Cutoff(10), "not in the run"),
            "This run has no 512 dims: 96, the nearest, are tested.",
        ),
        (
            Finding("256", 0.99, Config(256), Cutoff(10, 10, rescore=True)),
            "256 of 384 dims. They hand on 100 of 5,000 documents",
        ),
        (Finding("int8", 0.99, Config(384, "int8"), Cutoff(10)), "All 384 dims, a byte each."),
        (
            Finding("standard", 0.95, Config(192), Cutoff(10)),
            "Holds when less than .950 of full dimension's is kept",
        ),
        (
            Finding("standard", 0.95, None, Cutoff(10), why_not="trained"),
            "this model is said to be trained to be cut",
        ),
        (
            Finding("int8", 0.99, None, Cutoff(10), why_not="not in the run"),
            "this run lacks what it would be tested on",
        ),
    ],
)
def test_what_was_tested_is_said(finding, text):
    assert text in said(finding)


def test_an_unknown_model_is_not_called_a_standard_one():
    finding = Finding("standard", 0.95, Config(192), Cutoff(10))
    assert "not known" in said(finding, known=False)
    assert "not known" not in said(finding)


def test_a_figure_has_its_interval_and_its_queries():
    kept = Kept("recall", 0.715, 0.694, 0.74, 150, FAILS)
    assert kept_text(kept, 10) == "recall@10 keeps .715 [.694 to .740], 150 queries"
    ndcg = Kept("nDCG", 0.945, 0.91, 0.979, 90, FAILS)
    assert kept_text(ndcg, 5) == (
        "nDCG@5 keeps .945 of full dimension's [.910 to .979], 90 judged queries"
    )

from dataclasses import replace

import numpy as np
import pytest

from mrl_explorer.decide.cost import Need, Production
from mrl_explorer.decide.diagnosis import Agreement, Losses, Worth, tail
from mrl_explorer.decide.pairs import Pair
from mrl_explorer.decide.recommendation import (
    Choice,
    Constraints,
    Failure,
    Recommendation,
    Relaxation,
)
from mrl_explorer.decide.stability import Stability
from mrl_explorer.report.formats import money_text, percent_text
from mrl_explorer.report.recipe import recipe_text
from mrl_explorer.report.verdicts import (
    agreement_text,
    losses_text,
    pair_text,
    tail_text,
    verdict,
    worth_text,
)
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.metrics import Cutoff

FULL = Choice(
    Config(1024), Cutoff(10), 1.0, 1.0, 1.0, 1.0, False, None, None, Need(50e9, 45e9, 200.0)
)


INT8 = Config(128, "int8")


def choice(config=INT8, *, recall=0.962, cost=20.0, oversample=None):
    cutoff = Cutoff(10) if oversample is None else Cutoff(10, oversample, rescore=True)
    return Choice(
        config,
        cutoff,
        recall,
        recall - 0.02,
        recall + 0.02,
        recall - 0.03,
        False,
        None,
        None,
        Need(4e9, 3e9, cost),
    )


def found(**changes):
    return Recommendation(
        **{
            "constraints": Constraints(min_recall=0.93),
            "production": Production(),
            "choice": choice(),
            "baseline": FULL,
            "stability": Stability(100, 87, 99),
            "n_configs": 70,
            "n_queries": 500,
            "n_docs": 2_000_000,
            **changes,
        }
    )


def test_the_whole_sentence():
    said = verdict(found())
    assert said.title == "Ship 128d int8"
    assert said.recipe == (
        "Keep the first 128 of 1,024 dimensions of each vector, scale the rest back to length 1, "
        "and store each number in 8 bits (int8)."
    )
    assert said.sentence == (
        "It finds 96.2% of the top 10 that the full vectors find (recall@10 vs full dimension "
        ".962, 95% interval .942 to .982), at 128 bytes per vector. 10M vectors then need 4 GB of "
        "RAM and 3 GB of disk, about $20.00 a month, 90% less than the full vectors in float32 "
        "($200, 50 GB of RAM)."
    )
    assert said.beside == (
        "Nothing cheaper is among what you allow.",
        "How sure: choosing by a random half of your 500 queries gave the same choice in 87 of 100 "
        "splits, and what was chosen reached the target on the other half in 99.",
    )


def test_runner_up_and_why_the_next_cheaper_fails():
    said = verdict(
        found(
            runner_up=choice(Config(64, "int8", "pca"), oversample=4, cost=21),
            cheaper=choice(Config(96, "int8"), recall=0.9, cost=18),
            cheaper_failures=(Failure("min_recall", 0.93, 0.87),),
        )
    )
    assert said.beside[:2] == (
        "Runner-up: 64d int8 pca, rescored from 40 candidates, recall@10 .962, $21.00 a month.",
        "Next cheaper: 96d int8, $18.00 a month, fails: the lower end of its recall is .870, below "
        ".930.",
    )


def test_a_basis_measured_on_its_own_documents_is_said_to_flatter():
    own = choice(Config(128, "int8", "pca"))
    assert "which flatters it" in verdict(found(choice=own)).sentence


def test_a_basis_that_holds_on_other_documents_is_said_to():
    own = replace(choice(Config(128, "int8", "pca")), confirmed=True)
    assert "and no less on documents that the basis was not fitted on)" in (
        verdict(found(choice=own)).sentence
    )


def test_what_is_kept_of_relevance_is_said_where_it_is_asked_for():
    kept = replace(choice(), ndcg_kept=0.987, ndcg_kept_low=0.961)
    asked = Constraints(min_recall=None, min_ndcg_kept=0.95)
    assert ") and keeps .987 of their nDCG@10 (lower end .961), at 128 bytes" in (
        verdict(found(choice=kept, constraints=asked)).sentence
    )
    assert "nDCG" not in verdict(found(choice=kept)).sentence


def test_full_dimension_as_the_choice_saves_nothing():
    said = verdict(found(choice=FULL, constraints=Constraints(min_recall=0.999)))
    assert said.sentence.endswith("about $200 a month: nothing cheaper holds.")
    # 500 queries without a miss promise .993.
    assert any("it takes 3,688 of them" in sentence for sentence in said.beside)


def test_free_machines_are_not_compared():
    free = Production(ram_price=0, disk_price=0)
    nothing = Need(4e9, 3e9, 0.0)
    cheap = Choice(Config(8), Cutoff(10), 0.9, 0.9, 0.9, 0.9, False, None, None, nothing)
    base = Choice(Config(16), Cutoff(10), 1, 1, 1, 1, False, None, None, nothing)
    said = verdict(found(choice=cheap, baseline=base, production=free))
    assert said.sentence.endswith("about $0.00 a month.")


def test_one_query_is_not_sure_at_all():
    said = verdict(found(stability=None, n_queries=1))
    assert said.beside[-1] == "How sure: not at all, with 1 query. Bring more."


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (
            Failure("min_recall", 0.99, 0.87654),
            "Ask for recall of .876 instead of .990 (lower end): 128d int8 would hold.",
        ),
        (
            Failure("max_bytes_per_vector", 64, 128),
            "Allow bytes per vector of 128 instead of 64 (2.0×): 128d int8 would hold.",
        ),
        (
            Failure("max_ram", 2e9, 4e9),
            "Allow RAM of 4 GB instead of 2 GB (2.0×): 128d int8 would hold.",
        ),
        (
            Failure("max_cost", 0, 20.0),
            "Allow cost per month of $20.00 instead of $0.00: 128d int8 would hold.",
        ),
        (Failure("dims", None, 128), "Allow 128 among the dims: 128d int8 would hold."),
        (Failure("rescore", None, True), "Allow rescoring: 128d int8 would hold."),
    ],
)
def test_what_to_relax_and_by_how_much(failure, sentence):
    said = verdict(found(choice=None, relaxations=(Relaxation(failure, choice()),)))
    assert said.title == "Nothing holds"
    assert said.beside[0] == sentence


def test_when_one_relaxation_is_not_enough():
    failures = (Failure("max_ram", 1e9, 5e9), Failure("max_bytes_per_vector", 8, 256))
    said = verdict(found(choice=None, closest=choice(), closest_failures=failures))
    assert said.beside[0].startswith("Relaxing one constraint is not enough.")
    assert said.beside[0].endswith(
        "would hold with all of these: RAM of 5 GB instead of 1 GB; bytes per vector of 256 "
        "instead of 8."
    )


def test_a_small_sample_is_not_taken_for_a_large_corpus():
    few = verdict(found(choice=choice(oversample=4), n_docs=300)).beside[-1]
    assert few.startswith("Measured on 300 documents: among 10M more of them come close")
    assert "40 candidates are 13.3% of the documents here" in few
    many = verdict(found(choice=choice(oversample=4))).beside
    assert not any("Measured on" in sentence for sentence in many)


@pytest.mark.parametrize(
    ("low", "high", "start"),
    [
        (-0.004, 0.003, "A and B are alike within 1 point of recall"),
        (-0.02, 0.03, "With your 60 queries A and B cannot be told apart within 1 point of"),
        (0.01, 0.03, "A has more recall than B, by 0.012"),
        (-0.03, -0.011, "B has more recall than A, by 0.012"),
    ],
)
def test_pairs(low, high, start):
    text = pair_text(Pair(0.012, low, high, 0.01, 60, 240), "A", "B")
    assert text.startswith(start)
    assert ("about 240 would do" in text) == ("cannot" in text)
    # The sign is that of the sentence: the better one minus the other.
    assert ("+0.011 to +0.030" in text) == (high == -0.011)


def test_a_pair_at_the_margin_says_why_more_queries_would_not_tell():
    text = pair_text(Pair(0.008, -0.001, 0.017, 0.01, 300, 240), "A", "B")
    assert "they are enough, but the difference lies near the margin itself" in text


def test_what_no_setting_fixes():
    assert worth_text(Worth(10, 0, None, ())) == ""
    assert worth_text(Worth(10, 50, 0.7, ())) == ""
    assert worth_text(Worth(10, 100, 0.6, tuple(range(14)), 14)).startswith(
        "No setting here fixes these 14 queries, of 100 judged: even the full vectors show nothing"
    )
    weak = worth_text(Worth(10, 100, 0.2, (1,), 1))
    assert weak.startswith("The full vectors themselves are weak here: nDCG@10 .200 of 1")
    assert "No setting here fixes this query," in weak
    some = worth_text(Worth(10, 100, 0.6, tuple(range(14)), 3))
    assert some.startswith("No setting here fixes these 14 queries for sure, of 100 judged")
    assert "for 11 of them some configuration does, as likely by luck as by merit" in some


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("loss without harm", "the lost neighbours cost no relevance here"),
        ("both lost", "both are lost"),
        ("both kept", "both are kept"),
        ("relevance lost", "relevance falls all the same"),
        ("relevance gained", "relevance rises"),
        ("cannot tell", "About 240 judged queries would do"),
    ],
)
def test_recall_and_relevance_in_plain_words(name, words):
    pair = Pair(-0.001, -0.004, 0.003, 0.01, 60, 240)
    text = agreement_text(Agreement(0.9, 0.5, 0.501, 60, pair, name))
    assert words in text
    assert "nDCG .500 against .501" in text


def test_losses_step_by_step():
    text = losses_text(Losses(0.2, 0.05, 0.15, 0.1), choice(oversample=4))
    assert text == (
        "Of a recall of 1, keeping 128 dims loses .200, int8 loses .050, rescoring 40 candidates "
        "brings back .150; .100 is lost in the end."
    )
    assert "int8 loses nothing;" in losses_text(Losses(0.2, 0.0, 0, 0.2), choice())
    assert "int8 brings back .010;" in losses_text(Losses(0.2, -0.01, 0, 0.19), choice())
    assert losses_text(Losses(0, 0, 0, 0), choice()).endswith("nothing is lost in the end.")


def test_the_worst_queries_in_words():
    values = np.array([0.2, 0.4, *[0.8] * 8, *[1.0] * 10])
    assert tail_text(tail(values)) == (
        "10.0% of the queries keep less than half of their results.",
        "The worst 5% keep 20.0% or less.",
    )
    assert tail_text(tail(np.ones(20))) == (
        "No query keeps less than half of its results.",
        "95% or more keep all.",
    )


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (Config(256), "Keep all 256 dimensions of each vector, and store the numbers as they are"),
        (
            Config(64, "float16"),
            "scale the rest back to length 1, and store each number in 16 bits",
        ),
        (
            Config(64, "int4", "pca"),
            "principal axes of your documents and keep the first 64 of 256",
        ),
        (Config(64, "binary", "pca-rotated"), "once more at random, scale the rest back to length"),
        (Config(256, "binary"), "store only the sign of each number, 1 bit (binary)."),
        (Config(256, "int4-floatq"), "in 4 bits (int4-floatq). Queries stay float32."),
        (Config(64, "binary-centred-floatq"), "after subtracting the documents' mean, only the"),
        (Config(64, "int8", "random"), "in a random order and keep the first 64 of 256"),
        (Config(64, "int8", "adapter"), "by the trained adapter and keep the first 64 of 256"),
    ],
)
def test_what_to_do_with_a_vector(config, words):
    assert words in recipe_text(config, Cutoff(10), full_dim=256)


def test_rescoring_is_part_of_what_to_do():
    text = recipe_text(Config(64, "int8"), Cutoff(10, 4, rescore=True), full_dim=256)
    assert text.endswith(
        "Search these for the nearest 40, and re-order them by the full vectors, kept on disk."
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "$0.00"), (12.345, "$12.35"), (123.4, "$123"), (1234.5, "$1,230"), (98765, "$98,800")],
)
def test_money(value, text):
    assert money_text(value) == text


def test_a_loss_is_not_rounded_away():
    assert percent_text(0.99999) == "99.9%"
    assert percent_text(1.0) == "100%"
    assert percent_text(0.8734) == "87.3%"

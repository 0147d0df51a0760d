"""The Tiers page: the plan, dims by query, and the real index, each from the controls on."""

import re
import shutil
import threading

import numpy as np
import pytest

from mrl_explorer.decide.funnels import Aim, plan
from mrl_explorer.progress import Progress
from mrl_explorer.retrieval.candidates import gather_candidates
from mrl_explorer.ui import tiers_index
from tests.ui.apps import (
    SAMPLE,
    evaluate,
    fill,
    go,
    has,
    html,
    labelled,
    npy,
    numbers,
    open_app,
    upload,
    wait_for,
)

PLAN, ALLOCATION, INDEX = "Plan a funnel", "Dims by query", "The real index"


def open_tiers(section=PLAN, **query_params):
    return open_app("tiers", section=section, **query_params)


def said(app):
    return " ".join(element.value for element in app.caption)


def figures(app):
    """Give the figures of the first chain on the page: the runner-up has some as well."""
    return {m.label: (m.value, m.delta) for m in reversed(app.metric)}


def stages(app):
    """Give the configurations in the first picture of stages."""
    return re.findall(
        r"<b>(\d+d [^<]*)</b>", html(app).split("mrl-chain", 2)[2].split("role=", 2)[1]
    )


def finish(app, name):
    """Stay until a job has ended, and draw what it gave."""
    wait_for(app.session_state[f"job {name}"])
    app.run()
    return app.run()


def test_the_chosen_chain_is_the_planner_s(sample):
    page = open_tiers()
    assert not page.exception
    found = plan(
        gather_candidates(sample.rankings),
        Aim(),
        judgements=sample.judgements,
        unseen=gather_candidates(sample.held_out.rankings),
    )
    chosen = found.chosen
    assert chosen is not None
    shown = figures(page)
    recall, ends = shown["recall@10"]
    assert recall == f"{chosen.recall:.3f}".lstrip("0")
    assert ends == f"{chosen.low:.3f} to {chosen.high:.3f}".replace("0.", ".")
    assert shown["RAM"][0] == f"{chosen.need.ram / 1e6:.3g} MB"
    assert stages(page) == [str(stage.config) for stage in chosen.chain.stages]
    assert f"{found.n_considered:,} chains considered" in said(page)


def test_every_control_asks_another_question(sample):
    candidates = gather_candidates(sample.rankings)
    page = open_tiers(keep=".900", vectors="1M")
    page.button_group(key="cheapest_by").set_value("bytes read").run()
    page.button_group(key="keep_of").set_value("lower end").run()
    page.number_input(key="limit_reads").set_value(30).run()
    page.number_input(key="k").set_value(5).run()
    assert not page.exception
    aim = Aim(
        min_recall=0.9,
        n_vectors=1e6,
        objective="bytes",
        sure=True,
        max_disk_reads=30,
        k=5,
    )
    unseen = gather_candidates(sample.held_out.rankings)
    chosen = plan(candidates, aim, unseen=unseen).chosen
    assert chosen is not None
    assert stages(page) == [str(stage.config) for stage in chosen.chain.stages]
    page.button_group(key="first_stage").set_value("with a graph").run()
    assert "through a graph" in html(page)


def test_limits_that_nothing_meets_are_told_and_the_page_stays():
    page = open_tiers()
    page.number_input(key="limit_ram").set_value(0.001).run()
    assert not page.exception
    (warning,) = [element.value for element in page.warning]
    assert "No chain within these limits reaches" in warning
    page.number_input(key="limit_candidates").set_value(3).run()
    (error,) = page.error
    assert "cannot give k = 10 results" in error.value
    page.number_input(key="limit_candidates").set_value(0).run()
    page.number_input(key="limit_ram").set_value(0.0).run()
    assert not page.error
    assert "RAM" in numbers(page)


def test_an_own_chain_the_lists_cannot_tell_is_decided_by_direct_scores():
    page = open_tiers()
    fill(page, "Stages", "64-binary:60, 64-binary-floatq:20, 256-float32:10")
    assert any("cannot tell this chain's recall" in element.value for element in page.info)
    labelled(page.button, "Score candidates directly").click().run()
    finish(page, "direct")
    assert not page.exception
    assert not any("cannot tell" in element.value for element in page.info)
    assert "float32 query on the same codes" in html(page)
    assert labelled(page.button, "Candidates scored directly").disabled


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        ("64-binary", "names no stage"),
        ("64-binary:5, 256-float32:10", "give stage 1 at least 10 candidates"),
        ("64-binary:999999, 256-float32:10", "hands on 999999 documents and the corpus has"),
        ("64-binary:101, 256-float32:10", "rank deeper, to 101"),
        ("<b>x</b>:5", "names no stage"),
    ],
)
def test_an_own_chain_that_cannot_run_is_told(chain, message):
    page = open_tiers()
    fill(page, "Stages", chain)
    assert not page.exception
    (error,) = page.error
    assert message in error.value


def test_ranking_deeper_answers_longer_lists(sample):
    n_docs = sample.rankings.n_docs
    page = open_tiers()
    labelled(page.number_input, "Places in each list").set_value(n_docs).run()
    labelled(page.button, "Rank again").click().run()
    wait_for(page.session_state["job extend"])
    page.run()
    page.run()
    assert not page.exception
    assert f"These lists hold all {n_docs:,} documents" in said(page)
    fill(page, "Stages", f"64-binary:{n_docs}, 256-float32:10")
    assert not page.error
    # All documents are handed on: nothing can be lost.
    assert [m.value for m in page.metric if m.label == "recall@10"][-1] == "1.000"


def test_an_evaluation_without_vectors_says_what_it_cannot_do(served):
    shutil.copy(SAMPLE, served / "one.evaluation")
    page = open_tiers(data=str(served / "one.evaluation"))
    assert not page.exception
    assert not has(page.button, "Rank again")
    assert labelled(page.button, "Score candidates directly").disabled
    assert "an evaluation without its vectors" in said(page)
    page.button_group(key="section").set_value(INDEX).run()
    assert not has(page.button, "Build and measure")
    assert any("an evaluation without its vectors" in element.value for element in page.info)


def timed(app):
    """Measure, and give the table of latencies."""
    labelled(app.button, "Measure on this machine").click().run()
    finish(app, "latency")
    assert not app.exception
    return app.dataframe[-1].value


def test_the_cheapest_chain_and_its_runner_up_are_timed_beside_full_dimension(sample):
    found = plan(
        gather_candidates(sample.rankings),
        Aim(min_recall=0.9),
        unseen=gather_candidates(sample.held_out.rankings),
    )
    assert found.chosen is not None
    assert found.runner_up is not None
    page = open_tiers(keep=".900")
    table = timed(page)
    chains = [str(found.chosen.chain), str(found.runner_up.chain)]
    assert list(table["search"]) == ["full dimension", *chains]
    assert table["time vs full dimension"][0] == "1.00× (1.00-1.00)"
    assert "on this machine" in said(page)


@pytest.mark.parametrize("quantization", ["int4-floatq", "binary-centred-floatq"])
def test_a_first_stage_that_usearch_does_not_index_is_timed_as_it_is(quantization):
    random = np.random.default_rng(0)
    page = open_app("data")
    for label, n_rows in (("Documents", 60), ("Queries", 9)):
        vectors = random.normal(size=(n_rows, 20)).astype(np.float32)
        upload(page, label, f"{label}.npy", npy(vectors))
    evaluate(page.run(), dims="9", quantizations=[quantization, "int8"])
    go(page, "tiers")
    first = stages(page)[0]
    assert first.split(" ")[1] == quantization
    table = timed(page)
    chosen = table["search"][1]
    assert chosen.startswith(f"{first}, ")
    assert [stage.split(",")[0] for stage in chosen.split(" → ")] == stages(page)
    assert len(table["by stage, ms"][1].split(" + ")) == len(stages(page))
    # The graph is another matter, and the page says which codes have none.
    page.button_group(key="section").set_value(INDEX).run()
    assert f"usearch has no graph over {quantization} codes" in said(page)
    assert not any(quantization in option for option in page.selectbox(key="index_config").options)


def test_policies_are_shown_beside_their_references(sample):
    half = sample.rankings.n_queries // 2
    page = open_tiers(ALLOCATION)
    assert not page.exception
    table = page.dataframe[0].value
    assert list(table["policy"])[:3] == ["by margin", "by predictor", "by segment"]
    assert any("Storage is set by the largest dimension" in element.value for element in page.info)
    assert f"Tuned on {half} queries, reported on the other " in said(page)
    page.multiselect[0].set_value(["keyword"]).run()
    assert not page.exception
    assert "keyword 256" in said(page)
    page.button_group(key="allocation_measure").set_value("nDCG").run()
    assert not page.exception


def test_one_dim_is_no_choice_and_is_told():
    page = open_tiers(ALLOCATION)
    (slider,) = [s for s in page.select_slider if s.label == "From, to dims"]
    slider.set_value((64, 64)).run()
    assert not page.exception
    assert any("two different dims" in element.value for element in page.info)


def test_an_index_is_built_and_its_losses_shown():
    page = open_tiers(INDEX)
    page.selectbox(key="index_config").select("64d binary").run()
    labelled(page.button, "Build and measure").click().run()
    finish(page, "index")
    assert not page.exception
    shown = numbers(page)
    # Threads add vectors side by side, so no two graphs are quite alike.
    assert float(shown["recall@10 of exact search"][0]) > 0.95
    losses = re.findall(r"</i>(\w+) (−?\+?[\d.]+)</span>", html(page))
    assert [name for name, _ in losses] == ["kept", "dims", "bits", "graph"]
    total = sum(float(value.lstrip("−+")) for _, value in losses)
    assert total == pytest.approx(1, abs=0.01)
    # What was measured is there again after another question.
    page.button_group(key="section").set_value(PLAN).run()
    page.button_group(key="section").set_value(INDEX).run()
    assert "recall@10 of exact search" in numbers(page)


class SlowBuild:
    """A build that reports, and waits until the test lets it go on."""

    def __init__(self):
        self.n_started = 0
        self.started, self.go_on = threading.Semaphore(0), threading.Event()

    def __call__(self, codes, config, settings, *, on_progress):
        self.n_started += 1
        on_progress(Progress(3, len(codes), "building the graph"))
        self.started.release()
        self.go_on.wait(60)
        on_progress(Progress(4, len(codes), "building the graph"))
        raise AssertionError("it was not cancelled")


@pytest.fixture
def slow(monkeypatch):
    build = SlowBuild()
    monkeypatch.setattr(tiers_index, "build_graph", build)
    yield build
    build.go_on.set()


def test_a_build_is_cancelled_while_the_page_goes_on(slow):
    page = open_tiers(INDEX)
    labelled(page.button, "Build and measure").click().run()
    assert slow.started.acquire(timeout=60)
    page.run()
    assert labelled(page.button, "Build and measure").disabled
    # Every other control answers meanwhile.
    page.button_group(key="section").set_value(PLAN).run()
    assert "RAM" in numbers(page)
    page.button_group(key="section").set_value(INDEX).run()
    job = page.session_state["job index"]
    labelled(page.button, "Cancel").click().run()
    slow.go_on.set()
    wait_for(job)
    page.run()
    page.run()
    assert not page.exception
    assert not labelled(page.button, "Build and measure").disabled
    assert job.cancelled


def test_two_readers_build_at_once_and_one_cancels_only_its_own(slow):
    first, second = open_tiers(INDEX), open_tiers(INDEX)
    for page in (first, second):
        labelled(page.button, "Build and measure").click().run()
        assert slow.started.acquire(timeout=60)
    jobs = [page.session_state["job index"] for page in (first, second)]
    first.run()
    labelled(first.button, "Cancel").click().run()
    assert not jobs[1].cancelled
    assert slow.n_started == 2
    jobs[1].cancel()
    slow.go_on.set()
    for job in jobs:
        wait_for(job)
    assert jobs[0].cancelled

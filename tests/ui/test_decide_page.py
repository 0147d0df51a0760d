import json
import re
from dataclasses import replace

import pytest

from mrl_explorer.decide.cost import Production
from mrl_explorer.decide.options import list_options
from mrl_explorer.decide.recommendation import Constraints, recommend
from mrl_explorer.report.verdicts import verdict
from mrl_explorer.retrieval.config import Config
from mrl_explorer.retrieval.evaluation_file import save_evaluation
from tests.ui.apps import follow, go, html, labelled, numbers, open_app

EVIDENCE = (
    "Where it hurts",
    "Can the queries tell?",
    "Same bytes",
    "Every cell",
    "Table",
    "What others lost",
)


def title(app):
    return html(app).partition('data-choice="')[2].partition('"')[0]


def component(app, key):
    """Give what a browser component is drawn from."""
    (found,) = [e for e in app.get("bidi_component") if e.key == key]
    return json.loads(found.proto.json)


@pytest.fixture(scope="module")
def options(sample):
    return list_options(sample, 10)


def test_the_page_names_the_recommendation_first(options):
    app = open_app("decide")
    assert not app.exception
    found = recommend(options, Constraints())
    said = verdict(found)
    assert title(app) == said.title
    text = html(app)
    assert said.sentence in text
    assert text.index(said.sentence) < text.index("mrl-rows")
    assert set(numbers(app)) == {"results kept", "bytes per vector", "RAM", "a month"}
    assert numbers(app)["bytes per vector"][0] == f"{found.choice.config.bytes_per_vector:,}"


def test_what_no_setting_fixes_is_told_and_listed(sample):
    app = open_app("decide")
    told = [element.value for element in (*app.warning, *app.info)]
    assert any("No setting here fixes these" in text for text in told)
    app.toggle(key="show_failed").set_value(True).run()
    assert "<li>" in html(app)


def test_controls_reach_the_verdict(options):
    app = open_app("decide")
    app.select_slider(key="target").set_value(".850").run()
    assert title(app) == verdict(recommend(options, Constraints(min_recall=0.85))).title
    app.button_group(key="asked_of").set_value("mean").run()
    on_mean = Constraints(min_recall=0.85, on_mean=True)
    assert title(app) == verdict(recommend(options, on_mean)).title
    app.toggle(key="may_rescore").set_value(True).run()
    rescored = replace(on_mean, rescore=True)
    assert title(app) == verdict(recommend(options, rescored)).title
    app.multiselect(key="only_quantizations").set_value(["int8"]).run()
    assert "int8" in title(app)
    assert not app.exception


def test_ndcg_can_be_asked_for():
    app = open_app("decide")
    app.button_group(key="measure").set_value("nDCG kept").run()
    assert not app.exception
    assert title(app).startswith("Ship ")


def test_prices_and_replicas_reach_the_cost():
    app = open_app("decide")
    ram = numbers(app)["RAM"][0]
    app.number_input(key="ram_price").set_value(0.0).run()
    app.number_input(key="disk_price").set_value(0.0).run()
    assert not app.exception
    assert numbers(app)["a month"] == ("$0.00", "as full")
    app.number_input(key="replicas").set_value(2).run()
    assert numbers(app)["RAM"][0] != ram


def test_constraints_that_contradict_each_other_say_what_to_relax():
    app = open_app("decide", target=".990", max_bytes="8")
    assert not app.exception
    assert title(app) == "Nothing holds"
    assert "Ask for recall of" in html(app)
    assert "Allow bytes per vector of " in html(app)


@pytest.mark.parametrize("rescored", ["false", "true"])
@pytest.mark.parametrize("target", [".700", ".950", "1.000"])
def test_every_view_of_the_evidence_opens(target, rescored):
    app = open_app("decide", target=target, may_rescore=rescored)
    for name in EVIDENCE:
        app.button_group(key="evidence").set_value(name).run()
        assert not app.exception, name


def test_the_histogram_counts_every_query(sample):
    drawn = html(open_app("decide")).partition('class="mrl-columns"')[2]
    drawn = drawn.partition("</div></div>")[0]
    counts = [int(count) for count in re.findall(r"<div><span>([0-9]+)</span>", drawn)]
    assert len(counts) == 11
    assert sum(counts) == sample.rankings.n_queries


def test_the_table_lists_every_configuration(sample, options):
    app = open_app("decide")
    app.button_group(key="evidence").set_value("Table").run()
    table = app.dataframe[0].value
    assert len(table) == len(sample.rankings.configs)
    place = options.configs.index(Config(64, "int8"))
    row = table.iloc[place]
    assert row["recall"] == pytest.approx(options.mean[0, place])
    assert row["joint_low"] == pytest.approx(options.joint_low[0, place])


def test_the_chart_follows_the_question(options):
    app = open_app("decide")
    chart = component(app, "frontier chart")
    points = [point for series in chart["series"] for point in series["points"]]
    assert [point[0] for point in sorted(points)] == list(range(len(options.configs)))
    assert chart["asked"] == {"share": 0.95, "text": "asked: .950"}
    assert chart["chosen"]["text"].startswith(title(app).removeprefix("Ship "))
    app.select_slider(key="target").set_value(".700").run()
    moved = component(app, "frontier chart")
    assert moved["asked"]["share"] == 0.7
    assert moved["chosen"] != chart["chosen"]
    assert moved["series"] == chart["series"]


def test_published_figures_stand_beside_the_run(options):
    app = open_app("decide")
    app.button_group(key="evidence").set_value("What others lost").run()
    published, own, *_ = component(app, "published")["curves"]
    assert published["only_band"]
    recalls = [options.mean[0, options.configs.index(Config(dim, "int8"))] for dim in (32, 256)]
    assert [own["points"][0][1], own["points"][-1][1]] == pytest.approx(recalls, abs=5e-4)


def test_queries_are_split_by_language():
    app = open_app("decide", target=".700")
    app.button_group(key="split_by").set_value("Language").run()
    assert not app.exception
    assert re.search(r"<span>en \([0-9]+\)</span>", html(app))


def test_the_choice_opens_in_explore():
    app = open_app("decide", may_rescore="true")
    labelled(app.button, "See its results").click().run()
    follow(app)
    assert not app.exception
    assert "rescored from" in html(app)


def test_the_question_survives_a_visit_elsewhere():
    app = open_app("decide")
    app.select_slider(key="target").set_value(".800").run()
    app.number_input(key="max_cost").set_value(40.0).run()
    go(app, "")
    go(app, "decide")
    assert app.select_slider(key="target").value == ".800"
    assert app.number_input(key="max_cost").value == 40.0


LINK = {
    "measure": "nDCG kept",
    "target": ".900",
    "asked_of": "mean",
    "k": "5",
    "vectors": "50M",
    "may_rescore": "true",
    "engine": "faiss-hnsw",
    "faiss-hnsw.M": "64",
    "max_bytes": "128",
    "max_ram": "60.5",
    "max_cost": "200",
    "only_dims": ["64", "128", "256"],
    "only_quantizations": ["int8", "int4"],
    "only_bases": ["native", "pca"],
    "replicas": "2",
    "ram_price": "1.25",
    "disk_price": "0.5",
}


def test_a_link_asks_the_whole_question(sample):
    app = open_app("decide", **LINK)
    assert not app.exception
    assert not any("link names" in info.value for info in app.info)
    constraints = Constraints(
        min_recall=None,
        min_ndcg_kept=0.9,
        on_mean=True,
        max_bytes_per_vector=128,
        max_ram=60.5e9,
        max_cost=200,
        dims=(64, 128, 256),
        quantizations=("int8", "int4"),
        bases=("native", "pca"),
        rescore=True,
    )
    production = Production(5e7, 2, 1.25, 0.5, "faiss-hnsw", (("M", 64),))
    found = recommend(list_options(sample, 5), constraints, production=production)
    assert found.choice is not None
    assert title(app) == verdict(found).title
    assert verdict(found).sentence in html(app)


def test_fields_stand_in_the_address_bar_unless_they_hold_what_is_usual():
    app = open_app("decide")
    usual = dict(app.query_params)
    fields = {"max_ram": 12.5, "max_cost": 300.0, "replicas": 3, "ram_price": 0.1, "k": 7}
    for key, value in fields.items():
        app.number_input(key=key).set_value(value)
    app.run()
    written = {key: app.query_params[key] for key in fields}
    assert written == {
        "max_ram": "12.5",
        "max_cost": "300",
        "replicas": "3",
        "ram_price": "0.1",
        "k": "7",
    }
    for key, value in {
        "max_ram": None,
        "max_cost": None,
        "replicas": 1,
        "ram_price": 3.8,
        "k": 10,
    }.items():
        app.number_input(key=key).set_value(value)
    app.run()
    assert not app.exception
    assert dict(app.query_params) == usual


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("target", "2"),
        ("target", "<b>"),
        ("measure", "mrr"),
        ("asked_of", ""),
        ("max_bytes", "7"),
        ("may_rescore", "perhaps"),
        ("engine", "mongo"),
        ("engine", "pgvector HNSW"),
        ("pgvector.m", "101"),
        ("milvus.nlist", "many"),
        *(("k", value) for value in ("0", "101", "1.5", "9" * 400)),
        *(("max_ram", value) for value in ("-1", "lots", "", "nan", "1e999", "9" * 400)),
        ("max_cost", "٣"),
        *(("replicas", value) for value in ("0", "1001", "2.5")),
        *(("ram_price", value) for value in ("inf", "1e7")),
        ("disk_price", "-0.1"),
        ("only_dims", "77"),
        ("only_dims", ["77", "abc"]),
        ("only_quantizations", "int3"),
        ("only_bases", "random"),
    ],
    ids=lambda value: str(value)[:16],
)
def test_nonsense_in_a_link_gives_the_default_and_a_word_on_it(name, value, options):
    app = open_app("decide", **{name: value})
    assert not app.exception
    assert title(app) == verdict(recommend(options, Constraints())).title
    values = [value] if isinstance(value, str) else value
    (told,) = [info.value for info in app.info if "link names" in info.value]
    named = ", ".join(f"{name} {one[:40]}" for one in values)
    assert told.replace("\\", "") == (
        f"This run has nothing for {named}, which the link names: the usual is shown instead."
    )
    app.select_slider(key="target").set_value(".900").run()
    assert not any("link names" in info.value for info in app.info)


def captions(app):
    return "\n".join(caption.value for caption in app.caption)


def test_engines_are_listed_by_their_titles_and_linked_by_their_names():
    app = open_app("decide")
    engine = app.selectbox(key="engine")
    assert engine.options[:3] == ["any", "usearch", "faiss HNSW"]
    assert "usearch, which stands in for any" in engine.help
    engine.set_value("pgvector").run()
    assert not app.exception
    assert app.query_params["engine"] == "pgvector"
    engine = app.selectbox(key="engine")
    assert "pgvector HNSW" in engine.help
    assert "faiss" not in engine.help
    engine.set_value("any").run()
    assert "engine" not in app.query_params


def test_an_engine_can_be_set_up(options):
    app = open_app("decide", engine="milvus")
    ram = numbers(app)["RAM"][0]
    degree, lists = (app.number_input(key=f"milvus.{name}") for name in ("degree", "nlist"))
    assert (degree.value, degree.min, degree.max) == (32, 4, 256)
    assert lists.help.endswith("Default: 128.")
    degree.set_value(200).run()
    assert not app.exception
    assert app.query_params["milvus.degree"] == "200"
    assert numbers(app)["RAM"][0] != ram
    production = Production(engine="milvus", parameters=(("degree", 200), ("nlist", 128)))
    found = recommend(options, Constraints(), production=production)
    assert title(app) == verdict(found).title
    assert "degree = 200, nlist = 128 (default)" in captions(app)
    # Another engine has its own, and this one's are kept.
    app.selectbox(key="engine").set_value("redis").run()
    assert app.number_input(key="redis.m").value == 16
    app.selectbox(key="engine").set_value("milvus").run()
    assert app.number_input(key="milvus.degree").value == 200
    app.selectbox(key="engine").set_value("faiss-flat").run()
    assert not app.exception
    assert not [field for field in app.number_input if "." in field.key]


def test_what_is_known_of_the_engine_is_told():
    app = open_app("decide", engine="usearch", target=".850")
    app.multiselect(key="only_quantizations").set_value(["int8"]).run()
    assert "as i8, with connectivity = 16 (default)" in captions(app)
    assert "finds less than shown here" in captions(app)
    app.selectbox(key="engine").set_value("any").run()
    assert "RAM and disk are those of an HNSW graph as usearch's" in captions(app)
    assert "not stored by hnswlib and pgvector HNSW" in captions(app)
    assert "as i8" not in captions(app)


def test_what_a_list_in_a_link_names_in_vain_is_left_out(options):
    app = open_app("decide", only_dims=["77", "128"], target=".800")
    assert title(app) == verdict(recommend(options, Constraints(min_recall=0.8, dims=(128,)))).title
    assert any("nothing for only_dims 77, which" in info.value for info in app.info)


def test_data_without_judgements_or_segments(sample, served):
    bare = replace(sample, judgements=None, queries=replace(sample.queries, segments=None))
    path = served / "bare.evaluation"
    save_evaluation(bare, path)
    app = open_app("decide", data=str(path), measure="nDCG kept")
    assert not app.exception
    assert title(app).startswith("Ship ")
    assert not app.warning
    assert any("Without judgements" in element.value for element in app.markdown)


def test_names_of_the_data_are_shown_literally(sample, served):
    texts = ("**b** $5 and $10 :material/x: <b>", *sample.queries.texts[1:])
    segments = ("<img src=x>", *["b"] * (len(texts) - 1))
    queries = replace(sample.queries, texts=texts, segments=segments)
    path = served / "odd.evaluation"
    save_evaluation(replace(sample, queries=queries), path)
    app = open_app("decide", data=str(path), target=".700")
    assert not app.exception
    assert "<img src=x>" not in html(app)
    assert "&lt;img src=x&gt; (1, too few)" in html(app)

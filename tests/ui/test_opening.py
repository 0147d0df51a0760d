import json
import subprocess
import sys

from tests.ui.apps import ROOT, columns, curves, html, numbers, open_app, shown_results

_PROBE = """
import json, sys
from streamlit.testing.v1 import AppTest

app = AppTest.from_file("streamlit_app.py", default_timeout=120).run()
heavy = ["torch", "sentence_transformers", "numba", "sklearn", "usearch", "wordllama"]
print(json.dumps([[m.value for m in app.metric], len(app.exception),
                  [name for name in heavy if name in sys.modules]]))
"""


def test_the_first_screen_loads_no_heavy_package():
    run = subprocess.run(
        [sys.executable, "-c", _PROBE], cwd=ROOT, capture_output=True, text=True, check=True
    )
    values, n_exceptions, heavy = json.loads(run.stdout.splitlines()[-1])
    assert len(values) == 4
    assert n_exceptions == 0
    assert heavy == []


def test_the_app_opens_on_the_sample():
    app = open_app()
    assert not app.exception
    assert not app.warning
    assert not app.error
    assert "300 documents · 150 queries · wordllama-256, 256 dimensions" in html(app)
    assert app.selectbox(key="data set help-centre").options[0] == (
        "Help centre (sample), wordllama-256"
    )
    assert app.select_slider(key="dim").options == ["32", "48", "64", "96", "128", "192", "256"]
    assert app.select_slider(key="dim").value == 128
    assert app.button_group(key="quantization").value == "int8"
    assert app.button_group(key="basis").value == "native"
    assert list(numbers(app)) == ["recall@10", "nDCG@10", "MRR@10", "success@10"]
    assert [title for title, _, _ in columns(app)] == ["Full dimension", "This configuration"]
    assert all(len(ids) == 10 for _, _, ids in columns(app))
    assert shown_results(app)["dim"] == 128
    assert len(curves(app)["curves"]) == 5


def test_what_is_known_of_the_data_is_told():
    about = html(open_app())
    for fact in (
        "300 from corpus.jsonl",
        "150 from queries.jsonl",
        "7,066 from test.tsv",
        "64, 128, 256",
        "70, ranked 100 deep",
    ):
        assert fact in about

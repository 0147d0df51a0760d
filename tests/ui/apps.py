"""The app in Streamlit's own tester, and what a reader does with it."""

import io
import json
import time
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_data/help_centre/wordllama-256/help_centre.evaluation"

WORDS = ("red", "green", "blue", "cats", "dogs", "rivers", "mountains", "bread", "trains", "songs")
DOCUMENTS = "id,title,text\n" + "".join(
    f"d{row},About {word},A text on {word} and what they are\n" for row, word in enumerate(WORDS)
)
QUERIES = "id,text,segment\nq0,cats and dogs,animals\nq1,fresh bread,food\nq2,songs,arts\n"
QRELS = "query-id\tcorpus-id\tscore\nq0\td3\t1\nq0\td4\t1\nq1\td7\t1\nq2\td9\t1\n"


def open_app(page="", **query_params):
    """Open a page at an address, as a new browser session does."""
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    app.query_params.update(query_params)
    go(app, page)
    return app


def go(app, page):
    """Open another page of the same session."""
    # The pages are functions, which `switch_page` (files only) cannot name.
    app._page_hash = calc_hash(page)
    return app.run()


def labelled(elements, label):
    """Give the one element whose label starts so."""
    (found,) = [element for element in elements if element.label.startswith(label)]
    return found


def has(elements, label):
    return any(element.label.startswith(label) for element in elements)


def numbers(app):
    """Give the figures on the page: value and what stands below it, by label."""
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def html(app):
    """Give everything on the page that is plain HTML, as one text."""
    return "\n".join(element.proto.body for element in app.get("html"))


def shown_results(app):
    """Give what the result cards are made from; None when there are none."""
    found = [e for e in app.get("bidi_component") if e.key == "results"]
    return json.loads(found[0].proto.json) if found else None


def columns(app):
    """Give (title, configuration, ids) of each column of results."""
    return [
        (column["title"], column["config"], [card["id"] for card in column["cards"]])
        for column in shown_results(app)["columns"]
    ]


def curves(app):
    """Give what the chart is drawn from."""
    (chart,) = [e for e in app.get("bidi_component") if e.key == "curve"]
    return json.loads(chart.proto.json)


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def upload(app, label, name, content):
    """Give a file to one of the fields; several can be given before the next run."""
    content = content.encode() if isinstance(content, str) else content
    labelled(app.file_uploader, label).set_value((name, content, "application/octet-stream"))


def upload_texts(app, *, documents=DOCUMENTS, queries=QUERIES, judgements=None):
    upload(app, "Documents", "documents.csv", documents)
    upload(app, "Queries", "queries.csv", queries)
    if judgements is not None:
        upload(app, "Judgements", "qrels.tsv", judgements)
    return app.run()


def fill(app, label, text):
    labelled(app.text_input, label).set_value(text)
    return app.run()


def evaluate(app, *, dims="", quantizations=None):
    """Start the run and stay until it has ended, whichever way."""
    if dims:
        labelled(app.text_input, "Dims").set_value(dims)
    if quantizations is not None:
        labelled(app.multiselect, "Quantizations").set_value(quantizations)
    labelled(app.button, "Evaluate").click().run()
    if app.session_state.get("job evaluate") is not None:
        wait_for(app.session_state["job evaluate"])
        app.run()
    return follow(app)


def follow(app):
    """Stay on the page that the app has switched to, as a browser does."""
    app._page_hash = app._finished_page_script_hash
    return app


def wait_for(job):
    """Wait until a job has ended; a test that hangs is ended by this."""
    for _ in range(6000):
        if job.finished:
            return
        time.sleep(0.01)
    raise AssertionError("the job did not end")

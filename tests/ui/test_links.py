import pytest

from tests.ui.apps import columns, html, labelled, numbers, open_app, shown_results


def test_a_link_opens_the_view_that_it_was_copied_from(sample):
    app = open_app(
        dim="64",
        quantization="int4",
        basis="pca",
        k="5",
        rescore="true",
        oversample="8",
        vectors="200M",
        pin="32-binary-native",
        q="q-010",
    )
    assert not app.exception
    assert app.select_slider(key="dim").value == 64
    assert app.button_group(key="quantization").value == "int4"
    assert app.button_group(key="basis").value == "pca"
    assert app.number_input(key="k").value == 5
    assert app.toggle(key="rescore").value is True
    assert app.selectbox(key="oversample").value == 8
    assert app.select_slider(key="vectors").value == "200M"
    assert app.selectbox(key="query").value == "q-010"
    assert "recall@5" in numbers(app)
    assert [(title, config) for title, config, _ in columns(app)] == [
        ("Full dimension", "256d float32"),
        ("This configuration", "64d int4 pca rescored"),
        ("Pinned", "32d binary rescored"),
    ]
    assert shown_results(app)["query"] == sample.queries.texts[sample.queries.ids.index("q-010")]


DEFAULT = "<b>128d int8</b>, against full dimension"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("dim", value) for value in ("0", "257", "-64", "abc", "", "64.0", "1e9")),
        *(("quantization", value) for value in ("int3", "", "FLOAT32", "<b>")),
        *(("basis", value) for value in ("random", "", "native,pca")),
        *(("k", value) for value in ("0", "-1", "101", "ten", "", "1e3", "9" * 400)),
        *(("rescore", value) for value in ("perhaps", "")),
        *(("oversample", value) for value in ("7", "0", "", "many")),
        *(("vectors", value) for value in ("12", "", "lots")),
        *(("q", value) for value in ("q-999", "", "<script>")),
        *(("pin", value) for value in ("64", "64-int4", "77-int4-pca", "64-int4-random")),
        *(("pin", value) for value in ("x-y-z", "²-int8-native", "9" * 5000 + "-int8-native")),
        ("unheard_of", "1"),
    ],
    ids=lambda value: value[:16],
)
def test_nonsense_in_a_link_gives_the_default(name, value):
    app = open_app(**{name: value})
    assert not app.exception
    assert DEFAULT in html(app)
    assert "recall@10" in numbers(app)
    assert len(columns(app)) == 2
    assert app.selectbox(key="query").value == "q-035"
    assert "pin" not in app.query_params


@pytest.mark.parametrize(("linked", "nearest"), [("1", 32), ("77", 64), ("100", 96), ("255", 256)])
def test_a_dim_that_this_run_lacks_gives_the_nearest_and_says_so(linked, nearest):
    """As a link has that was copied where another dimension was added."""
    app = open_app(dim=linked)
    assert not app.exception
    assert app.select_slider(key="dim").value == nearest
    assert f"<b>{nearest}d int8</b>" in html(app)
    (info,) = app.info
    assert info.value == f"This run has no {linked} dimensions: {nearest} is shown."
    app.select_slider(key="dim").set_value(128).run()
    assert DEFAULT in html(app)
    assert not app.info


@pytest.mark.parametrize(
    ("link", "needed"),
    [({"k": "120"}, 120), ({"k": "15", "rescore": "true", "oversample": "8"}, 120)],
)
def test_a_link_that_needs_longer_lists_says_so(link, needed):
    """As one has that was copied where the run was ranked deeper."""
    app = open_app(**link)
    assert not app.exception
    assert [info.value for info in app.info] == [
        f"These lists hold 100 places, and the link needs {needed}: rank deeper to see what it "
        "shows."
    ]
    app.select_slider(key="dim").set_value(64).run()
    assert not app.info
    assert not open_app(k="15", oversample="8").info


@pytest.mark.parametrize(
    "key",
    [
        "nonsense",
        "session-1",
        "session-",
        "run-",
        "run-0123456789abcdef0123",
        "run-../../../../etc/passwd",
        "/etc/passwd",
        "../../etc/passwd",
        "/",
        ".",
        "~root",
        "no\nsuch",
        "a" * 5000,
        "nul\0byte",
        "help-centre ",
    ],
    ids=lambda key: repr(key)[1:20],
)
def test_an_unknown_data_set_gives_the_sample_and_a_word_on_why(key):
    app = open_app(data=key)
    assert not app.exception
    (warning,) = app.warning
    assert warning.value.endswith("The sample is shown instead.")
    assert len(warning.value) < 400
    assert "300 documents" in html(app)
    assert numbers(app)["recall@10"][0] == ".718"
    assert "data" not in app.query_params
    app.select_slider(key="dim").set_value(64).run()
    assert not app.warning


def test_the_warning_tells_what_kind_of_link_it_was():
    def warning(key):
        return open_app(data=key).warning[0].value

    assert "uploaded in another browser session" in warning("session-3")
    assert "a run that this server no longer holds" in warning("run-abc")
    assert "MRL_EXPLORER_DATA" in warning("/etc/passwd")


def test_a_data_set_of_another_folder_is_not_read(tmp_path, served):
    (tmp_path / "secret.evaluation").write_text("secret")
    (served / "link.evaluation").symlink_to(tmp_path / "secret.evaluation")
    outside = (
        tmp_path / "secret.evaluation",
        served / ".." / "secret.evaluation",
        served / "link.evaluation",
    )
    for path in outside:
        assert "outside the folders" in open_app(data=str(path)).warning[0].value
    missing = open_app(data=str(served / "none.evaluation"))
    assert "no file none.evaluation" in missing.warning[0].value


def test_a_link_to_a_file_that_is_no_evaluation_is_refused_in_words(served):
    (served / "notes.evaluation").write_text("no archive")
    app = open_app(data=str(served / "notes.evaluation"))
    assert not app.exception
    assert "notes.evaluation" in app.warning[0].value
    assert "300 documents" in html(app)


def test_a_pin_in_the_link_can_be_let_go():
    app = open_app(pin="32-binary-native")
    assert columns(app)[2][1] == "32d binary"
    labelled(app.button, "Unpin").click().run()
    assert len(columns(app)) == 2
    assert "pin" not in app.query_params


def test_a_link_narrows_the_queries_as_it_was(sample):
    app = open_app(segment="paraphrase", find="how")
    assert app.selectbox(key="segment").value == "paraphrase"
    assert app.text_input(key="find").value == "how"
    segments = dict(zip(sample.queries.ids, sample.queries.segments, strict=True))
    assert segments[app.selectbox(key="query").value] == "paraphrase"
    assert app.query_params["segment"] == "paraphrase"


def test_what_a_link_names_in_vain_is_said(sample):
    app = open_app(
        dim="abc", k="0", quantization="int3", pin="64-int4-random", q="<b>", vectors="2"
    )
    (told,) = [i.value for i in app.info]
    assert told.startswith(
        "This run has nothing for dim abc, k 0, quantization int3, vectors 2, pin "
    )
    assert "q \\<b\\>" in told
    # Once something was chosen the link is no longer what is shown.
    app.selectbox(key="query").select(sample.queries.ids[3]).run()
    assert not app.info


def test_a_link_that_names_what_there_is_says_nothing():
    assert not open_app(dim="64", k="5", quantization="int4", pin="64-int4-pca", q="q-010").info

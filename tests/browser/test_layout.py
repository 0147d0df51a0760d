"""What stands where, at the sizes that readers have."""

import pytest

DIMS = (32, 48, 64, 96, 128, 192, 256)
PARTS = (".st-key-controls", ".mrl-numbers", "[data-testid=stMetric]", ".st-key-curves", ".card")


def test_one_screen_holds_controls_numbers_curve_and_the_first_result(sample):
    for part in PARTS:
        box = sample.box(part)
        assert box["x"] >= 0, part
        assert box["y"] >= 0, part
        assert box["x"] + box["width"] <= 1400, part
        assert box["y"] + box["height"] <= 900, part
    assert sample.page.evaluate("scrollY") == 0


def test_nothing_jumps_while_sliding(sample):
    def places():
        watched = (".mrl-numbers", ".st-key-query", ".mrl-results", ".st-key-curves", ".mrl-memory")
        return [sample.box(part)["y"] for part in watched]

    sample.slide("Home", 32)
    first = places()
    for dim in DIMS[1:]:
        sample.slide("ArrowRight", dim)
        assert places() == first, dim


def test_a_fitted_basis_fits_the_same_screen(sample):
    """It has one figure more, in the same row."""

    def places():
        watched = (".mrl-numbers", ".st-key-query", ".mrl-results", ".st-key-curves")
        return [sample.box(part)["y"] for part in watched]

    native = places()
    sample.page.get_by_role("radio", name="pca").click()
    sample.settled(128, "128d int8 pca")
    assert any(text.startswith("held out") for text in sample.metrics())
    assert places() == native
    sample.slide("Home", 32)
    assert places() == native


def test_nothing_jumps_between_quantizations(sample):
    def places():
        return [sample.box(part)["y"] for part in (".mrl-numbers", ".st-key-query", ".mrl-results")]

    first = places()
    for name in ("float32", "float16", "int4", "binary"):
        sample.quantize(name, 128)
        assert places() == first, name


@pytest.mark.parametrize("width", [800, 1024, 1400])
def test_nothing_is_cut_off(open_page, width):
    view = open_page("?pin=32-binary-native", viewport={"width": width, "height": 900}).settled(128)
    assert view.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = view.page.evaluate(
        """[...document.querySelectorAll(
            ".st-key-controls, [data-testid=stMetric], .st-key-curves, .mrl-memory, .st-key-query, "
            + ".st-key-typed, .card, .mrl-results")].map(node => {
            const box = node.getBoundingClientRect();
            return [node.className, box.left, box.right];
        })"""
    )
    assert len(boxes) > 30
    for name, left, right in boxes:
        assert left >= 0, name
        assert right <= width, name


@pytest.mark.parametrize("width", [800, 1400])
def test_no_control_is_squeezed_out_of_sight(open_page, width):
    view = open_page(viewport={"width": width, "height": 900}).settled(128)
    assert view.box(".st-key-query")["width"] >= 200
    assert view.box(".st-key-typed")["width"] >= 200
    assert view.box(".st-key-dim")["width"] >= 300
    for text in ("float32", "float16", "int8", "int4", "binary", "native", "pca"):
        box = view.page.get_by_role("radio", name=text, exact=True).bounding_box()
        assert box["x"] + box["width"] <= width


def test_the_dark_scheme_is_dark(open_page):
    view = open_page(color_scheme="dark").settled(128)
    colours = view.page.evaluate(
        """[getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor,
            getComputedStyle(document.querySelector(".card-title")).color,
            getComputedStyle(document.querySelector(".mrl-numbers")).color]"""
    )
    assert colours[0] == "rgb(16, 21, 28)"
    assert colours[1:] == ["rgb(230, 235, 241)"] * 2
    assert len(view.points()) == 5 * len(DIMS)


def test_the_light_scheme_is_light(sample):
    colours = sample.page.evaluate(
        """[getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor,
            getComputedStyle(document.querySelector(".card-title")).color]"""
    )
    assert colours == ["rgb(255, 255, 255)", "rgb(27, 36, 48)"]

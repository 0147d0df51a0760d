"""Each layer imports only what stands below it, and little at import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mrl_explorer"
MODULES = sorted(PACKAGE.rglob("*.py"))

# From the bottom up; those of one rank do not know of each other.
RANKS = {
    "errors": 0,
    "progress": 0,
    "data": 1,
    "embed": 2,
    "retrieval": 3,
    "decide": 4,
    "report": 5,
    "cli": 6,
    "ui": 6,
}
# The package's own front door, and the door of the command line: they hold no code of their own.
DOORS = {"__init__.py", "__main__.py"}


def layer_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path, *, source=None):
    """Every module that a file imports, wherever in it, with relative names resolved."""
    own = list(path.relative_to(ROOT).with_suffix("").parts)
    for node in ast.walk(ast.parse(source or path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = own[: -node.level] if node.level else []
            base += [node.module] if node.module else []
            # "from package import x" may import the module package.x.
            yield from (".".join([*base, alias.name]) for alias in node.names)


def layers_imported(path, *, source=None):
    for name in imported(path, source=source):
        top, _, rest = name.partition(".")
        if top == "mrl_explorer":
            yield rest.partition(".")[0]


def violations(path, *, source=None):
    layer = layer_of(path)
    return [
        f"{path.name} ({layer}) imports {other or 'the whole package'}"
        for other in layers_imported(path, source=source)
        if other != layer and (other not in RANKS or RANKS[other] >= RANKS[layer])
    ]


def test_every_layer_has_its_place():
    layers = {layer_of(path) for path in MODULES if path.parent == PACKAGE or path.parent}
    assert layers - {"__init__", "__main__"} == set(RANKS)


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.parent != PACKAGE or path.name not in DOORS],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_a_module_imports_only_what_stands_below_it(path):
    assert violations(path) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("data/beir.py", "from mrl_explorer.embed.models import Model"),
        ("retrieval/metrics.py", "def f():\n    from mrl_explorer.decide import intervals"),
        ("retrieval/metrics.py", "from mrl_explorer import decide"),
        ("retrieval/metrics.py", "from ..decide import intervals"),
        ("retrieval/metrics.py", "import mrl_explorer"),
        ("decide/memory.py", "import mrl_explorer.report.figures"),
        ("cli.py", "from mrl_explorer.ui import frame"),
        ("ui/frame.py", "from mrl_explorer.cli import main"),
        ("errors.py", "from mrl_explorer.progress import Progress"),
    ],
)
def test_a_breach_would_be_seen(path, source):
    assert len(violations(PACKAGE / path, source=source)) == 1


def test_what_is_allowed_is_no_breach():
    source = "from mrl_explorer.data import Records\nfrom .rankings import TIE\nimport numpy"
    assert violations(PACKAGE / "retrieval/metrics.py", source=source) == []


def test_only_the_page_imports_streamlit():
    outside = [path for path in MODULES if layer_of(path) != "ui"]
    assert len(outside) > 30
    importing = [
        path.name
        for path in outside
        if any(name.partition(".")[0] == "streamlit" for name in imported(path))
    ]
    assert importing == []
    inside = [path for path in MODULES if layer_of(path) == "ui"]
    assert any("streamlit" in imported(path) for path in inside)


HEAVY = (
    *("torch", "sentence_transformers", "transformers", "numba", "streamlit", "sklearn"),
    *("openai", "cohere", "google.genai", "mistralai", "httpx2"),
)


def loaded_by(statement):
    """Which heavy packages a fresh Python has loaded after a statement."""
    program = f"import sys\n{statement}\nprint(*(m for m in {HEAVY} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    "statement",
    [
        "import mrl_explorer",
        "import mrl_explorer.cli",
        "import mrl_explorer.retrieval.evaluation_file",
        "import mrl_explorer.decide.summary, mrl_explorer.decide.memory",
    ],
)
def test_importing_is_light(statement):
    assert loaded_by(statement) == []


def test_what_is_heavy_would_be_seen():
    assert "numba" in loaded_by("import mrl_explorer.retrieval.sweep")

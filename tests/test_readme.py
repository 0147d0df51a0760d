"""What the README promises, run."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(mark: str) -> str:
    found = re.search(rf"<!-- {mark} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    assert found, f"README has no block marked {mark}"
    return found[1]


def test_the_example_prints_what_the_readme_shows(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("MRL_EXPLORER_CACHE", str(tmp_path))
    exec(block("example"), {})  # noqa: S102 - the README's own code
    assert capsys.readouterr().out == block("output")


def test_the_commands_install_from_the_pinned_requirements():
    for mark in ("open command", "test command"):
        command = block(mark)
        assert "python3.11 -m venv .venv" in command
        assert "pip install -r requirements.txt" in command
    assert "-r requirements-providers.txt" in block("test command")


def test_every_dependency_is_pinned():
    for name in ("requirements.txt", "requirements-providers.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                assert re.match(r"[a-z0-9-]+==[\w.]+(;|$)", line), line

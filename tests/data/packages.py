"""Installed packages that hold little else than docstrings, and that cannot be imported."""

import hashlib
import importlib.metadata

from mrl_explorer.data import docstrings as module

BODY = "It goes on with words about {subject} that fill a passage. " * 6
"""Sixty words and more."""


def source(*subjects):
    """A module with a function for each subject; importing it would fail."""
    functions = [
        f'def {subject}():\n    """Explain what the {subject} does here.\n\n'
        f'    {BODY.format(subject=subject)}\n    """\n'
        for subject in subjects
    ]
    return "raise SystemExit('imported')\n" + "\n".join(functions)


def install(site, name, files, *, version="1.0"):
    """Lay a package out as pip does."""
    record = []
    for place, content in files.items():
        path = site / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        record.append(f"{place},sha256={hashlib.sha256(path.read_bytes()).hexdigest()},\n")
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text("".join(record))


def use_only(site, monkeypatch):
    """Let these packages be all that is installed."""
    found = importlib.metadata.distributions
    monkeypatch.setattr(module, "distributions", lambda: found(path=[str(site)]))

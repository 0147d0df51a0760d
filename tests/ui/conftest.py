"""Pages run in this process, each with a cache and folders of its own."""

import pytest

from mrl_explorer.retrieval.evaluation_file import load_evaluation
from tests.ui.apps import SAMPLE


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """Keep what a test embeds and saves out of the reader's own cache, and name no folders."""
    monkeypatch.setenv("MRL_EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MRL_EXPLORER_DATA", raising=False)


@pytest.fixture
def served(tmp_path, monkeypatch):
    """The one folder that the server's owner lets the pages read."""
    folder = tmp_path / "served"
    folder.mkdir()
    monkeypatch.setenv("MRL_EXPLORER_DATA", str(folder))
    return folder


@pytest.fixture(scope="session")
def sample():
    return load_evaluation(SAMPLE)

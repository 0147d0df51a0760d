from pathlib import Path

import pytest

from mrl_explorer.retrieval.evaluation_file import load_evaluation

SAMPLE = Path(__file__).parents[2] / "sample_data/help_centre/wordllama-256/help_centre.evaluation"


@pytest.fixture(scope="session")
def sample():
    return load_evaluation(SAMPLE)

"""The part of the Model page that trains an adapter, judges it and gives it away."""

from mrl_explorer.ui.datasets import Dataset


def show(dataset: Dataset) -> None:
    """Train a linear map from the data set's vectors, and say whether it is worth having."""

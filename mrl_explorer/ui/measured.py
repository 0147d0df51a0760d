"""What a page measures on a data set's vectors, once a session: by itself where it is quick."""

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from mrl_explorer.data import Collection
from mrl_explorer.progress import OnProgress
from mrl_explorer.ui import jobs
from mrl_explorer.ui.datasets import Dataset
from mrl_explorer.ui.problems import literal
from mrl_explorer.ui.tiers_data import NO_VECTORS

Result = TypeVar("Result")


def measured(
    dataset: Dataset,
    name: str,
    work: Callable[[Collection, OnProgress], Result],
    *,
    quick: bool,
    label: str,
    explained: str,
) -> Result | None:
    """Give what was measured, or offer to measure it and show how that goes.

    Parameters
    ----------
    dataset : Dataset
        What to measure on.
    name : str
        Of the job, and of its result.
    work : callable
        Takes the documents and queries with vectors, and an `on_progress`; it runs in a thread.
    quick : bool
        Whether it takes a few seconds, and so starts by itself: once, whatever comes of it.
    label, explained : str
        Of the button that starts it.
    """
    store: dict[object, dict[str, Any]] = st.session_state.setdefault(f"measured {name}", {})
    kept = store.setdefault((dataset.key, dataset.version), {})
    if "result" in kept:
        result: Result = kept["result"]
        return result
    read = dataset.collection
    if read is None:
        st.info(literal(NO_VECTORS), icon=":material/info:")
        return None
    busy = jobs.running(name)
    asked = st.button(
        label,
        icon=":material/straighten:",
        type="primary",
        disabled=busy,
        key=f"measure {name}",
        help=explained,
    )
    if asked or (quick and not busy and not kept.get("begun")):
        kept["begun"] = True
        jobs.begin(
            name,
            lambda on_progress: work(read(), on_progress),
            then=lambda result: kept.update(result=result),
        )
        # Drawn anew, the button is closed for as long as it goes on.
        st.rerun()
    jobs.show(name)
    return None

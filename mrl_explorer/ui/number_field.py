"""Number fields whose values stand in the address bar.

Streamlit's own binding fails on a number too large, so the link is read here.
"""

import re
from typing import TypeVar

import streamlit as st

from mrl_explorer.ui.address import set_parameter

Number = TypeVar("Number", int, float)

MOST = 1e12
"""The largest limit that can be set."""

_WHOLE = re.compile(r"[0-9]{1,15}")
_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,17})?(e[+-]?[0-9]{1,3})?")


def read_number(text: str, least: Number, most: Number) -> Number | None:
    """Read a number as a link spells it; None for anything else and for one out of range.

    Parameters
    ----------
    text : str
        From the link.
    least, most : int or float
        What it may be: whole numbers, or any.
    """
    kind = type(least)
    if not (_WHOLE if kind is int else _DECIMAL).fullmatch(text):
        return None
    number = kind(text)
    return number if least <= number <= most else None


def show_number(
    label: str,
    least: Number,
    most: Number,
    usual: Number,
    *,
    key: str,
    advice: str,
    width: int | None = None,
) -> Number:
    """Show a field that the link sets, and that stands in the link unless its number is usual.

    Parameters
    ----------
    label : str
        Of the field.
    least, most : int or float
        What it may hold: whole numbers, or any.
    usual : int or float
        What it holds at first.
    key : str
        Its name in the session and in the link.
    advice : str
        Shown on hover.
    width : int, optional
        In pixels; all the room there is without it.
    """
    _start(key, least, most, usual)
    number = st.number_input(
        label,
        least,
        most,
        key=key,
        width=width or "stretch",
        persist_state="session",
        help=advice,
    )
    set_parameter(key, None if number == usual else _written(number))
    return number


def show_limit(label: str, *, key: str, advice: str) -> float | None:
    """Show a field that may stay empty, for any number from 0 on; as `show_number` otherwise."""
    _start(key, 0.0, MOST, None)
    number = st.number_input(
        label,
        0.0,
        MOST,
        None,
        key=key,
        persist_state="session",
        placeholder="any",
        help=advice,
    )
    set_parameter(key, None if number is None else _written(number))
    return number


def _start(key: str, least: Number, most: Number, usual: Number | None) -> None:
    """Set a field before it is drawn.

    On every run: what another page's field holds is known here, but a new field starts anew.
    """
    linked = read_number(st.query_params.get(key, ""), least, most)
    number = st.session_state.get(key, usual if linked is None else linked)
    within = number is not None and least <= number <= most
    st.session_state[key] = number if within else usual


def _written(number: float) -> str:
    return repr(number).removesuffix(".0")

"""Which of the server's own files the page may read."""

import os
from pathlib import Path

from mrl_explorer.errors import InputError

_SHOWN = 120
"""Characters of a wrong path that are repeated: enough to know it again."""


def allowed_folders() -> list[Path]:
    """Give the folders that the server's owner lets the page read: MRL_EXPLORER_DATA."""
    named = os.environ.get("MRL_EXPLORER_DATA", "")
    return [Path(name).expanduser().resolve() for name in named.split(os.pathsep) if name]


def server_path(text: str) -> Path:
    """Check a path that was typed into the page.

    Raises
    ------
    InputError
        If it lies outside the allowed folders, or there is nothing.
    """
    path = resolved(text)
    folders = allowed_folders()
    if not folders:
        raise InputError(
            "This server reads no paths: its owner names folders in MRL_EXPLORER_DATA, for "
            "example MRL_EXPLORER_DATA=/data streamlit run streamlit_app.py."
        )
    if not is_allowed(path):
        raise InputError(
            f"{text} is outside the folders that this server may read: choose a path in "
            f"{', '.join(map(str, folders))}."
        )
    try:
        found = path.exists()
    except OSError:
        found = False
    if not found:
        raise InputError(f"There is nothing at {text[:_SHOWN]}: check the path.")
    return path


def resolved(text: str) -> Path:
    """Read a path.

    Raises
    ------
    InputError
        If it cannot be one.
    """
    try:
        return Path(text.strip()).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        raise InputError(f"{text[:_SHOWN]!r} is no path: check it.") from None


def is_allowed(path: Path) -> bool:
    """Tell whether the page may read a resolved path."""
    return any(path.is_relative_to(folder) for folder in allowed_folders())

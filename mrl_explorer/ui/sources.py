"""Which of the server's own files the page may read."""

import os
from pathlib import Path

from mrl_explorer.errors import InputError


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
    path = Path(text.strip()).expanduser().resolve()
    folders = allowed_folders()
    if not folders:
        raise InputError(
            "This server reads no paths: its owner names folders in MRL_EXPLORER_DATA, for "
            "example MRL_EXPLORER_DATA=/data streamlit run streamlit_app.py."
        )
    if not any(path.is_relative_to(folder) for folder in folders):
        raise InputError(
            f"{text} is outside the folders that this server may read: choose a path in "
            f"{', '.join(map(str, folders))}."
        )
    if not path.exists():
        raise InputError(f"There is nothing at {text}: check the path.")
    return path

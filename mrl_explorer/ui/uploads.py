"""Files that the reader gave to the Data page, uploaded or by a path on the server."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from mrl_explorer.ui.sources import server_path


@dataclass(frozen=True, slots=True)
class Slot:
    """One kind of file that the page asks for.

    Attributes
    ----------
    name : str
        In the session's state.
    label, help : str
        As shown.
    extensions : tuple of str
        Endings of what may be uploaded.
    """

    name: str
    label: str
    help: str
    extensions: tuple[str, ...]


def show_upload(slot: Slot) -> Path | None:
    """Ask for an upload; what was given stays while the reader visits other pages."""
    uploaded = st.file_uploader(
        slot.label,
        [extension.lstrip(".") for extension in slot.extensions],
        help=slot.help,
        key=f"upload {slot.name} {st.session_state.get('upload round', 0)}",
    )
    kept: dict[str, Path] = st.session_state.setdefault("uploads", {})
    if uploaded is not None:
        # A folder for each upload: another file of the same name and size is another file.
        digest = hashlib.sha256(uploaded.getbuffer()).hexdigest()[:16]
        folder = Path(_session_folder()) / slot.name / digest
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / _file_name(uploaded.name)
        if not path.is_file():
            path.write_bytes(uploaded.getbuffer())
        kept[slot.name] = path
    elif slot.name in kept:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(kept[slot.name].name)
            if st.button(
                "Remove", key=f"remove {slot.name}", help="Leaves this file out of the run."
            ):
                kept.pop(slot.name)
                st.rerun()
    return kept.get(slot.name)


def show_path(slot: Slot) -> Path | None:
    """Ask for a path on the server.

    Raises
    ------
    InputError
        If it is not one that the server's owner allows, or there is nothing.
    """
    text = st.text_input(
        slot.label, key=f"path {slot.name}", help=slot.help, persist_state="session"
    )
    return server_path(text) if text.strip() else None


def _file_name(name: str) -> str:
    """Give a name that any file system takes: the last part, its start, and the ending."""
    last = Path(name).name
    suffix = "".join(Path(last).suffixes[-2:])[-20:]
    # File systems count bytes, 255 of them as a rule.
    stem = last.removesuffix(suffix).encode()[:200].decode(errors="ignore")
    return f"{stem}{suffix}"


def _session_folder() -> str:
    """Give a folder that goes with the session: its end removes the uploaded files."""
    if "upload folder" not in st.session_state:
        st.session_state["upload folder"] = tempfile.TemporaryDirectory(prefix="mrl-explorer-")
    return str(st.session_state["upload folder"].name)

"""What is to be imported: an upload, a path of the workspace or a hub data set, and how it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import streamlit as st

from simtune_core.importing.options import ImportOptions
from simtune_core.tables.table import Reading, ReadingOptions, Table
from simtune_core.workflows import importing
from simtune_core.workflows.importing import ImportSource
from simtune_core.workflows.space import size_words
from ui.errors import shown_as_message
from ui.keys import key
from ui.session import current_workspace
from ui.text import as_label, count

From = Literal["upload", "path", "hub"]
_FROM = {"upload": "Upload", "path": "Path in the workspace", "hub": "Hub data set"}
_ENCODINGS = ["utf-8", "utf-16", "cp1252", "latin-1", "iso8859-2", "cp1250", "cp1251", "shift_jis", "gb18030"]
_PREVIEW = 5
_DETECTED = "as detected"
_ROUND = key("data", "import_round")  # counts imports of this session, so that the next one begins with an empty form


def choose_source() -> ImportSource | None:
    """Draw the ways in and return what was chosen; None while nothing is."""
    chosen: From = st.segmented_control(
        "Where the data comes from",
        list(get_args(From)),
        default="upload",
        required=True,
        format_func=lambda name: _FROM[name],
        key=key("data", "import_from"),
        label_visibility="collapsed",
    )
    if chosen == "upload":
        return _upload()
    if chosen == "path":
        typed = st.text_input(
            "Path in the workspace",
            placeholder="data/pairs.csv",
            help="A file or a dataset folder, from the workspace's folder on; for what is too large to upload.",
            key=_key("path"),
        )
        with shown_as_message("This path cannot be imported."):
            return importing.in_workspace(current_workspace(), typed) if typed.strip() else None
    typed = st.text_input(
        "Hub data set",
        placeholder="owner/name",
        help="One that this machine has fetched already; the command `import OWNER/NAME` fetches others.",
        key=_key("hub"),
    )
    return ImportSource(typed.strip(), hub=typed.strip()) if typed.strip() else None


def begin_anew() -> None:
    """Empty the form for the next import."""
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def read_head(source: ImportSource, token: str) -> tuple[Table, ReadingOptions]:
    """Read what the preview and the guesses need; draw how it was read, and the way to read it differently."""
    row = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    slot = row.empty()
    with row, st.popover("Read it differently", icon=":material/tune:", type="tertiary"):
        options = _reading_options(source, token)
    with shown_as_message("This file cannot be read."):
        table = head_of(source, token, options.model_dump_json())
    slot.caption(_told(source, table))
    return table, options


@st.cache_data(max_entries=4, show_spinner="Reading the file")
def head_of(source: ImportSource, token: str, reading: str) -> Table:
    """Read the head of a source once; `token` changes with its content."""
    return importing.head(source, ImportOptions(reading=ReadingOptions.from_text(reading)))


def preview(table: Table) -> None:
    """Draw the first rows as the file has them."""
    st.dataframe(table.frame.head(_PREVIEW), hide_index=True, alt="The first rows as they stand in the file")


def _upload() -> ImportSource | None:
    upload = st.file_uploader(
        "CSV, TSV, JSON, JSON Lines, Parquet or XLSX, also packed (.gz, .zip)",
        type=[ending[1:] for ending in importing.FORMATS],
        key=_key("upload"),
    )
    if upload is None:
        return None
    held = st.session_state.get(key("data", "stored"))
    if held and held["id"] == upload.file_id and held["source"].path.exists():
        return held["source"]
    with shown_as_message("This upload cannot be kept."), st.spinner("Taking the file in"):
        source = importing.uploaded(current_workspace(), upload.getvalue(), upload.name)
    if source.path is not None:
        st.session_state[key("data", "stored")] = {"id": upload.file_id, "source": source}
    return source


def _reading_options(source: ImportSource, token: str) -> ReadingOptions:
    """Draw how the file is to be read where that was not detected rightly."""
    fields = ReadingOptions.model_fields
    offered: dict[str, list[str]] = {"encoding": _ENCODINGS}
    for name in ("delimiter", "quotes"):
        offered[name] = list(get_args(get_args(fields[name].annotation)[0]))
    if Path(source.name).suffix.lower() == ".xlsx":
        with shown_as_message("This file cannot be read."):
            offered = {"sheet": list(head_of(source, token, "{}").reading.sheets)}
    chosen = {
        name: st.selectbox(
            name.capitalize(),
            [_DETECTED, *values],
            help=fields[name].description,
            key=key("data", f"{name}.{token}"),
        )
        for name, values in offered.items()
    }
    return ReadingOptions(**{name: value for name, value in chosen.items() if value != _DETECTED})


def _told(source: ImportSource, table: Table) -> str:
    """Word what is being imported and how it was read."""
    n_rows = f"the first {count(len(table.frame))} rows" if source.large else f"{count(len(table.frame))} rows"
    size = [size_words(source.n_bytes)] if source.n_bytes else []
    parts = [as_label(source.name, longest=60), *size, *_reading_words(table.reading), n_rows]
    return " · ".join([*parts, f"{len(table.frame.columns)} columns"])


def _reading_words(reading: Reading) -> list[str]:
    words = [{"jsonl": "JSON Lines"}.get(reading.format, reading.format.upper())]
    words += [reading.encoding.upper()] if reading.encoding else []
    words += [f"delimiter {reading.delimiter}"] if reading.delimiter else []
    words += ["quotes are plain characters"] if reading.quotes == "plain" else []
    if reading.sheet:
        more = f" (1 of {len(reading.sheets)})" if len(reading.sheets) > 1 else ""
        words.append(f"sheet {as_label(reading.sheet, longest=40)}{more}")
    return words


def _key(name: str) -> str:
    return key("data", f"{name}.{st.session_state.get(_ROUND, 0)}")

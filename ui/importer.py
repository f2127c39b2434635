"""The import form: a file, its columns as guessed and as chosen, its faults by row, a name, and the button."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import streamlit as st

from simtune_core.importing.drafting import Draft
from simtune_core.importing.options import ImportKind
from simtune_core.workflows import importing
from ui.errors import shown_as_message
from ui.keys import key
from ui.session import current_workspace
from ui.text import as_label

_ABSENT = "(none)"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_PREVIEW = 5


def import_form() -> None:
    """Draw the form; a saved dataset is announced and the page runs again."""
    upload = st.file_uploader("CSV, TSV or Parquet file", type=["csv", "tsv", "parquet"], key=key("data", "upload"))
    if upload is None:
        return
    with shown_as_message("This file cannot be read."):
        table = _read(upload.getvalue(), upload.name)
    columns = list(table.frame.columns)
    kinds: list[ImportKind] = ["records", "pairs"]
    kind = st.segmented_control(
        "Each row is",
        kinds,
        default=importing.guess_kind(columns),
        required=True,
        key=key("data", f"kind.{upload.file_id}"),
        format_func=lambda name: {"records": "a record", "pairs": "a pair"}[name],
    )
    mapping = _mapping(columns, kind, upload.file_id)
    checked = importing.draft(table, importing.guessed_options(columns, kind, columns=mapping))
    _show(checked)
    _save(checked, upload.name, upload.file_id)


def _mapping(columns: list[str], kind: ImportKind, file_id: str) -> dict[str, str]:
    """Draw one list per role with the guess chosen; roles come from one table in the core."""
    guessed = importing.guess_columns(columns, kind)
    chosen = {}
    with st.grid(4, min_column_width=160):
        for role in importing.GUESSES[kind]:
            options = [_ABSENT, *columns]
            start = options.index(guessed[role][0]) if role in guessed else 0
            picked = st.selectbox(role, options, index=start, key=key("data", f"role.{kind}-{role}-{file_id}"))
            if picked != _ABSENT:
                chosen[role] = (picked,)
    return chosen


def _show(checked: Draft) -> None:
    for note in checked.notes:
        st.info(as_label(note, longest=600), icon=":material/info:")
    if checked.faults:
        rows = f"{checked.n_faulty_rows:,} of {checked.n_rows:,} rows have a fault."
        st.warning("The columns do not fit." if checked.blocking else rows, icon=":material/rule:")
        faults = [{"row": fault.row, "column": fault.column, "fault": fault.message} for fault in checked.faults]
        st.dataframe(faults, hide_index=True, height=220, alt=f"{len(faults)} faults with their rows")
    if not checked.frame.empty:
        st.caption(f"The first rows as they will be saved, of {len(checked.frame):,}.")
        st.dataframe(
            checked.frame.head(_PREVIEW).dropna(axis=1, how="all"), hide_index=True, alt="The first rows to be saved"
        )


def _save(checked: Draft, file_name: str, file_id: str) -> None:
    stem = _UNSAFE.sub("_", PurePosixPath(file_name.replace("\\", "/")).stem).strip("._-")[:64]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", value=stem or "data", key=key("data", f"name.{file_id}"), width=280)
        drop = bool(checked.faults) and st.toggle(
            "Drop the faulty rows", key=key("data", f"drop.{file_id}"), disabled=bool(checked.blocking)
        )
        new = st.toggle("New version of a taken name", key=key("data", f"new_version.{file_id}"))
        ready = not checked.blocking and (drop or not checked.faults)
        pressed = st.button("Save", type="primary", disabled=not ready, key=key("data", "save"))
    if pressed:
        with shown_as_message("This was not saved; the workspace is as it was."):
            saved = importing.save_draft(
                current_workspace(), name, checked, source=importing.ImportSource(file_name, content=b''), drop_faulty=drop, new_version=new
            )
        st.toast(f"Saved {saved.ref}: {saved.n_rows:,} {saved.kind}.", icon=":material/check_circle:")
        st.rerun()


@st.cache_data(max_entries=2, show_spinner="Reading the file")
def _read(content: bytes, name: str) -> importing.Table:
    return importing.ImportSource(name, content=content).read(importing.ImportOptions().reading)

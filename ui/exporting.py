"""A dataset as a download: one button a format, and the command line for what is too large for a page."""

from __future__ import annotations

from functools import partial

import streamlit as st

from simtune_core.curriculum.formats import FormatConfig
from simtune_core.workflows import preparing
from simtune_core.workflows.preparing import ExportFormat
from simtune_core.workspace import Workspace
from ui.errors import shown_as_message
from ui.keys import Owner, key

_BUTTONS: dict[ExportFormat, tuple[str, str]] = {
    "csv": ("CSV", "text/csv"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
    "jsonl": ("JSON Lines", "application/jsonl"),
    "huggingface": ("Hugging Face dataset", "application/zip"),
}


def export_panel(
    workspace: Workspace, ref: str, rows: FormatConfig | None = None, *, large: bool = False, owner: Owner = "data"
) -> None:
    """Draw the downloads of a dataset or of one of its splits; a file is made when its button is pressed.

    Args:
        workspace: Where it lies.
        ref: The dataset, or one of its splits.
        rows: How pairs are laid out for a loss; None takes them as they are stored.
        large: Whether the rows are known to be too much for a page.
        owner: The page that the buttons stand on.
    """
    names: dict[ExportFormat, str] = {}
    with shown_as_message(stop=False):
        large = large or preparing.too_large_to_download(workspace, ref)
        names = {form: preparing.export_name(workspace, ref, form, rows) for form in preparing.FORMATS}
    if not names:
        return
    if large:
        st.markdown("These rows take more than 100 MB, which is too much for a page. On the command line:")
        commands = (preparing.command_for(ref, form, rows) for form in preparing.FORMATS)
        st.code("\n".join(commands), language="bash")
        return
    with st.container(horizontal=True):
        for form, (label, mime) in _BUTTONS.items():
            st.download_button(
                label,
                data=partial(preparing.download, workspace, ref, form, rows),
                file_name=names[form],
                mime=mime,
                key=key(owner, f"export.{form}"),
                on_click="ignore",
                icon=":material/download:",
            )
    st.caption(
        "The CSV is for spreadsheets: a text that one would run as a formula gets an apostrophe in front. The other "
        "formats hold every text exactly. The Hugging Face dataset is a zip of a folder for `load_dataset`."
    )

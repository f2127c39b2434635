"""A dataset as a download: one button a format, and the command line for what is too large for a page."""

from __future__ import annotations

from functools import partial

import streamlit as st

from simtune_core.workflows import preparing
from simtune_core.workflows.preparing import ExportFormat
from simtune_core.workspace import Workspace
from ui.errors import shown_as_message
from ui.keys import key

_BUTTONS: dict[ExportFormat, tuple[str, str]] = {
    "csv": ("CSV", "text/csv"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
    "jsonl": ("JSON Lines", "application/jsonl"),
    "huggingface": ("Hugging Face dataset", "application/zip"),
}


def export_panel(workspace: Workspace, ref: str) -> None:
    """Draw the downloads of a dataset or of one of its splits; a file is made when its button is pressed.

    Args:
        workspace: Where it lies.
        ref: The dataset, or one of its splits.
    """
    names: dict[ExportFormat, str] = {}
    with shown_as_message(stop=False):
        large = preparing.too_large_to_download(workspace, ref)
        names = {form: preparing.export_name(workspace, ref, form) for form in preparing.FORMATS}
    if not names:
        return
    if large:
        st.markdown("These rows take more than 100 MB, which is too much for a page. On the command line:")
        st.code("\n".join(preparing.command_for(ref, form) for form in preparing.FORMATS), language="bash")
        return
    with st.container(horizontal=True):
        for form, (label, mime) in _BUTTONS.items():
            st.download_button(
                label,
                data=partial(preparing.download, workspace, ref, form),
                file_name=names[form],
                mime=mime,
                key=key("data", f"export.{form}"),
                on_click="ignore",
                icon=":material/download:",
            )
    st.caption(
        "The CSV is for spreadsheets: a text that one would run as a formula gets an apostrophe in front. The other "
        "formats hold every text exactly. The Hugging Face dataset is a zip of a folder for `load_dataset`."
    )

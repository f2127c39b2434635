"""What a page shows while the workspace has nothing for it: what is missing, and the way to it."""

from __future__ import annotations

import streamlit as st

from simtune_core.datasets import DatasetKind
from simtune_core.workflows import data
from simtune_core.workspace import Workspace
from ui.errors import shown_as_message
from ui.menu import link_to


def stop_without_data(workspace: Workspace, kind: DatasetKind = "pairs") -> None:
    """End the page with a sentence, a button for the sample and a link, unless there is a dataset of the kind."""
    with shown_as_message():
        found = data.list_datasets(workspace, kind)
    if found:
        return
    wanted = "pair set" if kind == "pairs" else "record set"
    st.info(f"This workspace holds no {wanted} yet: load the bundled sample, or import a file.", icon=":material/info:")
    sample_button(workspace)
    link_to("data", "Import a file")
    st.stop()


def sample_button(workspace: Workspace) -> None:
    """Draw the button that loads the bundled sample; the page runs again when it is there."""
    if st.button("Load the sample", type="primary", key="frame.sample", icon=":material/download:"):
        with shown_as_message():
            data.load_sample(workspace)
        st.rerun()

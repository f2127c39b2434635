"""The workspace that this server shows."""

from __future__ import annotations

import os

import streamlit as st

from simtune_core.workspace import VARIABLE, Workspace, open_workspace


def current_workspace() -> Workspace:
    """Return the workspace of this server, opened once per process; its folders exist.

    Raises:
        WorkspaceError: If the folders cannot be made.
    """
    return _opened(os.environ.get(VARIABLE, ""))


@st.cache_resource(show_spinner=False)
def _opened(root: str) -> Workspace:
    return open_workspace(root or None)

"""The readers of live runs, one a run and server: a second tab sees at once what the first has read."""

from __future__ import annotations

import streamlit as st

from simtune_core.workflows.runs import RunReader
from simtune_core.workspace import Workspace

_KEPT, _SECONDS = 64, 3600


def reader_of(workspace: Workspace, job_id: str) -> RunReader:
    """Return the reader of a job's events, which reads at each look only what is new."""
    return _reader(str(workspace.root), job_id)


@st.cache_resource(max_entries=_KEPT, ttl=_SECONDS, show_spinner=False)
def _reader(root: str, job_id: str) -> RunReader:
    return RunReader(job_id)

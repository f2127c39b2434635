"""The log of a job on screen: its newest lines, followed while it runs, by level and by word, and the whole as a file.

A log is written by programs and holds users' texts: it is shown as plain text.
"""

from __future__ import annotations

import streamlit as st

from simtune_core.jobs.states import JobStatus
from simtune_core.workflows.running import read_log
from simtune_core.workspace import Workspace


def job_log(workspace: Workspace, job: JobStatus) -> None:
    """Draw the end of a job's log."""
    st.code(read_log(workspace, job.id) or "The log is empty.", language=None, wrap_lines=True)

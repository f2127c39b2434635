"""Ask for what a job finds out: the stored answer at once, the running job's progress, or a button that starts it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from simtune_core.jobs.states import JobStatus
from simtune_core.workflows.requests import Request
from simtune_core.workflows.running import foreseen, job_of, result_of, start
from ui.errors import shown_as_message
from ui.jobs import job_panel
from ui.session import current_workspace
from ui.text import as_label

_DOUBLE_CLICK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A job that is done and what it found out."""

    job: JobStatus
    result: dict[str, Any]


def answer_to(request: Request, *, key: str, button: str, why: str = "", also: Sequence[Request] = ()) -> Answer | None:
    """Return the answer to a request if there is one; otherwise draw the way to it and return None.

    Args:
        request: What is asked for; equal requests share one job, from whichever page or command it was started.
        key: Key of the panel, unique on the page.
        button: What the button says that starts the job; a verb.
        why: A sentence beside the button: what it will take and give.
        also: What the same press asks for besides; the page shows those answers elsewhere.
    """
    workspace = current_workspace()
    failed = st.session_state.get(f"{key}.job")
    with shown_as_message():
        job = job_of(workspace, request)
        if job is not None and job.state == "done":
            return Answer(job, _result(job.id))
        if job is not None:
            job_panel(job.id, key=f"{key}.panel")
            return None
    if failed and failed["params"] == request.params:
        with shown_as_message(stop=False):  # its folder may be gone by now
            job_panel(failed["id"], key=f"{key}.panel")
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(button, type="primary", key=f"{key}.start", icon=":material/play_arrow:")
        if why:
            st.caption(why)
    if pressed:
        with shown_as_message():
            for each in (request, *also):
                _warn_of_a_tight_disk(each, reuse=True)
            job_id, *_ = [start(workspace, each) for each in (request, *also)]
        st.session_state[f"{key}.job"] = {"id": job_id, "params": request.params}
        st.rerun()
    return None


def launch_once(request: Request, *, key: str) -> str:
    """Start a request that is new work each time; a double click on the form is one job.

    Two clicks that run beside each other share a token; a second one that comes just after gives the job of the first.

    Args:
        request: What is asked for.
        key: Where this session keeps the token of the wish, renewed after each launch, and its last launch.

    Returns:
        The job's id.
    """
    last = st.session_state.get(f"{key}.last")
    if last and last["request"] == request and time.monotonic() - last["time"] < _DOUBLE_CLICK_SECONDS:
        return str(last["job"])
    token = st.session_state.setdefault(f"{key}.token", uuid.uuid4().hex)
    _warn_of_a_tight_disk(request, reuse=False)
    job_id = start(current_workspace(), request, token=token, reuse=False)
    st.session_state[f"{key}.last"] = {"request": request, "job": job_id, "time": time.monotonic()}
    st.session_state[f"{key}.token"] = uuid.uuid4().hex
    return job_id


def _warn_of_a_tight_disk(request: Request, *, reuse: bool) -> None:
    """Tell by a toast that a request may fill the disk; one that cannot fit is refused when it is started."""
    for finding in foreseen(current_workspace(), request, reuse=reuse):
        if finding["severity"] == "warning":
            st.toast(as_label(finding["message"], longest=600), icon=_ICONS["warning"], duration="infinite")


@st.cache_data(max_entries=64, show_spinner=False)
def _result(job_id: str) -> dict[str, Any]:
    """Read a finished job's result once per server process; it never changes."""
    return result_of(current_workspace(), job_id)


def show_findings(findings: list[dict[str, Any]]) -> None:
    """Draw findings as messages with symbol and word; their text may quote data, so it is escaped."""
    for finding in findings:
        draw = {"error": st.error, "warning": st.warning}.get(finding["severity"], st.info)
        draw(as_label(finding["message"], longest=600), icon=_ICONS.get(finding["severity"], ":material/info:"))


_ICONS = {"error": ":material/error:", "warning": ":material/warning:"}

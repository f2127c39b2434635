"""One job on the page Jobs: what it is and was asked, what can be done next, its curves, parameters and log."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from simtune_core.jobs.states import JobStatus
from simtune_core.workflows.running import checkpoint_of, differences, read_job, resume, retry
from simtune_core.workspace import Workspace
from ui.ask import show_findings
from ui.errors import shown_as_message
from ui.job_curves import job_curves
from ui.job_log import job_log
from ui.jobs import job_panel, look_again
from ui.keeping import delete_button
from ui.keys import JOB, JOB_NEXT, key
from ui.menu import button_to
from ui.text import as_label, count

_PAGES = {  # kind -> the page that shows what it found out, and what the button there says
    "difficulty": ("difficulty", "Open Difficulty"),
    "candidates": ("curriculum", "Open Curriculum"),
    "curriculum": ("curriculum", "Open Curriculum"),
    "train": ("training", "Open Training"),
    "diagnose": ("adapters", "Open Adapters"),
    "evaluate": ("evaluation", "Open Evaluation"),
}
_RUN = key("training", "run")


def job_picker() -> str:
    """Draw the box with the id of the job shown, which stands in the address too; empty at first."""
    following = st.session_state.pop(JOB_NEXT, None)
    if following is not None:
        st.session_state[JOB] = following
    shown = st.text_input(
        "Job id",
        key=JOB,
        placeholder="choose a row above, or paste an id",
        bind="query-params",
        persist_state="session",
        width=340,
    )
    return (shown or "").strip()


def job_view(workspace: Workspace, job_id: str) -> None:
    """Draw one job; a job that is not there, or whose folder is removed while it is shown, is told in a sentence."""
    if not job_id:
        return
    with shown_as_message("This job cannot be shown.", stop=False):
        job = read_job(workspace, job_id)
        job_panel(job_id, key=key("jobs", "panel"), whole=False)
        _facts(job)
        _actions(workspace, job)
        show_findings(list(job.findings))
        _details(workspace, job)


def _facts(job: JobStatus) -> None:
    """Draw what tells this job from others: kind, attempt, device, times; and the job it came of."""
    facts = [
        job.kind,
        f"attempt {job.attempt}" if job.attempt > 1 else "",
        f"on {job.device}" if job.device else "",
        f"asked for {_time(job.created)}",
        f"started {_time(job.started)}" if job.started else "",
        f"ended {_time(job.ended)}" if job.ended else "",
        f"last step {count(job.last_step)}" if job.last_step is not None else "",
        f"checkpoint at step {count(job.checkpoint)}" if job.checkpoint is not None else "",
    ]
    st.caption(as_label(" · ".join(fact for fact in facts if fact), longest=400))
    earlier, how = (job.continues, "Continues") if job.continues else (job.retry_of, "Repeats")
    if earlier:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"{how} an earlier attempt")
            button_to("jobs", earlier, key=key("jobs", f"earlier.{job.id}"), holds={JOB: earlier})


def _actions(workspace: Workspace, job: JobStatus) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.finished and job.state != "done":
            saved = checkpoint_of(workspace, job.id)  # its own, or that of the attempt it continued
            if saved is not None:
                _continue_button(workspace, job, saved.step)
            _retry_button(workspace, job)
        if job.kind in _PAGES:
            stem, label = _PAGES[job.kind]
            holds = {_RUN: job.id} if job.kind == "train" else {}
            button_to(stem, label, key=key("jobs", f"result.{job.id}"), holds=holds, icon=":material/arrow_forward:")
        delete_button("job", job.id, on_deleted=_show_none)


def _retry_button(workspace: Workspace, job: JobStatus) -> None:
    """Draw the button that starts the same work again; while the new attempt waits or runs, it leads to that one."""
    pressed = st.button(
        "Retry",
        key=key("jobs", f"retry.{job.id}"),
        icon=":material/replay:",
        help="Starts the same work again from its beginning, as a new job.",
    )
    if pressed:
        with shown_as_message(stop=False):
            _show_next(retry(workspace, job.id))


def _continue_button(workspace: Workspace, job: JobStatus, step: int) -> None:
    """Draw the button that goes on from the newest checkpoint; what is not as it was must be confirmed."""
    pressed = st.button(
        f"Continue from checkpoint {count(step)}",
        key=key("jobs", f"continue.{job.id}"),
        icon=":material/resume:",
        type="primary",
    )
    if not pressed:
        return
    with shown_as_message(stop=False):
        changed = differences(workspace, job.id)
        if changed:
            _confirm(workspace, job, changed)
        else:
            _show_next(resume(workspace, job.id))


@st.dialog("This job would not go on as it began", width="medium")
def _confirm(workspace: Workspace, job: JobStatus, changed: list[str]) -> None:
    st.markdown("Since it was started, this has changed:")
    st.code("\n".join(changed), language=None, wrap_lines=True)
    st.markdown("What it learned before and after will rest on different ground; the new attempt says so.")
    if st.button("Continue all the same", key=key("jobs", f"confirm.{job.id}"), type="primary"):
        with shown_as_message(stop=False):
            _show_next(resume(workspace, job.id, confirm=True))


def _show_none() -> None:
    st.session_state[JOB_NEXT] = ""
    look_again()


def _show_next(job_id: str) -> None:
    """Show the new attempt instead of this one; a second click finds it under way."""
    st.session_state[JOB_NEXT] = job_id
    look_again()
    st.rerun()


def _details(workspace: Workspace, job: JobStatus) -> None:
    """Draw log, curves and parameters; only the open one is read."""
    log, curves, params = st.tabs(["Log", "Curves", "Parameters"], key=key("jobs", "part"), on_change="rerun")
    if log.open:
        with log:
            job_log(workspace, job)
    if curves.open:
        with curves:
            job_curves(workspace, job)
    if params.open:
        with params:
            st.json(job.params)


def _time(unix: float | None) -> str:
    if unix is None:
        return ""
    then = datetime.fromtimestamp(int(unix))
    today = then.date() == datetime.now().date()
    return f"{then:%H:%M:%S}" if today else f"{then:%-d %b %Y, %H:%M:%S}"

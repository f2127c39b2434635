"""The curves of any job that reports metrics, live while it runs; a training has a page of its own with more."""

from __future__ import annotations

import streamlit as st

from simtune_core.figures.curves import Curve, training_curves
from simtune_core.jobs.states import JobStatus
from simtune_core.workflows.runs import RunView
from simtune_core.workspace import Workspace
from ui.errors import shown_as_message
from ui.keys import key
from ui.live_chart import plotly_live
from ui.reading import reader_of
from ui.refreshing import refreshed
from ui.text import as_label, count

_SHOWN = 6
_SECONDS = "2s"


def job_curves(workspace: Workspace, job: JobStatus) -> None:
    """Draw what a job has measured over its steps, and how many lines of its event file were damaged."""
    refreshed(_draw, workspace, job, every=_SECONDS if job.active else None)


def _draw(workspace: Workspace, job: JobStatus) -> None:
    with shown_as_message(stop=False):
        view = reader_of(workspace, job.id).look(workspace)
        _curves(job, view)
        if view.n_bad:
            lines = (
                "1 damaged line of the event file is" if view.n_bad == 1 else f"{count(view.n_bad)} damaged lines are"
            )
            st.caption(f"{lines} left out.")


def _curves(job: JobStatus, view: RunView) -> None:
    series = {name: each for name, each in view.series.items() if len(each.steps)}
    if not series:
        st.caption("This job has reported no metric.")
        return
    shown = dict(list(series.items())[:_SHOWN])
    curves = {name: [Curve(name, each.steps.astype(float), each.values)] for name, each in shown.items()}
    columns = st.columns(2)
    for place, (name, figure) in enumerate(training_curves(curves, smoothing=0.0, revision=job.id, height=220).items()):
        with columns[place % 2]:
            st.caption(as_label(f"{name} · last {shown[name].values[-1]:.4g} at step {shown[name].steps[-1]:,}"))
            where = key("jobs", f"curve_{place}.{job.id}")
            plotly_live(figure, key=where, alt=f"{name} of {job.title} over its steps")
    if len(series) > _SHOWN:
        st.caption(f"{count(len(series) - _SHOWN)} more metrics are in the results store.")

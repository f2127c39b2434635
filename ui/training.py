"""A training on screen: the form that starts it, its live curves, and what really ran beside what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from simtune_core.errors import SimtuneError
from simtune_core.figures.curves import TITLES, Curve, training_curves
from simtune_core.figures.style import Band
from simtune_core.jobs.launcher import read_job
from simtune_core.jobs.states import JobStatus
from simtune_core.training.config import TrainingConfig, fields_of
from simtune_core.workflows.estimates import training_time
from simtune_core.workflows.requests import train_request
from simtune_core.workflows.running import result_of, resume
from simtune_core.workflows.runs import RunView
from simtune_core.workspace import Workspace
from ui.ask import launch_once, show_findings
from ui.errors import shown_as_message
from ui.jobs import job_panel
from ui.keys import key
from ui.live_chart import plotly_live
from ui.menu import link_to
from ui.reading import reader_of
from ui.refreshing import refreshed
from ui.spaces import pick_encoder
from ui.text import as_label, count
from ui.weak import weak_marks
from ui.widgets import field_for, pick_one, select_for

_FIRST = ("loss", "learning_rate", "epochs", "per_device_train_batch_size", "seed")  # the rest stands under "More"
_SECONDS = "2s"
_CURVES = {"loss": "loss", "dev": "dev_roc_auc", "learning_rate": "learning_rate", "grad_norm": "grad_norm"}


def training_form(workspace: Workspace, refs: Sequence[str], usual: Mapping[str, str | None]) -> None:
    """Draw the form of a new run; a start shows the new run at once.

    Args:
        workspace: Where everything lies.
        refs: The pair sets that can be chosen.
        usual: Which of them is chosen at first for `train` and `dev`.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = select_for(TrainingConfig, "method", scope="training")
        train = pick_one("Training pairs", refs, key=key("training", "train"), default=usual["train"])
        dev = pick_one("Dev pairs", refs, key=key("training", "dev"), default=usual["dev"])
        base = pick_encoder(workspace, key=key("training", "base"), label="Base", tuned_too=False)
    weak_marks(workspace, train, dev)
    names = [name for name in fields_of(method) if name != "method"]
    first = [name for name in names if name in _FIRST]
    usual_values = TrainingConfig(method=method).effective()
    with shown_as_message(stop=False):
        with st.grid(5, min_column_width=150):
            chosen = {name: _field(name, usual_values) for name in first}
        with st.expander("More settings", icon=":material/tune:"), st.grid(4, min_column_width=170):
            chosen |= {name: _field(name, usual_values) for name in names if name not in first}
        config = TrainingConfig(method=method, **_changed(chosen))
        _start(workspace, {"train": train, "dev": dev, "base": base}, config)


def run_picker(runs: Sequence[JobStatus]) -> str:
    """Draw the list of runs, newest first, and return the id of the chosen one."""
    titles = {run.id: f"{run.title} · {run.id[:19]}" for run in runs}  # stands in the address: nothing that changes
    held = key("training", "run")
    wanted = st.session_state.pop(key("training", "started"), None)
    if wanted in titles:
        st.session_state[held] = wanted
    return pick_one("Run", list(titles), key=held, format_func=titles.__getitem__) or runs[0].id


def run_panel(workspace: Workspace, job_id: str) -> None:
    """Draw one run: its state, its curves (live while it runs), its findings and its ledger."""
    with shown_as_message():
        job = read_job(workspace, job_id)
    job_panel(job_id, key=key("training", "panel"))
    _continue_button(workspace, job)
    weight = st.slider(
        "Smoothing", 0.0, 0.99, 0.6, 0.01, key=key("training", "smoothing"), persist_state="session", width=260,
        help="Weight of the past in the bold curves; the faint ones are the values as they are.",
    )  # fmt: skip
    pace = _SECONDS if job.active else None
    refreshed(_live, workspace, job_id, weight, every=pace)


def run_result(workspace: Workspace, job_id: str) -> None:
    """Draw what a finished run made: its model, what was asked beside what ran, findings, and the next step."""
    with shown_as_message():
        job = read_job(workspace, job_id)
        if job.state not in ("done", "stopped"):
            return
        result = result_of(workspace, job_id)
    st.header("What really ran")
    ledger_table(result["ledger"])
    show_findings(result["findings"])
    if result.get("model_id"):
        st.text(f"Model {result['model_id']}")
        link_to("adapters", "Is it applied?")
        link_to("evaluation", "Compare it with the baseline")


def effective_table(config: TrainingConfig) -> None:
    """Draw every setting that the method reads with its value and where the value comes from."""
    effective = config.effective()
    rows = [
        {"setting": name, "value": str(getattr(effective, name)), "source": config.source(name)}
        for name in fields_of(config.method)
    ]
    st.dataframe(rows, hide_index=True, alt=f"{len(rows)} settings with value and source", height=240)


def _field(name: str, usual: TrainingConfig) -> Any:
    value = getattr(usual, name)
    return field_for(
        TrainingConfig,
        name,
        scope="training",
        empty="default" if value is None else f"{value:g}" if isinstance(value, float) else str(value),
    )


def _changed(chosen: Mapping[str, Any]) -> dict[str, Any]:
    fields = TrainingConfig.model_fields
    return {name: value for name, value in chosen.items() if value not in ("", fields[name].default)}


def _start(workspace: Workspace, sets: dict[str, str | None], config: TrainingConfig) -> None:
    with st.expander("What will run", icon=":material/fact_check:"):
        effective_table(config)
    sure = _sure_of_time(workspace, sets, config)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Model name", placeholder="made up if left empty", key=key("training", "name"), width=260)
        pressed = st.button(
            "Start training",
            type="primary",
            key=key("training", "start"),
            icon=":material/play_arrow:",
            disabled=not sure,
        )
    if not pressed:
        return
    if sets["train"] is None or sets["dev"] is None:
        raise SimtuneError("A training needs training pairs and dev pairs; choose both.")
    request = train_request(
        workspace,
        sets["train"],
        sets["dev"],
        base=sets["base"] or "",
        config=config.model_dump(mode="json", exclude_unset=True),
        name=name.strip() or None,
    )
    st.session_state[key("training", "started")] = launch_once(request, key=key("training", "launch"))
    st.rerun()


def _sure_of_time(workspace: Workspace, sets: dict[str, str | None], config: TrainingConfig) -> bool:
    """Tell what the run will take on a CPU; return whether it may start: a long one only after a tick."""
    train, dev, base = sets["train"], sets["dev"], sets["base"]
    estimate = training_time(workspace, train, dev, base=base or "", config=config) if train and dev else None
    if estimate is None:
        return True
    st.caption(as_label(estimate.sentence))
    return not estimate.long or st.checkbox("Start it all the same", key=key("training", "sure"))


def _continue_button(workspace: Workspace, job: JobStatus) -> None:
    """Draw the button that goes on from a run's newest checkpoint; what changed meanwhile is confirmed on page Jobs."""
    if job.active or job.state == "done" or job.checkpoint is None:
        return
    pressed = st.button(
        f"Continue from step {count(job.checkpoint)}",
        key=key("training", f"continue.{job.id}"),
        icon=":material/resume:",
        help="A new run with the same data and settings; the model of a run that was stopped is kept beside it.",
    )
    if pressed:
        with shown_as_message("Open the job to continue it all the same.", stop=False):
            st.session_state[key("training", "started")] = resume(workspace, job.id)
            st.rerun()


def _live(workspace: Workspace, job_id: str, weight: float) -> None:
    view = reader_of(workspace, job_id).look(workspace)
    if view.removed:
        st.warning("The folder of this run was removed. Other runs are not affected; choose one of them above.")
        return
    with shown_as_message():
        job = read_job(workspace, job_id)
    _curves(job, view, weight)
    if view.alerts and job.active:  # a finished run shows its findings below
        show_findings(list(view.alerts))
    if view.n_bad:
        st.caption(f"{view.n_bad} damaged lines of the event file are left out.")


def _curves(job: JobStatus, view: RunView, weight: float) -> None:
    dev_name = "dev_roc_auc" if "dev_roc_auc" in view.series else "dev_spearman_cosine"
    names = {**_CURVES, "dev": dev_name}
    curves: dict[str, Sequence[Curve]] = {
        quantity: [Curve(job.title, series.steps.astype(float), series.values)]
        for quantity, name in names.items()
        if (series := view.series.get(name)) is not None
    }
    if not curves:
        st.caption("The curves begin with the first logged step.")
        return
    figures = training_curves(
        curves,
        baseline=_baseline(view, dev_name),
        phases=_bands(view),
        smoothing=weight,
        revision=job.id,
    )
    if "dev" in figures:
        figures["dev"].update_yaxes(title_text=dev_name)
    columns = st.columns(2)
    for place, (quantity, figure) in enumerate(figures.items()):
        last = [float(value) for value in curves[quantity][0].values[-1:]]
        title = f"{dev_name} on {_dev_pairs(job)}" if quantity == "dev" else TITLES[quantity]
        with columns[place % 2]:
            st.caption(as_label(title) + (f" · last {last[0]:.4g}" if len(last) else ""))
            plotly_live(
                figure, key=key("training", f"curve_{quantity}.{job.id}"), alt=f"{title} of {job.title} over its steps"
            )


def _dev_pairs(job: JobStatus) -> str:
    """Word on which pairs the dev metric is measured while a run goes."""
    if job.params.get("method") == "head":
        return str(job.params["dev"])
    most = job.params["config"].get("max_dev_pairs", TrainingConfig().max_dev_pairs)
    return f"{job.params['dev']}, a sample of at most {most:,} pairs"


def _baseline(view: RunView, dev_name: str) -> float | None:
    """Return the dev metric at step 0, before anything was trained."""
    series = view.series.get(dev_name)
    known = series is not None and len(series.steps) > 0 and series.steps[0] == 0
    return float(series.values[0]) if known and series is not None else None


def _bands(view: RunView) -> list[Band]:
    if len(view.phases) < 2:
        return []  # one phase is the whole run
    last = max((int(series.steps[-1]) for series in view.series.values() if len(series.steps)), default=0)
    starts = [*(step for _, step in view.phases), last]
    return [Band(start, end, name) for (name, start), end in zip(view.phases, starts[1:], strict=True) if end > start]


def ledger_table(lines: Sequence[Mapping[str, Any]]) -> None:
    """Draw what was asked beside what ran; a difference is marked in words."""
    rows = [
        {
            "": line["name"].replace("_", " "),
            "asked": "" if line["asked"] is None else _words(line["asked"]),
            "ran": _words(line["ran"]),
            "equal": "" if line["asked"] is None else ("yes" if line["equal"] else "NO"),
        }
        for line in lines
    ]
    alt = f"{len(rows)} entries: what was asked, what ran, whether they are equal"
    st.dataframe(rows, hide_index=True, height="content", alt=alt)


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"

"""Where the project stands: what is there, who leads, what runs, and the next sensible step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simtune_core.datasets import DatasetVersion, list_datasets
from simtune_core.errors import SimtuneError
from simtune_core.jobs.launcher import list_jobs, read_result
from simtune_core.jobs.states import JobStatus
from simtune_core.store import evaluations
from simtune_core.training.artifacts import ModelManifest, list_models
from simtune_core.workflows.models import failed_checks, unchecked_models
from simtune_core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Lead:
    """The best tuned model of the newest evaluation beside its baseline.

    Attributes:
        set_ref: The pairs both were judged on.
        n_pairs: How many they are.
        level: Coverage of the interval.
        metric: The metric that decides.
        champion: The best tuned model whose checks passed; None if there is none.
        champion_value: Its metric.
        baseline: The baseline's name.
        baseline_value: Its metric.
        difference: Champion minus baseline, with the ends of its interval; None without a champion.
        verdict: WIN, LOSS, TIE or CANNOT TELL; None without a champion.
    """

    set_ref: str
    n_pairs: int
    level: float
    metric: str
    champion: str | None
    champion_value: float | None
    baseline: str
    baseline_value: float | None
    difference: tuple[float, float, float] | None
    verdict: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """The next sensible step: a page, what the link says, and why."""

    page: str
    label: str
    why: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the overview page shows.

    Attributes:
        datasets: Newest version of every dataset.
        models: Tuned models, oldest first.
        failed: Models that failed their adapter check, with the reason.
        unchecked: Models that were never checked.
        jobs: Every job, newest first.
        lead: Who leads; None before the first evaluation.
        step: What to do next.
        notice: Why the store could not be asked; None when all is well.
    """

    datasets: list[DatasetVersion]
    models: list[ModelManifest]
    failed: dict[str, str]
    unchecked: set[str]
    jobs: list[JobStatus]
    lead: Lead | None
    step: Step
    notice: str | None


def look_over(workspace: Workspace) -> Overview:
    """Gather what the overview page shows; reads files and the store, computes nothing long."""
    datasets, models, jobs = list_datasets(workspace), list_models(workspace), list_jobs(workspace)
    failed, unchecked = failed_checks(workspace), unchecked_models(workspace)
    trained_on = {model.model_id: model.train for model in models if model.model_id not in {*failed, *unchecked}}
    newest, notice = _newest_evaluation(workspace, jobs)
    lead = _lead(workspace, newest, trained_on) if newest else None
    step = _check_step(failed, unchecked) or _next_step(workspace, datasets, models, jobs, lead)
    return Overview(datasets, models, failed, unchecked, jobs, lead, step, notice)


def _newest_evaluation(workspace: Workspace, jobs: list[JobStatus]) -> tuple[str | None, str | None]:
    """Return the newest evaluation's id from the store, else from the files with the reason; None if there is none."""
    try:
        rows = evaluations(workspace, newest=1)
    except SimtuneError as error:
        done = (job.id for job in jobs if job.kind == "evaluate" and job.state == "done")
        return next(done, None), str(error)
    return (None if rows.empty else str(rows["job_id"].iloc[0])), None


def _lead(workspace: Workspace, job_id: str, trained_on: dict[str, str]) -> Lead | None:
    """Read an evaluation; its champion is the sound tuned model with the greatest metric.

    Args:
        workspace: Whose evaluation.
        job_id: Its id.
        trained_on: Models that passed their checks, with the pairs each was trained on: there it is no champion.
    """
    try:
        result: dict[str, Any] = read_result(workspace, job_id)
    except SimtuneError:
        return None
    metric = result["metric"]
    by_name = {model["encoder"]: model for model in result["models"]}
    baseline = by_name[result["baseline"]]
    sound = {name for name, train in trained_on.items() if train != result["set"]}
    judged = [name for name in by_name if name in sound and by_name[name]["test"][metric] is not None]
    best = max(judged, key=lambda name: float(by_name[name]["test"][metric]), default=None)
    champion = by_name[best] if best else None
    difference = champion["difference"] if champion else None
    return Lead(
        set_ref=result["set"],
        n_pairs=result["n"],
        level=result["config"]["level"],
        metric=metric,
        champion=champion["title"] if champion else None,
        champion_value=champion["test"][metric] if champion else None,
        baseline=baseline["title"],
        baseline_value=baseline["test"][metric],
        difference=(difference["estimate"], difference["low"], difference["high"]) if difference else None,
        verdict=champion["verdict"] if champion else None,
    )


def _check_step(failed: dict[str, str], unchecked: set[str]) -> Step | None:
    """Send to the adapters first while a model cannot be believed."""
    if failed:
        return Step("adapters", "Look at the failed adapter check", f"{next(iter(failed))} is not what was trained.")
    if unchecked:
        return Step("adapters", "Check the adapter", f"Nothing shows yet that {min(unchecked)} is what was trained.")
    return None


def _fix_step(workspace: Workspace, jobs: list[JobStatus]) -> Step | None:
    """Send to what mends the data while the newest preflight says that training cannot help; None if it does not."""
    newest = next((job for job in jobs if job.kind == "preflight" and job.state == "done"), None)
    if newest is None:
        return None
    try:
        verdict = read_result(workspace, newest.id)["verdict"]
    except SimtuneError:
        return None
    if verdict is None or verdict["verdict"] != "FIX DATA":
        return None
    return Step("difficulty", "See what would fix the data", verdict["headline"])


def _next_step(
    workspace: Workspace,
    datasets: list[DatasetVersion],
    models: list[ModelManifest],
    jobs: list[JobStatus],
    lead: Lead | None,
) -> Step:
    """Choose the first step of the path that is not done."""
    done = {job.kind for job in jobs if job.state == "done"}
    if not any(version.kind == "pairs" for version in datasets):
        return Step("data", "Load the sample or import pairs", "There are no labelled pairs yet.")
    if "difficulty" not in done:
        return Step("difficulty", "Measure how hard the pairs are", "Nobody knows yet whether they can teach anything.")
    if not models:
        return _fix_step(workspace, jobs) or Step(
            "training", "Train a head", "It takes seconds, and every longer run has to beat it."
        )
    if lead is None or lead.champion is None:
        return Step("evaluation", "Compare the models with the baseline", "No tuned model was judged yet.")
    if "curriculum" not in done:
        return Step("curriculum", "Cut a curriculum", "Pairs as hard as the test pairs teach the most.")
    return Step("evaluation", "Read the false positives", "The numbers are there; the pairs say why.")

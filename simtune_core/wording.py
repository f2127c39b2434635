"""Results of jobs as the tables and sentences of the command line; the JSON is the result itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from simtune_core.console import table
from simtune_core.curriculum.planning import Plan
from simtune_core.datasets import DatasetVersion
from simtune_core.jobs.states import JobStatus
from simtune_core.workflows.curricula import PlanRow
from simtune_core.workflows.hardness import (
    difference_in_words,
    grey_zone_of,
    in_words,
    interval_in_words,
    intervals_note,
    number_rows,
    phase_rows,
    space_of,
    spread_rows,
)
from simtune_core.workflows.preflight import number_lines, preflight_view
from simtune_core.workflows.recipes import RecipeRun

_METRICS = (
    ("ROC-AUC", "roc_auc"),
    ("Spearman", "spearman_cosine"),
    ("AP", "cosine_ap"),
    ("F1", "cosine_f1"),
    ("MCC", "cosine_mcc"),
    ("FPR", "fpr"),
)


def dataset_line(version: DatasetVersion) -> str:
    """Say what was imported."""
    splits = ", ".join(f"{split} {n:,}" for split, n in version.splits.items())
    return f"{version.ref}: {version.n_rows:,} {version.kind}" + (f" ({splits})" if splits else "")


def embed_line(result: dict[str, Any]) -> str:
    """Say what was embedded and how fast."""
    rate = result["texts_per_second"]
    speed = f", {rate:,.0f} texts a second" if rate else ""
    return (
        f"{result['n_texts']:,} unique texts of {result['set']}: {result['n_computed']:,} embedded now with "
        f"{result['encoder']} in {result['precision']}{speed}; {result['n_truncated']:,} longer than it reads."
    )


def difficulty_table(result: dict[str, Any], mismatch: dict[str, Any] | None = None) -> Table:
    """Lay the numbers of one or two pair sets side by side, with their difference and, where known, its interval."""
    refs = [side["ref"] for side in result["sides"]]
    rows = number_rows(result, mismatch=mismatch)
    compared = len(refs) == 2
    columns = ["", *refs, *(["difference"] if compared else []), *(["interval"] if mismatch else [])]
    cells = [
        [row.label, *(in_words(value, row.form) for value in row.values)]
        + ([difference_in_words(row)] if compared else [])
        + ([interval_in_words(row)] if mismatch else [])
        for row in rows
    ]
    low, high = grey_zone_of(result)
    return table(columns, cells, title=f"Difficulty, {space_of(result)}; grey zone {low:g} to {high:g}")


def spread_table(result: dict[str, Any]) -> Table:
    """Lay out how the similarities of each class of each set are spread, a class a column."""
    classes = {f"{each['pairs of']} of {each['set']}": each for each in spread_rows(result)}
    return _columns_of(classes, ("set", "pairs of"), f"Similarities, {space_of(result)}")


def difficulty_lines(result: dict[str, Any], mismatch: dict[str, Any] | None = None) -> list[str | Table]:
    """Lay a measurement out: its numbers, the spread of its similarities, its phases, and what intervals rest on."""
    phases = {f"{each['phase']} of {each['set']}": each for each in phase_rows(result)}
    return [
        difficulty_table(result, mismatch),
        *([intervals_note(mismatch)] if mismatch else []),
        spread_table(result),
        *([_columns_of(phases, ("set", "phase"), f"By phase, {space_of(result)}")] if phases else []),
    ]


def preflight_lines(result: dict[str, Any]) -> list[str | Table]:
    """Say the verdict, why, and the numbers it rests on; without a second set there are none."""
    view = preflight_view(result)
    if view.verdict is None:
        return ["One set alone has no verdict: name the pairs to test on with --against."]
    fix = [f"What to do: {view.verdict.fix.text}"] if view.verdict.fix else []
    reasons = [f"- {reason.message}" for reason in view.verdict.reasons]
    lines = table(("", "value"), number_lines(view), title=f"Behind the verdict, {view.space} cosine")
    return [lines, f"{view.verdict.verdict}: {view.verdict.headline}", *reasons, *fix]


def curriculum_lines(result: dict[str, Any]) -> list[str | Table]:
    """Lay the phases of a curriculum out, found beside wanted and the test set, and say what its labels mean.

    `sep.` is the separability in the space of the candidates.
    """
    names = ("n_wanted", "n_pairs", "n_positive", "separability", "separability_wanted", "overlap", "roc_auc")
    rows = [[phase["name"], *(phase.get(name) for name in names)] for phase in result["phases"]]
    test = result.get("test")
    if test:
        rows.append(["test pairs", *(test.get(name) for name in names)])
    columns = ("phase", "wanted", "found", "positive", "sep.", "wanted sep.", "overlap", "ROC-AUC")
    title = f"{result['dataset']}: {result['n_pairs']:,} pairs in {result['title']}"
    resembled = [f"Test pairs: {test['ref']}."] if test else []
    return [table(columns, rows, title=title), *resembled, result["rule"]["words"]]


def plan_table(rows: Sequence[PlanRow], made: Plan) -> Table:
    """Lay out what each phase of a plan will hold, beside the test set."""
    columns = ("", "test", *(phase.phase.name for phase in made.phases))
    cells = [[row.label, row.test, *row.phases] for row in rows]
    return table(columns, cells, title=f"Plan: {made.n_pairs:,} pairs, none drawn")


def recipe_table(run: RecipeRun) -> Table:
    """Lay out what each step of a recipe made."""
    rows = [[made.do, made.dataset, made.n_pairs, "yes" if made.as_told else "NO"] for made in run.made]
    return table(("step", "made", "pairs", "as the recipe tells"), rows, title=run.dataset)


def train_lines(result: dict[str, Any]) -> list[str | Table]:
    """Show what was asked beside what ran, and which model came of it."""
    rows = [
        [line["name"], _short(line["asked"]), _short(line["ran"]), "yes" if line["equal"] else "NO"]
        for line in result["ledger"]
    ]
    made = f"Model {result['model_id']}" if result.get("model_id") else "No model was saved."
    return [table(("what ran", "asked", "ran", "equal"), rows), made]


def checks_table(result: dict[str, Any]) -> Table:
    """Lay the checks of a model out."""
    rows = [[check["code"], check["title"], check["outcome"], check["message"] or ""] for check in result["checks"]]
    return table(("check", "what holds", "outcome", "why"), rows, title=f"{result['model_id']}: {result['status']}")


def evaluation_lines(result: dict[str, Any]) -> list[str | Table]:
    """Lay the metrics, intervals and verdicts of an evaluation out."""
    columns = ("model", *(label for label, _ in _METRICS), "threshold")
    numbers = [
        [model["title"], *(model["test"][name] for _, name in _METRICS), model["threshold"]]
        for model in result["models"]
    ]
    verdicts = [_verdict_row(model, result["metric"]) for model in result["models"]]
    source = result["threshold_from"] or "the judged pairs themselves"
    level, n_resamples = result["config"]["level"], result["config"]["n_resamples"]
    note = (
        f"{result['n']:,} pairs of {result['set']}; threshold chosen on {source}; {100 * level:.0f} % intervals from "
        f"{n_resamples:,} resamples of {result['n_records']:,} records."
    )
    judged = ("model", result["metric"], "interval", "minus baseline", "interval", "verdict")
    return [table(columns, numbers), table(judged, verdicts), note]


def jobs_table(jobs: Sequence[JobStatus]) -> Table:
    """Lay jobs out, newest first."""
    rows = [[job.id, job.kind, job.title, str(job.attempt), _state(job), _progress(job), job.cause] for job in jobs]
    return table(("id", "kind", "title", "attempt", "state", "progress", "cause"), rows)


def job_json(job: JobStatus) -> dict[str, Any]:
    """Return a job's status as JSON."""
    names = (
        "id", "kind", "title", "state", "created", "started", "ended", "done", "total", "eta_seconds", "last_step",
        "attempt", "retry_of", "continues", "device", "checkpoint", "ahead",
    )  # fmt: skip
    return {name: getattr(job, name) for name in names} | {"cause": job.cause, "params": job.params}


def counts_table(counts: dict[str, int]) -> Table:
    """Lay out what the store holds."""
    return table(("what", "how many"), [[name.removeprefix("n_"), n] for name, n in counts.items()])


def _columns_of(named: dict[str, dict[str, str]], naming: Sequence[str], title: str) -> Table:
    """Lay each of some rows out as a column of its own, less the cells that name it."""
    lines = [name for name in next(iter(named.values())) if name not in naming]
    return table(["", *named], [[line, *(each[line] for each in named.values())] for line in lines], title=title)


def _verdict_row(model: dict[str, Any], metric: str) -> list[Any]:
    difference = model["difference"]
    verdict = "baseline" if model["baseline"] else (model["verdict"] or "not defined")
    estimate = f"{difference['estimate']:+.4f}" if difference else ""
    return [model["title"], model["test"][metric], _ends(model["interval"]), estimate, _ends(difference, "+"), verdict]


def _ends(interval: dict[str, Any] | None, sign: str = "") -> str:
    return f"{interval['low']:{sign}.4f} to {interval['high']:{sign}.4f}" if interval else ""


def _state(job: JobStatus) -> str:
    return job.state if job.ahead is None else f"{job.state} ({job.ahead} ahead)"


def _progress(job: JobStatus) -> str:
    if job.active and job.started:
        share = f"{100 * (job.done or 0) / job.total:.0f} %" if job.total else "starting"
        return f"{share} after {time.time() - job.started:.0f} s"
    return f"{job.ended - job.started:.0f} s" if job.ended and job.started else ""


def _short(value: Any) -> str:
    return "" if value is None else str(value)[:60]

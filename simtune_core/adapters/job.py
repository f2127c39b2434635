"""The job kind `diagnose`: inspect a saved model, judge it, and keep the report beside the model."""

from __future__ import annotations

import json
from typing import Any

from simtune_core.adapters.checks import CheckReport, check_model, findings_of, save_checks
from simtune_core.adapters.inspection import inspect_model
from simtune_core.jobs.context import Job


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Check one model.

    Args:
        params: `model`, the id.
        job: Where progress is reported.

    Returns:
        `model_id, status, checks, layers, inspection, findings`.
    """
    report = diagnose(str(params["model"]), job)
    return {**result_of(report), "findings": findings_of(report)}


def diagnose(model_id: str, job: Job) -> CheckReport:
    """Inspect and judge a model in a running job; the report is saved beside the model."""
    inspection = inspect_model(job.workspace, model_id, progress=job.progress)
    report = check_model(model_id, inspection)
    save_checks(job.workspace, report, job_id=job.id)
    return report


def result_of(report: CheckReport) -> dict[str, Any]:
    """Return a report as the result of a job holds it."""
    values = json.loads(json.dumps(report.as_dict()))  # tuples become lists, as the result's reader gets them
    return {
        "model_id": report.model_id,
        "status": report.status,
        "checks": values["results"],
        "layers": values["inspection"]["layers"] or [],
        "inspection": {key: value for key, value in values["inspection"].items() if key != "layers"},
    }

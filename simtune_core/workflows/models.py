"""The tuned models of a workspace: which there are, and which of them cannot be trusted."""

from __future__ import annotations

from simtune_core.adapters.checks import CheckReport, latest_checks
from simtune_core.encoders.catalogue import BUNDLED
from simtune_core.training.artifacts import ModelManifest, list_models
from simtune_core.workspace import Workspace

__all__ = [
    "CheckReport",
    "ModelManifest",
    "failed_checks",
    "latest_checks",
    "list_models",
    "unchecked_models",
    "usual_encoders",
]
_MOST = 3


def failed_checks(workspace: Workspace) -> dict[str, str]:
    """Return the models whose newest adapter check failed, with the reason as a sentence."""
    reports = {model.model_id: latest_checks(workspace, model.model_id) for model in list_models(workspace)}
    return {name: _sentence(report) for name, report in reports.items() if report is not None and not report.ok}


def unchecked_models(workspace: Workspace) -> set[str]:
    """Return the models that no adapter check has looked at yet."""
    names = (model.model_id for model in list_models(workspace))
    return {name for name in names if latest_checks(workspace, name) is None}


def usual_encoders(workspace: Workspace) -> list[str]:
    """Return what an evaluation compares by default: the bundled encoder and the newest tuned models."""
    return [BUNDLED, *(model.model_id for model in list_models(workspace)[-_MOST:])]


def _sentence(report: CheckReport) -> str:
    """Word why a model cannot be trusted: its status and the first failed check."""
    reasons = [f"{item.code} {item.message}" for item in report.failed if item.message]
    return f"{report.status}. {reasons[0]}" if reasons else f"{report.status}."

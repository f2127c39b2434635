"""The tuned models of a workspace: which there are, and which of them cannot be trusted."""

from __future__ import annotations

from simtune_core.adapters.checks import CheckReport, latest_checks
from simtune_core.errors import ConfigError
from simtune_core.preferences import DEFAULT_ENCODER, preferences_of
from simtune_core.training.artifacts import ModelManifest, list_models
from simtune_core.workspace import Workspace

__all__ = [
    "CheckReport",
    "ModelManifest",
    "default_encoder",
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


def default_encoder(workspace: Workspace) -> str:
    """Return the encoder where none is chosen: the workspace's setting, or its default while the settings are wrong."""
    try:
        return preferences_of(workspace).default_encoder
    except ConfigError:  # the page Settings says what is wrong; nothing else need stop for it
        return DEFAULT_ENCODER


def usual_encoders(workspace: Workspace) -> list[str]:
    """Return what an evaluation compares by default: the workspace's default encoder and the newest tuned models."""
    newest = [model.model_id for model in list_models(workspace)[-_MOST:]]
    return list(dict.fromkeys([default_encoder(workspace), *newest]))


def _sentence(report: CheckReport) -> str:
    """Word why a model cannot be trusted: its status and the first failed check."""
    reasons = [f"{item.code} {item.message}" for item in report.failed if item.message]
    return f"{report.status}. {reasons[0]}" if reasons else f"{report.status}."

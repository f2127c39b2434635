"""The settings of a workspace, each with where its value comes from: the default, a file of it or the environment.

One value in one place: who needs the cache's limit or the grace time of a stop asks here. Knows no page and no job.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal

import yaml
from pydantic import Field, field_validator

from simtune_core.errors import ConfigError
from simtune_core.files import write_bytes
from simtune_core.settings import Settings
from simtune_core.workspace import VARIABLE, Workspace

Source = Literal["default", "file", "environment"]
FILE = "settings.yaml"
DEFAULT_ENCODER = "minilm"
PREFIX = f"{VARIABLE.partition('_')[0]}_"
_HIDDEN = ("notify_command",)  # runs a program: set by who may write the file or the environment, never from a page


class Preferences(Settings):
    """What a workspace is run with; every job, command and page reads the same values."""

    device_slots: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="Jobs that may use the device at once; without a value one per GPU, one on a CPU machine.",
    )
    grace_seconds: float = Field(
        default=20.0,
        ge=0.0,
        le=3600.0,
        description="How long a stopped job may take to save its work before it is killed.",
    )
    cache_limit_gb: float = Field(
        default=20.0,
        ge=0.01,
        le=100_000.0,
        description="Size of data/cache above which what was used longest ago is removed.",
    )
    default_encoder: str = Field(
        default=DEFAULT_ENCODER,
        min_length=1,
        max_length=200,
        description="The encoder where none is chosen: baseline and base.",
    )
    gate_spearman: float = Field(
        default=0.80, ge=-1.0, le=1.0, description="Spearman a model must reach for production."
    )
    gate_roc_auc: float = Field(default=0.95, ge=0.0, le=1.0, description="ROC-AUC a model must reach for production.")
    gate_fpr: float = Field(
        default=0.20, ge=0.0, le=1.0, description="False-positive rate a model must stay below for production."
    )
    notify_webhook: str = Field(
        default="", max_length=2000, description="Address (http or https) that is sent a JSON message when a job ends."
    )
    notify_command: str = Field(
        default="",
        max_length=2000,
        description="Program run when a job ends, the message on its standard input; set in file or environment only.",
    )

    @field_validator("notify_webhook")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value


@dataclass(frozen=True, slots=True)
class Preference:
    """One setting as it is.

    Attributes:
        name: Name of a field of `Preferences`.
        value: What holds now.
        source: Where that comes from; the environment wins over the file, the file over the default.
        default: What would hold without file and environment.
        variable: Name of its environment variable.
        description: What it means.
        editable: Whether a page may change it.
    """

    name: str
    value: Any
    source: Source
    default: Any
    variable: str
    description: str
    editable: bool


def preferences_of(workspace: Workspace) -> Preferences:
    """Return the settings of a workspace.

    Raises:
        ConfigError: If the file or an environment variable holds a value out of its bounds.
    """
    return Preferences(**{**_from_file(workspace), **_from_environment()})


def list_preferences(workspace: Workspace) -> list[Preference]:
    """Return every setting with its source, in the order of `Preferences`.

    Raises:
        ConfigError: If the file or an environment variable holds a value out of its bounds.
    """
    held, in_file, outside = preferences_of(workspace), _from_file(workspace), _from_environment()
    return [
        Preference(
            name=name,
            value=getattr(held, name),
            source="environment" if name in outside else "file" if name in in_file else "default",
            default=item.default,
            variable=f"{PREFIX}{name.upper()}",
            description=item.description or "",
            editable=name not in _HIDDEN and name not in outside,
        )
        for name, item in Preferences.model_fields.items()
    ]


def change_preferences(workspace: Workspace, changes: dict[str, Any]) -> Preferences:
    """Write settings to the workspace's file and return what holds now; None takes a setting out of the file.

    Raises:
        ConfigError: If a name is unknown or a value out of its bounds; then the file is as it was.
        WorkspaceError: If the disk is full or the file cannot be written.
    """
    for name in changes:
        if name not in Preferences.model_fields:
            raise ConfigError(
                f"{name[:120]} is not a setting here; it must be one of {', '.join(Preferences.model_fields)}."
            )
    values = {name: value for name, value in {**_from_file(workspace), **changes}.items() if value is not None}
    Preferences(**values)
    text = yaml.safe_dump(values, sort_keys=True, allow_unicode=True) if values else ""
    write_bytes(workspace.data / FILE, text.encode())
    return preferences_of(workspace)


def _from_file(workspace: Workspace) -> dict[str, Any]:
    path = workspace.data / FILE
    if not path.exists():
        return {}
    return Preferences.from_file(path).model_dump(exclude_unset=True)


def _from_environment() -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in Preferences.model_fields:
        text = os.environ.get(f"{PREFIX}{name.upper()}")
        if text is not None:
            values[name] = text
    try:
        return Preferences(**values).model_dump(exclude_unset=True)
    except ConfigError as error:
        raise ConfigError(f"An environment variable {PREFIX}... holds a wrong value: {error}") from error

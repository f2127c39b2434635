"""The base of every setting: its default, its bounds and its help text are stated once, as a field of a frozen model.

Slider, validation, CLI option and run file read them here. Owns no setting itself: each package declares its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from simtune_core.errors import ConfigError

AnySettings = TypeVar("AnySettings", bound="Settings")


class Settings(BaseModel):
    """Base of all settings: frozen, hashable, no unknown field; a bad value raises `ConfigError`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(sentence_from(error)) from error

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read settings from YAML or JSON text (JSON is YAML).

        Raises:
            ConfigError: If the text is not a mapping, or a value is out of its bounds.
        """
        values = _from_yaml(text, "The settings")
        if values is None:
            return cls()
        if not isinstance(values, dict):
            raise ConfigError(f"The settings must be a mapping of names to values, got {type(values).__name__}.")
        unknown = [str(key)[:120] for key in values if key not in cls.model_fields]
        if unknown:
            raise ConfigError(f"{unknown[0]} is not a setting here; remove it or correct its name.")
        return cls(**values)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read settings from a YAML or JSON file."""
        try:
            return cls.from_text(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"The settings file {path.name} cannot be read: {error}.") from error


def sentence_from(error: ValidationError) -> str:
    """Word the first fault of a validation error as one sentence that names the field and the value it got."""
    fault = error.errors()[0]
    if not fault["loc"]:
        return f"{fault['ctx']['error']}."
    name = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        return f"{name} is not a setting here; remove it or correct its name."
    rule = f"{fault['msg'][0].lower()}{fault['msg'][1:]}".replace("tuple", "list").replace(" after validation", "")
    return f"{name}: {rule}, got {fault['input']!r}."  # what a file or a page holds is a list


def bounds(config: type[Settings], name: str) -> tuple[float, float]:
    """Return the least and the greatest value of one bounded setting."""
    limits = {
        key: getattr(item, key)
        for item in config.model_fields[name].metadata
        for key in ("ge", "gt", "le", "lt")
        if hasattr(item, key)
    }
    low, high = (next(limits[key] for key in keys if key in limits) for keys in (("ge", "gt"), ("le", "lt")))
    return low, high


def with_overrides(config: AnySettings, overrides: Sequence[str]) -> AnySettings:
    """Return settings with `name=value` texts applied, as the command line gives them.

    Args:
        config: The settings to start from; what was set there stays set.
        overrides: Texts such as `learning_rate=1e-4`; an empty value means none.

    Raises:
        ConfigError: If a text is not `name=value`, a name is unknown, or a value is out of its bounds.
    """
    values: dict[str, Any] = {}
    for text in overrides:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or name not in type(config).model_fields:
            known = ", ".join(type(config).model_fields)
            raise ConfigError(f"An override must be name=value with a name among {known}; got {text[:120]!r}.")
        values[name] = _from_yaml(value, f"The value of {name}")
    return type(config)(**{**config.model_dump(exclude_unset=True), **values})


def _from_yaml(text: str, what: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date that does not exist is a ValueError
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"{what} must be YAML or JSON, got {text[:60]!r}, which is neither: {reason}.") from error

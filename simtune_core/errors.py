"""Every exception that simtune raises on purpose.

A page, the CLI and the job worker catch `SimtuneError` and show its text; anything else is a bug and keeps its
traceback. A message says what must hold, what it got and what to do.
"""

from __future__ import annotations

from typing import ClassVar


class SimtuneError(Exception):
    """Base of all simtune errors; the message tells a researcher what to change."""

    code: ClassVar[str] = "error"


class ConfigError(SimtuneError):
    """A setting is out of its bounds or contradicts another one."""

    code = "config"


class WorkspaceError(SimtuneError):
    """A name is not allowed or taken, or a file is missing, damaged, outside the workspace or cannot be written."""

    code = "workspace"


class DataFaultError(SimtuneError):
    """A table cannot be read, lacks a column or has rows that break the contract of records or pair sets."""

    code = "data"


class UndefinedMetricError(SimtuneError):
    """A metric has no value on this data: one class only, constant scores, too few pairs."""

    code = "undefined_metric"


class EncoderError(SimtuneError):
    """An encoder is unknown, its folder is not a model, its weights are incomplete or not the ones recorded."""

    code = "encoder"


class AdapterError(SimtuneError):
    """An adapter is missing, attached at the wrong level, disabled, or changes nothing."""

    code = "adapter"


class JobError(SimtuneError):
    """A job is unknown, cannot be started, or has not got a result."""

    code = "job"


class TrainingError(SimtuneError):
    """A training cannot start as asked, or stopped because its loss is no longer a number."""

    code = "training"


class StoreError(SimtuneError):
    """The results store is taken by another process, newer than this program, or damaged beyond opening."""

    code = "store"

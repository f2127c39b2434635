"""The settings of jobs."""

from __future__ import annotations

from pydantic import Field

from simtune_core.jobs.states import GRACE_SECONDS
from simtune_core.settings import Settings


class JobSettings(Settings):
    """How jobs are stopped."""

    grace_seconds: float = Field(
        default=GRACE_SECONDS,
        ge=0.0,
        le=3600.0,
        description="How long a stopped job may take to save its work before it is killed.",
    )

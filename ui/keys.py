"""Names of everything kept in the session and in the address bar: `<page>.<name>`, checked in one place.

A widget bound to the address (`bind="query-params"`) shows this name to the user, so names are short words.
"""

from __future__ import annotations

import re
from typing import Literal

from simtune_core.settings import Settings

Owner = Literal[
    "overview", "data", "difficulty", "curriculum", "training", "adapters", "evaluation", "jobs", "settings", "keeping",
    "frame",
]  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[A-Za-z0-9_-]+)*")

JOBS_SEEN = "jobs.seen"  # job id -> state at the last look of this session; a change makes a toast
JOBS_FAILED = "jobs.failed"  # ids of jobs that failed while this session looked, until they are dismissed
JOBS_ENDED = "jobs.ended"  # ids of jobs whose end this session has already acted on
JOB = "jobs.job"  # id of the job that the page Jobs shows; also its name in the address
DATASET_NEXT = "data.next"  # name of the dataset that the data page is about from its next run on: one just saved
CURRICULUM_NEXT = "curriculum.next"  # pair set that the tab Refine is about from its next run on: one just made
CURRICULUM_SETTINGS = "curriculum.settings"  # settings, YAML or JSON, that the sliders of the curriculum take next
JOB_NEXT = "jobs.next"  # id of the job that it shows from its next run on: an attempt just started


def key(owner: Owner, name: str) -> str:
    """Return the session-state key of one widget or value of a page.

    Args:
        owner: The page, as its file is called, or the shared part that owns the value.
        name: Lower-case words joined by underscores; an id may follow after a dot (`stop.20260822-...`).

    Raises:
        ValueError: If the name has another form.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"A key must be lower-case words joined by underscores, got {name!r}.")
    return f"{owner}.{name}"


def config_key(config: type[Settings], name: str, scope: str = "config") -> str:
    """Return the key of the widget that draws one setting.

    Args:
        config: The settings class.
        name: The field.
        scope: Tells two widgets of the same setting apart, such as the two sides of a comparison.
    """
    return f"{scope}.{config.__name__}.{name}"


def range_key(config: type[Settings], low: str, high: str, scope: str = "config") -> str:
    """Return the key of the two-ended slider that draws two settings, a least and a greatest value."""
    return config_key(config, f"{low}-{high}", scope)

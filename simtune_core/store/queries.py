"""The questions the workbench asks, each named by what it answers. Reads only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pandas as pd

from simtune_core.store.access import ask
from simtune_core.store.database import Database, StoreSettings
from simtune_core.store.schema import Depth
from simtune_core.workspace import Workspace

Answer = TypeVar("Answer")
_PATIENCE = StoreSettings(lock_seconds=5.0)  # a page shows the files rather than wait longer for another process
_TIMEOUT_SECONDS = 2.0  # nobody can leave a page whose question takes longer: it ends by itself


@dataclass(frozen=True, slots=True)
class Counts:
    """How much the store holds.

    Attributes:
        n_jobs: Jobs of any kind and state.
        n_events: Events of all jobs.
        n_metrics: Those of them that are values of curves.
        n_bad: Complete lines that are not events.
        n_datasets: Versions of datasets.
        n_models: Tuned models.
        n_runs: Trainings that are done.
        n_evaluations: Evaluations that are done.
    """

    n_jobs: int
    n_events: int
    n_metrics: int
    n_bad: int
    n_datasets: int
    n_models: int
    n_runs: int
    n_evaluations: int


def counts(workspace: Workspace) -> Counts:
    """Count what the store holds."""
    sql = """SELECT
        (SELECT count(*) FROM jobs), (SELECT count(*) FROM events), (SELECT count(*) FROM events WHERE kind = 'metric'),
        (SELECT coalesce(sum(n_bad), 0) FROM jobs), (SELECT count(*) FROM datasets), (SELECT count(*) FROM models),
        (SELECT count(*) FROM jobs WHERE kind = 'train' AND state = 'done'),
        (SELECT count(*) FROM jobs WHERE kind = 'evaluate' AND state = 'done')"""
    return Counts(*map(int, _answer(workspace, lambda database: database.rows(sql))[0]))


def runs(workspace: Workspace) -> pd.DataFrame:
    """Return every training, newest first.

    Returns:
        Columns `job_id, title, state, created, started, ended, seconds, last_step, method, base, train, dev, model_id,
        cause`; times are unix seconds, `model_id` is null without a model.
    """
    sql = """SELECT job_id, title, state, created, started, ended, ended - started AS seconds, last_step,
            json_extract_string(params, '$.method') AS method, json_extract_string(params, '$.base') AS base,
            json_extract_string(params, '$.train') AS train, json_extract_string(params, '$.dev') AS dev,
            json_extract_string(result, '$.model_id') AS model_id, cause
        FROM jobs WHERE kind = 'train' ORDER BY job_id DESC"""
    return _answer(workspace, lambda database: database.frame(sql), needs="index")


def evaluations(workspace: Workspace, newest: int | None = None) -> pd.DataFrame:
    """Return the metrics of evaluations, newest evaluation first, encoders in the order they were evaluated in.

    Args:
        workspace: Whose store.
        newest: Only that many evaluations; all without it.

    Returns:
        One row per evaluation, encoder and metric; columns `job_id, title, ended, set_ref, encoder, baseline, metric,
        value`. Nested results have dotted names (`interval.low`); values are finite.
    """
    sql = """WITH chosen AS (
            SELECT job_id, title, ended FROM jobs
            WHERE kind = 'evaluate' AND state = 'done' ORDER BY job_id DESC LIMIT ?)
        SELECT chosen.job_id, title, ended, set_ref, encoder, baseline, metric, value
        FROM chosen JOIN evaluation_metrics USING (job_id)
        WHERE isfinite(value) ORDER BY chosen.job_id DESC, position"""
    chosen = [newest if newest is not None else 2**31]
    return _answer(workspace, lambda database: database.frame(sql, chosen), needs="index")


def metric_names(workspace: Workspace, job_id: str) -> list[str]:
    """Return the names of a job's curves in alphabetical order."""
    sql = "SELECT DISTINCT name FROM events WHERE job_id = ? AND kind = 'metric' ORDER BY name"
    return [name for (name,) in _answer(workspace, lambda database: database.rows(sql, [job_id]))]


def metric_series(workspace: Workspace, job_id: str, name: str) -> pd.DataFrame:
    """Return one curve of a job in the order it was written, by number and never by clock.

    Returns:
        Columns `seq, time, step, epoch, phase, value`; values that were not finite numbers are left out.
    """
    sql = """SELECT seq, time, step, epoch, phase, value FROM events
        WHERE job_id = ? AND kind = 'metric' AND name = ? AND isfinite(value) ORDER BY seq"""
    return _answer(workspace, lambda database: database.frame(sql, [job_id, name]))


def _answer(workspace: Workspace, question: Callable[[Database], Answer], *, needs: Depth = "everything") -> Answer:
    """Put a page's question: it waits little and takes little time, or raises `StoreError`."""
    return ask(workspace, question, _PATIENCE, needs=needs, timeout_seconds=_TIMEOUT_SECONDS)

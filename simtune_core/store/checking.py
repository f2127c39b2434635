"""The store compared with the files it was made from; rows that are not what the files say are read again.

Whether the files themselves are whole is for `verifying.py`: they are the truth, so that can only be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simtune_core.jobs.context import EVENTS
from simtune_core.jobs.events import read_events
from simtune_core.jobs.launcher import list_jobs
from simtune_core.jobs.states import JobStatus
from simtune_core.store.access import ask, fill_slice
from simtune_core.store.database import Database, StoreSettings
from simtune_core.store.job_rows import HELD, evaluation_rows, forget_jobs, job_facts
from simtune_core.store.manifests import dataset_rows, forget, model_rows
from simtune_core.store.seen import batches_between, forget_seen
from simtune_core.store.upkeep import catch_up, ingest
from simtune_core.store.verifying import Fault, wrong_files
from simtune_core.workspace import Workspace

_EVALUATIONS = """SELECT job_id, position, set_ref, encoder, baseline, metric, value FROM evaluation_metrics
    ORDER BY job_id, position"""


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """The store compared with the files it was made from.

    Attributes:
        n_jobs: Jobs compared.
        n_lines: Events in the part of their files that the store has read.
        n_rows: Events in the store.
        n_bad: Complete lines that are not events.
        n_datasets: Dataset versions whose manifest and table were verified.
        n_models: Models whose manifest and files were verified.
        repaired: What was wrong in the store and is right now.
        faults: What is wrong still.
        notices: Sentences left by repairs since the last ingest.
    """

    n_jobs: int
    n_lines: int
    n_rows: int
    n_bad: int
    n_datasets: int
    n_models: int
    repaired: tuple[Fault, ...]
    faults: tuple[Fault, ...]
    notices: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Tell whether nothing was wrong."""
        return not self.repaired and not self.faults


@dataclass(frozen=True, slots=True)
class _Held:
    """What the store held at one moment: jobs, events and their numbers, evaluations, manifests."""

    facts: dict[str, tuple[Any, ...]]
    read: dict[str, tuple[int, int, bool]]
    events: dict[str, tuple[int, int]]
    evaluations: dict[str, list[tuple[Any, ...]]]
    datasets: dict[str, tuple[Any, ...]]
    models: dict[str, tuple[Any, ...]]


def check(workspace: Workspace, settings: StoreSettings | None = None, *, repair: bool = True) -> StoreCheck:
    """Ingest what is new, then compare every job, dataset and model with its files, and repair what is not equal.

    The store is open for moments only; the files are read while it is free for others.

    Args:
        workspace: Whose store.
        settings: Memory, threads and patience.
        repair: Whether rows that are not what the files say are read again.

    Raises:
        StoreError: If another process holds the store, it is newer than this program, or the disk is full.
        WorkspaceError: If the disk is full or the folder cannot be written.
    """
    chosen = settings or StoreSettings()
    notices = ingest(workspace, chosen).notices
    held = ask(workspace, _held, chosen)
    lines = _lines(workspace, held)
    wrong = tuple(_wrong_rows(workspace, held, lines))
    left = wrong
    if wrong and repair:
        _repair(workspace, chosen, wrong)
        held = ask(workspace, _held, chosen)
        lines = _lines(workspace, held)
        left = tuple(_wrong_rows(workspace, held, lines))
    still = {(fault.code, fault.what) for fault in left}
    return StoreCheck(
        n_jobs=len(held.read),
        n_lines=sum(n for n, _, _ in lines.values()),
        n_rows=sum(n for n, _ in held.events.values()),
        n_bad=sum(n_bad for _, n_bad, _ in held.read.values()),
        n_datasets=len(held.datasets),
        n_models=len(held.models),
        repaired=tuple(fault for fault in wrong if (fault.code, fault.what) not in still),
        faults=(*left, *wrong_files(workspace)),
        notices=notices,
    )


def _held(database: Database) -> _Held:
    evaluations: dict[str, list[tuple[Any, ...]]] = {}
    for row in database.rows(_EVALUATIONS):
        evaluations.setdefault(row[0], []).append(row)
    events = database.rows("SELECT job_id, count(*), sum(seq) FROM events GROUP BY job_id")
    return _Held(
        facts={row[0]: row for row in database.rows(HELD, [True])},
        read={row[0]: row[1:] for row in database.rows("SELECT job_id, byte_offset, n_bad, settled FROM jobs")},
        events={job_id: (n, int(total)) for job_id, n, total in events},
        evaluations=evaluations,
        datasets={row[0]: row for row in database.rows("SELECT * FROM datasets")},
        models={row[0]: row for row in database.rows("SELECT * FROM models")},
    )


def _lines(workspace: Workspace, held: _Held) -> dict[str, tuple[int, int, int]]:
    """Return events, sum of their numbers and lines that are none, in what the store has read of each job's file."""
    return {job_id: _counted(workspace.jobs / job_id / EVENTS, end) for job_id, (end, _, _) in held.read.items()}


def _counted(path: Path, end: int) -> tuple[int, int, int]:
    """Count the events up to a byte, each number once; -1 bad lines if no line of the file ends there."""
    seqs, n_bad, reached = set[int](), 0, 0
    for batch in batches_between(path, 0, end):
        seqs.update(event.seq for event in batch.events)
        n_bad, reached = n_bad + batch.n_bad, batch.offset
    return len(seqs), sum(seqs), n_bad if reached == end else -1


def _wrong_rows(workspace: Workspace, held: _Held, lines: dict[str, tuple[int, int, int]]) -> Iterator[Fault]:
    jobs = {status.id: status for status in list_jobs(workspace)}
    for job_id in sorted(set(held.events) | set(held.evaluations) | set(held.read)):
        what = _wrong_job(jobs.get(job_id), job_id, held, lines)
        if what:
            yield Fault("job_rows", job_id, f"Job {job_id}: {what}.")
    for code, table, right in (
        ("dataset_row", held.datasets, dataset_rows(workspace)),
        ("model_row", held.models, model_rows(workspace)),
    ):
        for key in sorted(table):
            if key in right and table[key] != right[key]:
                yield Fault(code, key, f"{key}: its row in the store is not what its manifest says.")


def _wrong_job(status: JobStatus | None, job_id: str, held: _Held, lines: dict[str, tuple[int, int, int]]) -> str:
    """Say what is wrong with the rows of a job; empty if nothing is, or if its folder has just been removed."""
    if job_id not in held.read:
        return "it has rows of events or metrics in the store and is not among the jobs"
    if status is None:
        return ""
    wrong = _wrong_events(job_id, held, lines[job_id])
    end, _, settled = held.read[job_id]
    if wrong or not settled:  # the row of a job that is not settled is written again by every ingest
        return wrong
    if read_events(status.folder / EVENTS, end).offset > end:
        return "its file has events that the store has not read"
    if held.facts[job_id] != job_facts(status):
        return "its row in the store is not what its folder says"
    return "" if held.evaluations.get(job_id, []) == evaluation_rows(status) else "its metrics are not those it found"


def _wrong_events(job_id: str, held: _Held, lines: tuple[int, int, int]) -> str:
    (end, n_bad, _), (n_rows, total) = held.read[job_id], held.events.get(job_id, (0, 0))
    n_lines, total_lines, n_bad_lines = lines
    if n_bad_lines < 0:
        return f"the store has read its events up to byte {end:,}, where no line of its file ends"
    if n_rows != n_lines:
        return f"{n_rows:,} rows of events in the store, {n_lines:,} events in its file"
    if total != total_lines:
        return "the rows of its events are not those of its file"
    if n_bad != n_bad_lines:
        return f"the store counts {n_bad:,} lines that are no events, its file has {n_bad_lines:,}"
    return ""


def _repair(workspace: Workspace, settings: StoreSettings, wrong: tuple[Fault, ...]) -> None:
    """Delete the rows that are wrong and read them again."""

    def again(database: Database) -> None:
        forget_seen(workspace)
        forget_jobs(database, [fault.what for fault in wrong if fault.code == "job_rows"])
        forget(database, "datasets", [fault.what for fault in wrong if fault.code == "dataset_row"])
        forget(database, "models", [fault.what for fault in wrong if fault.code == "model_row"])
        fill_slice(database, workspace, settings)

    ask(workspace, again, settings)
    catch_up(workspace, settings)

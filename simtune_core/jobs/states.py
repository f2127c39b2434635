"""The state of a job, computed from its folder and the kernel whenever somebody asks; never stored.

exit.json says how a job ended. Without it: a runner that holds the lock is running, proc.json without a holder is lost,
spec.json alone is queued. Starts and stops nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

import msgspec

from simtune_core.errors import WorkspaceError
from simtune_core.files import read_json
from simtune_core.jobs.checkpoints import newest_checkpoint
from simtune_core.jobs.context import EVENTS
from simtune_core.jobs.events import Latest, read_latest
from simtune_core.jobs.kernel import boot_mark, lock_held

SPEC, PROC, LOCK, LOG = "spec.json", "proc.json", "alive.lock", "log.txt"
RESULT, ERROR, STOP, EXIT = "result.json", "error.json", "stop.json", "exit.json"
STOPPED_CODE = 143  # exit code of a worker whose kind returned because it was asked to stop
DISK_FULL_CODE = 28  # exit code of a worker that failed on a full disk, where error.json may not have found room either
UNSAVED = "Its curves and log are kept; what it had not saved, such as weights in training, is lost. Start it again."
_TAIL_BYTES, _LINE = 16_384, 500
_Stamp = tuple[int, int, int]
State = Literal["queued", "running", "stopping", "done", "failed", "stopped", "lost"]


class _Spec(TypedDict):
    """What spec.json must hold to be one; further keys are free."""

    id: str
    kind: str
    title: str
    params: dict[str, Any]
    created: float
    spec_hash: str
    attempt: NotRequired[int]
    retry_of: NotRequired[str | None]
    continues: NotRequired[str | None]


class _Proc(TypedDict, total=False):
    """What proc.json may hold; without a readable one its runner still had the job."""

    time: float
    boot: str
    device: str | None


class _Exit(TypedDict):
    """What exit.json must hold to be one."""

    state: Literal["done", "failed", "stopped"]
    cause: str
    ended: float
    latest: Latest
    started: NotRequired[float | None]
    device: NotRequired[str | None]
    findings: NotRequired[list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One job at the moment somebody asked.

    Attributes:
        id: Unique, sorts by time of creation.
        kind: A name of `jobs.kinds.KINDS`.
        title: What the researcher called it.
        params: What the kind was given.
        state: queued, running, stopping, done, failed, stopped or lost.
        created: Unix time, like `started` and `ended`, which are None until then.
        started: When its runner started.
        ended: When it ended; for a lost job the time of its last event.
        done: Items done, `total` items to do, `rate` items per second, `eta_seconds` left; None where unknown.
        total: See `done`.
        rate: See `done`.
        eta_seconds: See `done`; None when the job is not running.
        text: What is being done.
        last_step: Newest step of any event.
        cause: Why it failed, stopped or was lost, as a sentence; empty otherwise.
        findings: `{"code", "severity", "message"}` each.
        folder: The job's folder.
        attempt: 1, or one more than the attempt of the job that this one repeats or continues.
        retry_of: Id of the job that this one repeats from the start.
        continues: Id of the job from whose newest checkpoint this one goes on.
        device: Name of the slot it has or had; None if it needs none or has not begun.
        checkpoint: Step of the newest complete checkpoint in its folder.
        ahead: For a queued job that needs the device: how many jobs use the device or wait before it.
    """

    id: str
    kind: str
    title: str
    params: dict[str, Any]
    state: State
    created: float
    started: float | None
    ended: float | None
    done: float | None
    total: float | None
    rate: float | None
    eta_seconds: float | None
    text: str
    last_step: int | None
    cause: str
    findings: tuple[dict[str, Any], ...]
    folder: Path
    attempt: int = 1
    retry_of: str | None = None
    continues: str | None = None
    device: str | None = None
    checkpoint: int | None = None
    ahead: int | None = None

    @property
    def active(self) -> bool:
        """Tell whether the job waits or runs."""
        return self.state in ("queued", "running", "stopping")

    @property
    def finished(self) -> bool:
        """Tell whether nothing more will come of the job."""
        return not self.active


def read_status(folder: Path) -> JobStatus | None:
    """Read the state of the job in a folder; None if the folder holds no readable spec.json (still being prepared)."""
    settled = _ended_status(folder, _stamp(folder))
    if settled is not None and settled.checkpoint is None:  # a checkpoint may have been removed since
        return settled
    spec = read_spec(folder)
    if spec is None:
        return None
    ended = read_exit(folder)
    if ended is None:
        # In this order a runner that starts or ends meanwhile is never taken for lost: it locks before it writes
        # proc.json, and writes exit.json before it lets go of the lock.
        proc = _read_proc(folder / PROC)
        held = lock_held(folder / LOCK)
        ended = read_exit(folder)
        if ended is None:
            return _unfinished(folder, spec, proc, held)
    return _ended(folder, spec, ended)


def read_spec(folder: Path) -> dict[str, Any] | None:
    """Read what a job was asked to do; None if there is no whole spec.json."""
    try:
        return _spec(folder, _stamp(folder / SPEC))
    except WorkspaceError:
        return None


def read_exit(folder: Path) -> dict[str, Any] | None:
    """Read how a job ended; None if it has not, or if the file is damaged."""
    try:
        return _exit(folder, _stamp(folder / EXIT))
    except WorkspaceError:
        return None


def what_next(folder: Path, advice: str = "") -> str:
    """Say what of a job is safe and what can be done: continue from its newest checkpoint, or start again."""
    checkpoint = newest_checkpoint(folder)
    kept = UNSAVED if checkpoint is None else f"Checkpoint {checkpoint.step} is complete: continue from it."
    return f"{kept} {advice}".strip()


def where_it_was(latest: Latest, preposition: str = "at") -> str:
    """Word how far a job came: ` at step 340; 12 of 40 done`, or nothing where unknown."""
    step = "" if latest.last_step is None else f" {preposition} step {latest.last_step}"
    known = latest.done is not None and latest.total is not None
    done = f"; {latest.done:g} of {latest.total:g} done" if known else ""
    return step + done


def log_tail(folder: Path, n_lines: int = 20) -> list[str]:
    """Return the last lines of a job's log that are not blank, oldest first; only its end is read."""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except FileNotFoundError:
        return []
    return [line.rstrip()[:_LINE] for line in lines if line.strip()][-n_lines:]


@lru_cache(maxsize=4096)
def _ended_status(folder: Path, _stamp: _Stamp | None) -> JobStatus | None:
    """Return the state of a job that has ended, read once for a folder in which nothing came or went; else None."""
    spec, ended = read_spec(folder), read_exit(folder)
    return None if spec is None or ended is None else _ended(folder, spec, ended)


@lru_cache(maxsize=4096)
def _spec(folder: Path, _stamp: _Stamp | None) -> dict[str, Any]:
    return _object(folder / SPEC, _Spec)


@lru_cache(maxsize=4096)
def _exit(folder: Path, _stamp: _Stamp | None) -> dict[str, Any]:
    return _object(folder / EXIT, _Exit)


@lru_cache(maxsize=1024)
def _latest_of(events: Path, _stamp: _Stamp | None) -> Latest:
    """Return what an event file says that nobody writes any more, read once."""
    return read_latest(events)


def _object(path: Path, shape: Any) -> dict[str, Any]:
    value = read_json(path)
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise WorkspaceError(f"{path.parent.name}/{path.name} is damaged: {error}.") from error
    found: dict[str, Any] = value
    return found


def _read_proc(path: Path) -> dict[str, Any] | None:
    try:
        return _object(path, _Proc)
    except WorkspaceError:
        return {} if path.exists() else None


def _unfinished(folder: Path, spec: dict[str, Any], proc: dict[str, Any] | None, held: bool) -> JobStatus | None:
    if proc is None:
        return _status(folder, spec, "queued", Latest()) if (folder / SPEC).exists() else None
    latest = read_latest(folder / EVENTS) if held else _latest_of(folder / EVENTS, _stamp(folder / EVENTS))
    when = {"started": proc.get("time"), "device": proc.get("device")}
    if held:
        return _status(folder, spec, "stopping" if (folder / STOP).exists() else "running", latest, **when)
    why = "its runner ended unexpectedly" if proc.get("boot") == boot_mark() else "the machine was restarted"
    cause = f"Lost: {why}{where_it_was(latest)}. {what_next(folder)}"
    return _status(folder, spec, "lost", latest, **when, ended=latest.time, cause=cause)


def _latest_from(ended: dict[str, Any]) -> Latest:
    latest = msgspec.convert(ended["latest"], Latest)
    return replace(latest, findings=tuple(ended.get("findings") or latest.findings))


def _ended(folder: Path, spec: dict[str, Any], ended: dict[str, Any]) -> JobStatus:
    when = {key: ended.get(key) for key in ("started", "ended", "cause", "device")}
    return _status(folder, spec, ended["state"], _latest_from(ended), **when)


def _stamp(path: Path) -> _Stamp | None:
    """Return what tells whether a file or folder is the one that was read before; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _status(
    folder: Path,
    spec: dict[str, Any],
    state: State,
    latest: Latest,
    **when: Any,
) -> JobStatus:
    running = state in ("running", "stopping")
    checkpoint = newest_checkpoint(folder)
    return JobStatus(
        id=folder.name,
        kind=spec["kind"],
        title=spec["title"],
        params=spec["params"],
        state=state,
        created=spec["created"],
        started=when.get("started"),
        ended=when.get("ended"),
        done=latest.done,
        total=latest.total,
        rate=latest.rate if running else None,
        eta_seconds=latest.eta_seconds if running else None,
        text=latest.text,
        last_step=latest.last_step,
        cause=when.get("cause", ""),
        findings=latest.findings,
        folder=folder,
        attempt=spec.get("attempt", 1),
        retry_of=spec.get("retry_of"),
        continues=spec.get("continues"),
        device=when.get("device"),
        checkpoint=None if checkpoint is None else checkpoint.step,
    )

"""The state of a job, computed from its folder and the kernel whenever somebody asks; never stored.

exit.json says how a job ended. Without it: a runner that holds the lock is running, proc.json without a holder is lost,
spec.json alone is queued. Starts and stops nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

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
State = Literal["queued", "running", "stopping", "done", "failed", "stopped", "lost"]


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
    spec = read_spec(folder)
    if spec is None:
        return None
    ended = read_exit(folder)
    if ended is None:
        # In this order a runner that starts or ends meanwhile is never taken for lost: it locks before it writes
        # proc.json, and writes exit.json before it lets go of the lock.
        proc = _read(folder / PROC)
        held = lock_held(folder / LOCK)
        ended = read_exit(folder)
        if ended is None:
            return _unfinished(folder, spec, proc, held)
    when = {key: ended.get(key) for key in ("started", "ended", "cause", "device")}
    return _status(folder, spec, ended["state"], _latest_from(ended), **when)


def read_spec(folder: Path) -> dict[str, Any] | None:
    """Read what a job was asked to do; None if there is no whole spec.json."""
    try:
        return _spec(folder)
    except WorkspaceError:
        return None


def read_exit(folder: Path) -> dict[str, Any] | None:
    """Read how a job ended; None if it has not, or if the file is damaged."""
    try:
        return _exit(folder)
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
def _spec(folder: Path) -> dict[str, Any]:
    return _object(folder / SPEC, ("id", "kind", "title", "params", "created", "spec_hash"))


@lru_cache(maxsize=4096)
def _exit(folder: Path) -> dict[str, Any]:
    return _object(folder / EXIT, ("state", "cause", "ended", "latest"))


def _object(path: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    value = read_json(path)
    if not isinstance(value, dict) or any(key not in value for key in keys):
        raise WorkspaceError(f"{path.parent.name}/{path.name} must hold {', '.join(keys)}; it is damaged.")
    return value


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = read_json(path)
    except WorkspaceError:
        return {} if path.exists() else None
    return value if isinstance(value, dict) else {}


def _unfinished(folder: Path, spec: dict[str, Any], proc: dict[str, Any] | None, held: bool) -> JobStatus | None:
    if proc is None:
        return _status(folder, spec, "queued", Latest()) if (folder / SPEC).exists() else None
    latest = read_latest(folder / EVENTS)
    when = {"started": proc.get("time"), "device": proc.get("device")}
    if held:
        return _status(folder, spec, "stopping" if (folder / STOP).exists() else "running", latest, **when)
    why = "its runner ended unexpectedly" if proc.get("boot") == boot_mark() else "the machine was restarted"
    cause = f"Lost: {why}{where_it_was(latest)}. {what_next(folder)}"
    return _status(folder, spec, "lost", latest, **when, ended=latest.time, cause=cause)


def _latest_from(ended: dict[str, Any]) -> Latest:
    latest = {item.name: ended["latest"][item.name] for item in fields(Latest) if item.name in ended["latest"]}
    return replace(Latest(**latest), findings=tuple(ended.get("findings") or latest.get("findings") or ()))


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

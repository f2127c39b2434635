"""The small process that answers for one job: `python -m simtune_core.jobs.runner JOB_FOLDER DESCRIPTOR SLOTS`.

It holds alive.lock for its whole life and a slot of the device while its job needs one, starts the worker in a process
group of its own, stops it when stop.json appears, leaves no process of it behind, writes exit.json, starts what waits
in the queue and tells the owner. Imports nothing heavy.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from simtune_core.errors import SimtuneError, WorkspaceError
from simtune_core.files import read_json
from simtune_core.jobs.causes import Ending, judge
from simtune_core.jobs.kernel import (
    MARK,
    adopt_orphans,
    count_memory_kills,
    kill_descendants,
    process_identity,
    take_lock,
)
from simtune_core.jobs.marks import create_once, write_exit
from simtune_core.jobs.states import EXIT, LOCK, PROC, SPEC, STOP, STOPPED_CODE, State, read_spec
from simtune_core.workspace import CHECKOUT, Workspace, open_workspace

_POLL_SECONDS = 0.1
_EXIT_TRIES, _EXIT_SECONDS = 300, 2.0  # a full disk gets ten minutes to make room for exit.json
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes on macOS, in kilobytes elsewhere
_WORKER_ENVIRONMENT = {
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
    "PYTHONFAULTHANDLER": "1",
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin while they wait cost minutes on a shared core
}


@dataclass(slots=True)
class _Stopping:
    """What is known of the wish to stop while the worker runs."""

    asked_by_system: bool = False
    grace_seconds: float | None = None
    deadline: float = 0.0
    forced: bool = False

    def on_signal(self, *_: object) -> None:
        self.asked_by_system = True


@dataclass(frozen=True, slots=True)
class _Held:
    """A slot of the device and the lock on it; a job that needs none holds nothing."""

    name: str | None = None
    visible: str = ""
    lock: int | None = None

    def release(self) -> None:
        if self.lock is not None:
            os.close(self.lock)


def slot_path(workspace: Workspace, slot: str) -> Path:
    """Return the file whose lock is the right to use a slot of the device."""
    return workspace.jobs / ".slots" / f"{slot}.lock"


def run(folder: Path, held: int, slots: list[dict[str, str]]) -> None:
    """Answer for one job from its start to its end; does nothing if the job has a runner or had one, or must wait.

    Args:
        folder: The job's folder, with its spec.json.
        held: Descriptor that is closed as soon as the job is this runner's; its end closes it too. Who started the
            runner waits for that.
        slots: `name, visible` of the slots of the device of which it takes the first that is free; empty if the job
            needs no device.
    """
    workspace = open_workspace(folder.parents[2])
    stopping = _Stopping()
    signal.signal(signal.SIGTERM, stopping.on_signal)
    if read_spec(folder) is None or take_lock(folder / LOCK) is None:
        return
    if (folder / PROC).exists() or (folder / EXIT).exists():
        return
    slot = _take_slot(workspace, slots)
    if slot is None:
        return
    adopt_orphans()
    if not _answer_for(folder, stopping, held, slot):
        return
    # Imported at the end only: while the job runs, its runner stays small.
    from simtune_core.jobs.notifying import notify
    from simtune_core.jobs.queueing import advance_queue

    try:
        advance_queue(workspace)
    except SimtuneError as error:
        sys.stdout.write(f"The queue was not advanced: {error}\n")
    notify(workspace, folder)


def _take_slot(workspace: Workspace, slots: list[dict[str, str]]) -> _Held | None:
    """Take the first free slot; None if all are taken."""
    for slot in slots:
        lock = take_lock(slot_path(workspace, slot["name"]))
        if lock is not None:
            return _Held(slot["name"], slot["visible"], lock)
    return None if slots else _Held()


def _answer_for(folder: Path, stopping: _Stopping, held: int, slot: _Held) -> bool:
    """Take the job, see it to its end and write that down; False if it could not be taken and stays queued."""
    started = time.time()
    facts: dict[str, Any] = {"started": started, "device": slot.name}
    try:
        _take_job(folder, facts, held)
        ending = _run_worker(folder, stopping, slot)
    except (SimtuneError, OSError) as error:
        slot.release()
        if not (folder / PROC).exists():
            return False
        _end(folder, "failed", f"The job could not be started: {error}", facts)
        return True
    slot.release()
    verdict = judge(folder, ending)
    _end(folder, verdict.state, verdict.cause, facts | asdict(ending))
    return True


def _take_job(folder: Path, facts: dict[str, Any], held: int) -> None:
    try:
        mark = {"v": 1, "time": facts["started"], "device": facts["device"]} | process_identity()
        create_once(folder / PROC, mark)
    finally:
        os.close(held)


def _end(folder: Path, state: State, cause: str, facts: dict[str, Any]) -> None:
    """Write exit.json, trying again while the disk has no room; a folder that somebody removed is not made again."""
    for _ in range(_EXIT_TRIES):
        if not (folder / SPEC).exists():
            return
        with suppress(WorkspaceError):
            write_exit(folder, state, cause, **facts)
            return
        time.sleep(_EXIT_SECONDS)


def _run_worker(folder: Path, stopping: _Stopping, slot: _Held) -> Ending:
    """Start the worker in its own process group, wait for its end, and let nothing that it started outlive it."""
    kills_before = count_memory_kills()
    command = [sys.executable, "-m", "simtune_core.jobs.worker", str(folder), str(os.getpid())]
    environment = os.environ | _WORKER_ENVIRONMENT | {_VISIBLE: slot.visible, MARK: str(folder)}
    worker = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, process_group=0)
    while True:
        pid, status, usage = os.wait4(-1, os.WNOHANG)  # orphans that it left are this process's children too
        if pid == worker.pid:
            break
        if not pid:
            _stop_if_asked(folder, worker.pid, stopping)
            time.sleep(_POLL_SECONDS)
    _signal_group(worker.pid, signal.SIGKILL)
    kill_descendants()
    worker.returncode = os.waitstatus_to_exitcode(status)
    by_signal = -worker.returncode if worker.returncode < 0 else None
    asked = stopping.grace_seconds is not None or worker.returncode == STOPPED_CODE
    return Ending(
        code=None if by_signal else worker.returncode,
        signal=by_signal,
        stopped=None if not asked else "user" if (folder / STOP).exists() else "system",
        forced=stopping.forced,
        grace_seconds=stopping.grace_seconds or 0.0,
        out_of_memory=by_signal == signal.SIGKILL and not stopping.forced and count_memory_kills() > kills_before,
        peak_rss_bytes=usage.ru_maxrss * _RSS_UNIT,
    )


def _stop_if_asked(folder: Path, worker: int, stopping: _Stopping) -> None:
    """Ask the worker to end once, and end its whole group when the grace time is over or its folder is gone.

    The worker alone gets SIGTERM: what it started, such as the processes that load its data, it still needs to save
    its work, and lets go itself; what it leaves is killed at the end.
    """
    if stopping.forced:
        return
    if not (folder / SPEC).exists():
        stopping.forced = True
        _signal_group(worker, signal.SIGKILL)
    elif stopping.grace_seconds is None:
        if stopping.asked_by_system or (folder / STOP).exists():
            stopping.grace_seconds = _grace_seconds(folder)
            stopping.deadline = time.monotonic() + stopping.grace_seconds
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGTERM)
    elif time.monotonic() > stopping.deadline:
        stopping.forced = True
        _signal_group(worker, signal.SIGKILL)


def _grace_seconds(folder: Path) -> float:
    """Return the grace time of the mark, else the workspace's, else the default of that setting."""
    try:
        return float(read_json(folder / STOP)["grace_seconds"])
    except (WorkspaceError, KeyError, TypeError, ValueError):
        from simtune_core.preferences import Preferences, preferences_of

        try:
            return preferences_of(open_workspace(folder.parents[2])).grace_seconds
        except SimtuneError:
            return float(Preferences.model_fields["grace_seconds"].default)


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def main(folder: Path, held: int, slots: list[dict[str, str]]) -> None:
    """Leave the process that started this one, so that it need not wait for the end of the job, and run."""
    if os.fork():
        os._exit(0)
    run(folder, held, slots)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))

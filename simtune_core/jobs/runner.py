"""The small process that answers for one job: `python -m simtune_core.jobs.runner JOB_FOLDER DESCRIPTOR`.

It holds alive.lock for its whole life and the device while its kind needs it, starts the worker in a process group of
its own, stops it when stop.json appears, writes exit.json, and starts what waits in the queue. Imports nothing heavy.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from simtune_core.errors import SimtuneError, WorkspaceError
from simtune_core.files import read_json
from simtune_core.jobs.causes import Ending, judge
from simtune_core.jobs.kernel import count_memory_kills, process_identity, take_lock
from simtune_core.jobs.kinds import KINDS
from simtune_core.jobs.marks import create_once, write_exit
from simtune_core.jobs.states import EXIT, GRACE_SECONDS, LOCK, PROC, STOP, read_spec
from simtune_core.workspace import CHECKOUT, Workspace, open_workspace

DEVICE = "cpu-0"
_POLL_SECONDS = 0.1
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


def slot_path(workspace: Workspace, device: str = DEVICE) -> Path:
    """Return the file whose lock is the right to use a device."""
    return workspace.jobs / ".slots" / f"{device}.lock"


def run(folder: Path, held: int) -> None:
    """Answer for one job from its start to its end; does nothing if the job has a runner or had one, or must wait.

    Args:
        folder: The job's folder, with its spec.json.
        held: Descriptor that is closed as soon as the job is this runner's; its end closes it too. Who started the
            runner waits for that.
    """
    workspace = open_workspace(folder.parents[2])
    stopping = _Stopping()
    signal.signal(signal.SIGTERM, stopping.on_signal)
    spec = read_spec(folder)
    if spec is None or take_lock(folder / LOCK) is None or (folder / PROC).exists() or (folder / EXIT).exists():
        return
    slot: int | None = None
    if spec["kind"] in KINDS and KINDS[spec["kind"]].device:
        slot = take_lock(slot_path(workspace))
        if slot is None:
            return
    _answer_for(folder, stopping, held)
    if slot is not None:
        os.close(slot)
    # Imported at the end only: while the job runs, its runner stays small.
    from simtune_core.jobs.queueing import advance_queue

    advance_queue(workspace)


def _answer_for(folder: Path, stopping: _Stopping, held: int) -> None:
    started = time.time()
    try:
        _take_job(folder, started, held)
        ending = _run_worker(folder, stopping)
    except (SimtuneError, OSError) as error:
        write_exit(folder, "failed", f"The job could not be started: {error}", started=started)
        return
    verdict = judge(folder, ending)
    write_exit(folder, verdict.state, verdict.cause, started=started, **asdict(ending))


def _take_job(folder: Path, started: float, held: int) -> None:
    try:
        create_once(folder / PROC, {"v": 1, "time": started} | process_identity())
    finally:
        os.close(held)


def _run_worker(folder: Path, stopping: _Stopping) -> Ending:
    """Start the worker in its own process group, wait for its end, and let nothing of the group outlive it."""
    kills_before = count_memory_kills()
    command = [sys.executable, "-m", "simtune_core.jobs.worker", str(folder), str(os.getpid())]
    environment = os.environ | _WORKER_ENVIRONMENT
    worker = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, process_group=0)
    while True:
        pid, status, usage = os.wait4(worker.pid, os.WNOHANG)
        if pid:
            break
        _stop_if_asked(folder, worker.pid, stopping)
        time.sleep(_POLL_SECONDS)
    _signal_group(worker.pid, signal.SIGKILL)
    worker.returncode = os.waitstatus_to_exitcode(status)
    by_signal = -worker.returncode if worker.returncode < 0 else None
    return Ending(
        code=None if by_signal else worker.returncode,
        signal=by_signal,
        stopped=None if stopping.grace_seconds is None else ("system" if stopping.asked_by_system else "user"),
        forced=stopping.forced,
        grace_seconds=stopping.grace_seconds or 0.0,
        out_of_memory=by_signal == signal.SIGKILL and not stopping.forced and count_memory_kills() > kills_before,
        peak_rss_bytes=usage.ru_maxrss * _RSS_UNIT,
    )


def _stop_if_asked(folder: Path, group: int, stopping: _Stopping) -> None:
    """Ask the group to end once, and end it when the grace time is over."""
    if stopping.grace_seconds is None:
        if stopping.asked_by_system or (folder / STOP).exists():
            stopping.grace_seconds = _grace_seconds(folder)
            stopping.deadline = time.monotonic() + stopping.grace_seconds
            _signal_group(group, signal.SIGTERM)
    elif not stopping.forced and time.monotonic() > stopping.deadline:
        stopping.forced = True
        _signal_group(group, signal.SIGKILL)


def _grace_seconds(folder: Path) -> float:
    try:
        return float(read_json(folder / STOP)["grace_seconds"])
    except (WorkspaceError, KeyError, TypeError, ValueError):
        return GRACE_SECONDS


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def main(folder: Path, held: int) -> None:
    """Leave the process that started this one, so that it need not wait for the end of the job, and run."""
    if os.fork():
        os._exit(0)
    run(folder, held)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

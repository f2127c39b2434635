"""What only the kernel knows of a job: who holds a lock, which boot this is, whether the parent still lives.

POSIX locks (`lockf`) belong to a process and vanish with it, however it dies. The holder must never open its lock file
a second time: closing any descriptor of it drops the lock.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import struct
import sys
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
# struct flock: Linux has type, whence, start, length, pid; macOS and the BSDs have start, length, pid, type, whence.
_LINUX, _BSD = "hhqqi4x", "qqihh"
MARK = "SIMTUNE_JOB"  # environment variable that every process of a job's worker carries: the job's folder
_WATCH_SECONDS = 0.5
_SWEEP_SECONDS = 5.0


def take_lock(path: Path) -> int | None:
    """Take the lock of a file without waiting.

    Returns:
        The descriptor that holds the lock until it is closed or the process ends; None if another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return None
        raise
    return descriptor


def lock_held(path: Path) -> bool:
    """Tell whether another process holds the lock of a file; asks the kernel (F_GETLK) and takes nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        if sys.platform.startswith("linux"):
            asked = struct.pack(_LINUX, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind = struct.unpack(_LINUX, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))[0]
        else:
            asked = struct.pack(_BSD, 0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
            kind = struct.unpack(_BSD, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))[3]
    finally:
        os.close(descriptor)
    return bool(kind != fcntl.F_UNLCK)


def boot_mark() -> str:
    """Return a text that differs after every restart of the machine."""
    boot_id = Path("/proc/sys/kernel/random/boot_id")
    if boot_id.exists():
        return boot_id.read_text(encoding="ascii").strip()
    import psutil

    return f"{psutil.boot_time():.0f}"


def process_identity() -> dict[str, int | float | str]:
    """Return what identifies this process for good: pid, creation time (unix seconds) and boot."""
    import psutil

    return {"pid": os.getpid(), "create_time": psutil.Process().create_time(), "boot": boot_mark()}


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends; elsewhere than on Linux a thread watches the parent.

    Args:
        parent: Process id the parent had when it started this process; if it is gone already, this process ends now.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent ends, so that none slips away (Linux only)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill_descendants() -> None:
    """Kill every process that descends from this one and collect the dead; what will not die is left after 5 s."""
    import psutil

    myself = psutil.Process()
    deadline = time.monotonic() + _SWEEP_SECONDS
    while (descendants := myself.children(recursive=True)) and time.monotonic() < deadline:
        for process in descendants:
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                process.kill()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.01)


def kill_marked(folders: Collection[str]) -> int:
    """Kill every process of this user that carries the mark of one of these jobs; return how many there were.

    A process inherits the mark from the worker, wherever it has moved since, so that no reused pid is ever hit.
    """
    import psutil

    n_killed = 0
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) in folders:
                process.kill()
                n_killed += 1
    return n_killed


def count_memory_kills() -> int:
    """Return how many processes the kernel has killed for want of memory since boot; 0 where it does not say."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os.killpg(os.getpgid(0), signal.SIGKILL)

"""The slots of this machine: how many jobs may use its device at once, and what each of them may see of it.

Asks environment, /proc and nvidia-smi, never torch. Takes no lock and starts nothing; the runner does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from simtune_core.preferences import preferences_of
from simtune_core.workspace import Workspace

VISIBLE = "CUDA_VISIBLE_DEVICES"
_NVIDIA = Path("/proc/driver/nvidia/gpus")
_ASK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Slot:
    """The right of one job at a time to use a device.

    Attributes:
        name: `cuda-0`, `cuda-0.1` (the second slot on that GPU), `cpu-0`, ...: the name of its lock.
        visible: Value of CUDA_VISIBLE_DEVICES for the job: its GPU, or empty on the CPU.
    """

    name: str
    visible: str


def slots_of(workspace: Workspace) -> tuple[Slot, ...]:
    """Return the slots of this machine for a workspace, in the order in which they are taken.

    Raises:
        ConfigError: If the workspace's settings hold a value out of its bounds.
    """
    return list_slots(visible_gpus(), preferences_of(workspace).device_slots)


def list_slots(gpus: tuple[str, ...], n_slots: int | None) -> tuple[Slot, ...]:
    """Return one slot per GPU, or one on a CPU machine; another number shares the GPUs round robin, or uses the first.

    Args:
        gpus: What CUDA_VISIBLE_DEVICES calls the GPUs; empty on a CPU machine.
        n_slots: How many slots, at least 1; None for the machine's own number.
    """
    if not gpus:
        return tuple(Slot(f"cpu-{index}", "") for index in range(n_slots or 1))
    slots = []
    for index in range(n_slots or len(gpus)):
        gpu, share = gpus[index % len(gpus)], index // len(gpus)
        name = f"cuda-{gpu.replace('/', '_')}"
        slots.append(Slot(f"{name}.{share}" if share else name, gpu))
    return tuple(slots)


def visible_gpus() -> tuple[str, ...]:
    """Return the NVIDIA GPUs that a job of this process may use, as CUDA_VISIBLE_DEVICES calls them."""
    chosen = os.environ.get(VISIBLE)
    if chosen is None:
        return _gpus_of_machine()
    gpus: list[str] = []
    for name in (part.strip() for part in chosen.split(",")):
        if name in ("", "-1"):  # CUDA itself stops at the first name that is none
            break
        gpus.append(name)
    return tuple(gpus)


@lru_cache(maxsize=1)
def _gpus_of_machine() -> tuple[str, ...]:
    """Return the indices of the machine's GPUs; they do not change while a process lives."""
    try:
        n_gpus = len(list(_NVIDIA.iterdir()))
    except OSError:
        n_gpus = 0
    if not n_gpus and shutil.which("nvidia-smi"):
        n_gpus = _count_listed()
    return tuple(str(index) for index in range(n_gpus))


def _count_listed() -> int:
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=_ASK_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in done.stdout.splitlines()) if done.returncode == 0 else 0

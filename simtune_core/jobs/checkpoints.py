"""Checkpoints of a job: folders that count only when they are complete, of which the newest two are kept.

`checkpoints/step-00000300/` holds what the kind wrote and COMPLETE.json (size and sha256 of every file), written last.
What is inside is the kind's own matter; nothing is loaded here.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simtune_core.errors import WorkspaceError
from simtune_core.files import read_json, sha256_file, whole_folder, write_json

FOLDER, COMPLETE = "checkpoints", "COMPLETE.json"
KEPT = 2
_STEP = re.compile(r"step-(\d{8,})")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One complete checkpoint.

    Attributes:
        step: The step after which it was saved.
        folder: Where its files lie.
        skipped: What is newer but not complete, each as a sentence.
    """

    step: int
    folder: Path
    skipped: tuple[str, ...] = ()


@contextmanager
def save_checkpoint(job_folder: Path, step: int) -> Iterator[Path]:
    """Yield an empty folder for the files of a checkpoint; it counts once the block has ended without an error.

    The files are fsynced and listed in COMPLETE.json with size and sha256 before the folder gets its name; after that
    all but the newest two complete checkpoints are removed. A complete checkpoint of the same step is kept as it is.

    Args:
        job_folder: The job's folder.
        step: The step after which it is saved, at least 0.

    Raises:
        WorkspaceError: If the disk is full or the folder cannot be written; earlier checkpoints are untouched.
    """
    if not job_folder.is_dir():
        raise WorkspaceError(
            f"The folder of the job {job_folder.name} must be there to save a checkpoint; it was removed."
        )
    target = job_folder / FOLDER / f"step-{step:08d}"
    if target.exists() and _fault(target, hashes=False):
        shutil.rmtree(target)
    if target.exists():
        target = target.with_name(f".{target.name}-again")  # removed with the leftovers below
    with whole_folder(target) as folder:
        yield folder
        write_json(folder / COMPLETE, {"v": 1, "step": step, "time": time.time(), "files": _listed(folder)})
    _tidy(job_folder / FOLDER)


def newest_checkpoint(job_folder: Path, *, hashes: bool = False) -> Checkpoint | None:
    """Return the newest complete checkpoint of a job; None if it has none.

    Args:
        job_folder: The job's folder.
        hashes: Whether to read every file and compare its sha256; otherwise sizes alone are compared.
    """
    skipped: list[str] = []
    for folder in _folders(job_folder):
        fault = _fault(folder, hashes=hashes)
        if not fault:
            return Checkpoint(step_of(folder), folder, tuple(skipped))
        skipped.append(f"The checkpoint of step {step_of(folder)} is skipped: {fault}.")
    return None


def skipped_checkpoints(job_folder: Path, *, hashes: bool = False) -> tuple[str, ...]:
    """Return a sentence for each checkpoint that is not complete, newest first."""
    faults = ((step_of(folder), _fault(folder, hashes=hashes)) for folder in _folders(job_folder))
    return tuple(f"The checkpoint of step {step} is skipped: {fault}." for step, fault in faults if fault)


def step_of(folder: Path) -> int:
    """Return the step of a checkpoint's folder."""
    match = _STEP.match(folder.name.lstrip("."))
    return int(match[1]) if match else -1


def _folders(job_folder: Path) -> list[Path]:
    """Return the folders of checkpoints, newest first; one that never got its name stands after its namesake."""
    try:
        found = [path for path in (job_folder / FOLDER).iterdir() if step_of(path) >= 0]
    except OSError:
        return []
    return sorted(found, key=lambda path: (-step_of(path), path.name.startswith(".")))


def _fault(folder: Path, *, hashes: bool) -> str:
    """Say what a checkpoint lacks; empty if it is complete."""
    if folder.name.startswith("."):
        return "its writing was interrupted"
    try:
        files: dict[str, dict[str, Any]] = dict(read_json(folder / COMPLETE)["files"])
        there = {path.relative_to(folder).as_posix(): path.stat().st_size for path in _files(folder)}
        for name in sorted(files.keys() | there.keys()):
            if name not in there:
                return f"{name} is missing"
            if name not in files:
                return f"{name} does not belong to it"
            if there[name] != files[name]["bytes"]:
                return f"{name} has {there[name]:,} bytes instead of {files[name]['bytes']:,}"
            if hashes and sha256_file(folder / name) != files[name]["sha256"]:
                return f"{name} was changed or damaged"
    except (WorkspaceError, OSError, KeyError, TypeError, ValueError):
        return f"it has no readable {COMPLETE}"
    return ""


def _listed(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
        for path in _files(folder)
    }


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / COMPLETE)


def _tidy(folder: Path) -> None:
    """Remove what was interrupted, and all but the newest complete checkpoints."""
    n_complete = 0
    for path in _folders(folder.parent):
        complete = not _fault(path, hashes=False)
        n_complete += complete
        if n_complete > KEPT or path.name.startswith("."):
            shutil.rmtree(path, ignore_errors=True)

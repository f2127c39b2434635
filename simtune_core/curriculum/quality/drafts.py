"""The edits of a pair set while they are being made: an append-only file that reloads, crashes and two tabs survive.

One line is one press of a button. Nothing is taken out of the file: an undo is a line, too. What is written when a
process dies is one line, and a line that was cut off is passed over.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from simtune_core.curriculum.quality.edits import Edit, edit_from_json, last_of_each
from simtune_core.datasets import find_dataset
from simtune_core.errors import DataFaultError, WorkspaceError
from simtune_core.files import disk_error
from simtune_core.workspace import Workspace

DRAFTS = "drafts"  # folder in the workspace's data
_LOCK_SECONDS = 20.0
_EDIT, _UNDO, _END = "edit", "undo", "end"  # kinds of line; an end empties the draft: it was saved, or thrown away


@dataclass(frozen=True, slots=True)
class Draft:
    """The edits of one version of a pair set that are not saved yet.

    Attributes:
        presses: What was done, one tuple for each press of a button, without what was undone.
    """

    presses: tuple[tuple[Edit, ...], ...] = ()

    @property
    def decided(self) -> tuple[Edit, ...]:
        """Return the last decision on every pair, `keep` included."""
        return last_of_each(edit for press in self.presses for edit in press)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """Return the decisions that change the set."""
        return tuple(edit for edit in self.decided if edit.action != "keep")


def read_draft(workspace: Workspace, ref: str) -> Draft:
    """Return the unsaved edits of the version that a reference names; empty if there are none.

    Raises:
        WorkspaceError: If there is no such pair set, or its draft cannot be read.
    """
    path = draft_file(workspace, ref)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Draft()
    except OSError as error:
        raise WorkspaceError(f"The edits of {ref} cannot be read: {error.strerror or error}.") from error
    presses: list[tuple[Edit, ...]] = []
    for line in _lines(content):
        if line.get("do") == _EDIT:
            presses.append(_edits_of(line))
        elif line.get("do") == _UNDO and presses:
            presses.pop()
        elif line.get("do") == _END:
            presses.clear()
    return Draft(tuple(press for press in presses if press))


def add_edits(workspace: Workspace, ref: str, edits: Sequence[Edit]) -> Draft:
    """Add the edits of one press to the draft and return it; no edits add nothing.

    Raises:
        WorkspaceError: If the file cannot be written; then nothing was added.
    """
    if edits:
        _append(workspace, ref, {"do": _EDIT, "edits": [edit.as_json() for edit in edits]})
    return read_draft(workspace, ref)


def undo(workspace: Workspace, ref: str) -> Draft:
    """Take the last press back and return the draft; an empty draft stays as it is."""
    if read_draft(workspace, ref).presses:
        _append(workspace, ref, {"do": _UNDO})
    return read_draft(workspace, ref)


def end_draft(workspace: Workspace, ref: str, *, saved_as: str | None) -> Draft:
    """Empty the draft, because its edits were saved as another version or because they are thrown away."""
    if read_draft(workspace, ref).presses:
        _append(workspace, ref, {"do": _END, "saved_as": saved_as})
    return read_draft(workspace, ref)


def draft_file(workspace: Workspace, ref: str) -> Path:
    """Return the file of the draft of the version that a reference names, whether or not there is one."""
    version, _ = find_dataset(workspace, ref, kind="pairs")
    return workspace.data / DRAFTS / f"{version.name}-{version.folder.name}" / "edits.jsonl"


def _append(workspace: Workspace, ref: str, line: dict[str, Any]) -> None:
    path = draft_file(workspace, ref)
    told = json.dumps({"v": 1, "time": time.time(), **line}, allow_nan=False) + "\n"
    with _locked(path), path.open("ab") as file:
        if file.tell() and not _ends_whole(path):
            told = "\n" + told  # what was cut off stays a line of its own
        file.write(told.encode())
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a draft, so that two tabs write one line after the other."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
            yield
    except Timeout as error:
        raise WorkspaceError("Another process has been writing these edits for long; try again.") from error
    except OSError as error:
        raise disk_error(path, error) from error


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _lines(content: bytes) -> Iterator[dict[str, Any]]:
    for line in content.split(b"\n"):
        try:
            value = json.loads(line)
        except ValueError:  # empty, or cut off
            continue
        if isinstance(value, dict):
            yield value


def _edits_of(line: dict[str, Any]) -> tuple[Edit, ...]:
    try:
        return tuple(edit_from_json(edit) for edit in line["edits"])
    except (DataFaultError, KeyError, TypeError, AttributeError) as error:
        raise WorkspaceError("The edits of this set were written by another version of the program.") from error

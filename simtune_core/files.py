"""Files that are whole or absent: written beside and renamed into place, hashed, named safely.

Knows nothing of what the files mean.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from simtune_core.errors import WorkspaceError

NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_BLOCK = 1 << 20


def valid_name(name: str, what: str = "name") -> str:
    """Return `name` if it may be a folder of the workspace.

    Raises:
        WorkspaceError: If it is empty, too long, or holds anything but letters, digits, dot, dash and underscore.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise WorkspaceError(
            f"A {what} must be 1 to 64 letters, digits, dots, dashes or underscores and begin with a letter or digit, "
            f"got {name[:80]!r}."
        )
    return name


def printable(name: str) -> str:
    """Return a file's name as text that can be written anywhere: what is not UTF-8 in it becomes a question mark."""
    return name.encode("utf-8", "replace").decode()


def new_id() -> str:
    """Return a unique id that sorts by time (UTC, milliseconds) and ends in six random characters."""
    now = time.time()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    return f"{stamp}-{int(now * 1000) % 1000:03d}-{secrets.token_hex(3)}"


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file or nothing: beside, fsynced, renamed into place.

    Raises:
        WorkspaceError: If the disk is full or the folder cannot be written; the old file, if any, is untouched.
    """
    with whole_file(path) as beside:
        beside.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON, whole or not at all; NaN is refused because JSON has none."""
    write_bytes(path, (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        WorkspaceError: If the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise WorkspaceError(f"{path.parent.name}/{path.name} cannot be read: {error}.") from error


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path`; on success it is fsynced and renamed to `path`, on any error it is removed."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        _fsync(beside)
        beside.replace(path)
        _fsync(path.parent)
    except OSError as error:
        raise disk_error(path, error) from error
    finally:
        with suppress(OSError):  # a folder that cannot be written cannot be cleaned either; the first error counts
            beside.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; on success it is renamed to `path`, on any error it is removed.

    Raises:
        WorkspaceError: If `path` exists already (nothing is overwritten) or cannot be written.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        beside.mkdir(parents=True)
        yield beside
        for file in beside.rglob("*"):
            if file.is_file():
                _fsync(file)
        if path.exists():
            raise WorkspaceError(f"{path.name} exists already and nothing is overwritten; choose another name.")
        beside.rename(path)
        _fsync(path.parent)
    except OSError as error:
        raise disk_error(path, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def disk_error(path: Path, error: OSError) -> WorkspaceError:
    """Word an operating-system error as a sentence that says what is safe and what to do."""
    if error.errno == 28:  # ENOSPC
        free = shutil.disk_usage(_existing(path)).free / 1e9
        return WorkspaceError(
            f"Disk full while writing {path.name} ({free:.2f} GB free). Nothing half-written was kept; "
            "free some space and try again."
        )
    return WorkspaceError(f"{path.name} cannot be written: {error.strerror or error}. Nothing half-written was kept.")


def sha256_file(path: Path) -> str:
    """Return the sha256 of a file as 64 hexadecimal digits, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def sha256_json(value: Any) -> str:
    """Return the sha256 of a JSON-able value, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

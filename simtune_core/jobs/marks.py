"""The files of a job folder that are written once: whole or not at all, and never twice."""

from __future__ import annotations

import json
import os
import secrets
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simtune_core.errors import WorkspaceError
from simtune_core.files import disk_error, read_json, write_json
from simtune_core.jobs.context import EVENTS
from simtune_core.jobs.events import read_latest
from simtune_core.jobs.states import EXIT, RESULT, State, log_tail


def create_once(path: Path, value: dict[str, Any]) -> bool:
    """Create a JSON file that nobody has created; a reader sees all of it or nothing.

    Returns:
        False if the file exists already, which is left as it is.

    Raises:
        WorkspaceError: If the disk is full or the folder cannot be written.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with beside.open("xb") as file:
            file.write(json.dumps(value).encode())
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, path)
    except FileExistsError:
        return False
    except OSError as error:
        raise disk_error(path, error) from error
    finally:
        with suppress(OSError):  # what failed above is what must be said
            beside.unlink()
    return True


def write_exit(folder: Path, state: State, cause: str, **more: Any) -> None:
    """Write how a job ended and how far it came, so that nobody need read its events or its result again for that.

    Args:
        folder: The job's folder.
        state: done, failed or stopped.
        cause: Why, as a sentence; empty for done.
        more: Further keys: `code, signal, out_of_memory, stopped, forced, peak_rss_bytes, started, device`.

    Raises:
        WorkspaceError: If the disk is full or the folder cannot be written.
    """
    latest = asdict(read_latest(folder / EVENTS))
    record = {"v": 1, "state": state, "cause": cause, "ended": time.time(), "latest": latest}
    write_json(folder / EXIT, record | {"findings": _findings(folder), "log_tail": log_tail(folder)} | more)


def _findings(folder: Path) -> list[dict[str, Any]]:
    """Return the findings of the result; none without a result, where the last alerts stand for them."""
    try:
        findings = read_json(folder / RESULT).get("findings", [])
    except (WorkspaceError, AttributeError):
        return []
    return list(findings)

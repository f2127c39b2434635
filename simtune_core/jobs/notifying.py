"""Telling the owner that a job has ended: a command, a web address, or both, as the workspace's settings say.

Run by the runner after exit.json is written; whatever comes of it is one line in the job's log and changes no state.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

from simtune_core.errors import ConfigError
from simtune_core.jobs.states import read_exit, read_spec
from simtune_core.preferences import preferences_of
from simtune_core.workspace import Workspace

COMMAND_SECONDS, WEBHOOK_SECONDS = 30.0, 10.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the message is for the address that was set and for no other."""

    def redirect_request(self, *_: Any) -> None:
        return None


def notify(workspace: Workspace, folder: Path) -> None:
    """Tell the owner that the job in a folder has ended, if the workspace's settings say how; never raises for that.

    Args:
        workspace: Says whom to tell.
        folder: The job's folder, with its exit.json; without one nothing is told.
    """
    message = message_of(folder)
    if message is None:
        return
    try:
        preferences = preferences_of(workspace)
    except ConfigError as error:
        _note(f"nobody was told, because the settings cannot be read: {error}")
        return
    if preferences.notify_command:
        _note(_run_command(preferences.notify_command, message))
    if preferences.notify_webhook:
        _note(_post(preferences.notify_webhook, message))


def message_of(folder: Path) -> dict[str, Any] | None:
    """Return what is told of a job; None if it has not ended.

    Returns:
        `v, id, title, kind, state, cause, seconds` (from its start to its end, null if it never started) and
        `findings`: how many of each severity.
    """
    spec, ended = read_spec(folder), read_exit(folder)
    if spec is None or ended is None:
        return None
    started = ended.get("started")
    found = Counter(finding.get("severity", "warning") for finding in ended.get("findings") or [])
    return {
        "v": 1,
        "id": folder.name,
        "title": spec["title"],
        "kind": spec["kind"],
        "state": ended["state"],
        "cause": ended["cause"],
        "seconds": None if started is None else round(max(0.0, ended["ended"] - started), 1),
        "findings": {severity: found.get(severity, 0) for severity in ("error", "warning", "info")},
    }


def try_webhook(address: str) -> str:
    """Send a made-up message to a web address, as an ended job would, and say in half a sentence what came of it."""
    findings = {"error": 0, "warning": 0, "info": 0}
    message = {"v": 1, "id": "test", "title": "A test", "kind": "test", "state": "done", "cause": "", "seconds": 0.0}
    return _post(address, message | {"findings": findings})


def _run_command(command: str, message: dict[str, Any]) -> str:
    """Run a command with the message on its standard input and say what came of it."""
    environment = os.environ | {
        "SIMTUNE_JOB_ID": message["id"],
        "SIMTUNE_JOB_STATE": message["state"],
        "SIMTUNE_JOB_TITLE": message["title"].replace("\0", ""),
    }
    try:
        arguments = shlex.split(command)
        process = subprocess.Popen(arguments, stdin=subprocess.PIPE, env=environment, start_new_session=True)
    except (OSError, ValueError) as error:
        return f"the command could not be run: {error}"
    try:
        process.communicate(json.dumps(message).encode(), timeout=COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return f"the command was ended after {COMMAND_SECONDS:g} s"
    return f"the command ended with exit code {process.returncode}"


def _post(address: str, message: dict[str, Any]) -> str:
    """Send the message to a web address and say what came of it."""
    request = urllib.request.Request(
        address, json.dumps(message).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    if request.type not in ("http", "https"):
        return "the address must begin with http:// or https://"
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=WEBHOOK_SECONDS) as answer:
            return f"the address answered {answer.status}"
    except (OSError, HTTPException, ValueError) as error:
        return f"the address was not reached or refused: {error}"


def _note(line: str) -> None:
    with suppress(OSError):
        sys.stdout.write(f"Notification: {line}.\n")
        sys.stdout.flush()

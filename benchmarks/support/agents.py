"""What a fault round kills and a load test crowds: small processes that work on one workspace until somebody ends them.

`python -m benchmarks.support.agents ROLE WORKSPACE [ARGUMENT ...]`; what a role counts it prints as one line of JSON.
Starts no process but the jobs it launches, and judges nothing.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from simtune_core import store
from simtune_core.errors import StoreError
from simtune_core.jobs.launcher import launch
from simtune_core.store.access import ask
from simtune_core.workspace import Workspace, open_workspace

SHORT_SECONDS = 0.3
PATIENT = store.StoreSettings(lock_seconds=120.0)
_PAUSE_SECONDS = 0.02
_COMMAND_SECONDS = 0.1
_TRIES = 4000


def ingest(workspace: Workspace) -> None:
    """Take what is new into the store, again and again, until killed."""
    while True:
        store.ingest(workspace, PATIENT)
        time.sleep(_PAUSE_SECONDS)


def rebuild(workspace: Workspace) -> None:
    """Make the store again from the files, again and again, until killed."""
    while True:
        store.rebuild(workspace, PATIENT)


def start(workspace: Workspace, prefix: str, n_jobs: str, kind: str = "sleep") -> None:
    """Launch short jobs by the tokens `PREFIX-0`, `PREFIX-1`, ...; print their ids in this order."""
    ids = [
        launch(workspace, kind, {"seconds": SHORT_SECONDS, "wish": number}, title=f"{prefix} {number}",
               token=f"{prefix}-{number}", reuse=False)
        for number in range(int(n_jobs))
    ]  # fmt: skip
    say({"ids": ids})


def start_equal(workspace: Workspace, n_times: str) -> None:
    """Launch the same work again and again without a token; print the ids got."""
    params = {"seconds": SHORT_SECONDS, "wish": "equal"}
    say({"ids": [launch(workspace, "sleep", params, title="equal work") for _ in range(int(n_times))]})


def read(workspace: Workspace, seconds: str) -> None:
    """Ask the store what commands ask it, a command every tenth of a second; print the seconds of each answer."""
    until = time.monotonic() + float(seconds)
    taken: list[float] = []
    errors: list[str] = []
    questions: tuple[Callable[[], object], ...] = (
        lambda: store.counts(workspace),
        lambda: store.runs(workspace),
        lambda: store.metric_series(workspace, "20260101-000000-x", "loss"),
    )
    while time.monotonic() < until:
        for question in questions:
            began = time.monotonic()
            try:
                question()
            except StoreError as error:
                errors.append(str(error))
            taken.append(time.monotonic() - began)
        time.sleep(_COMMAND_SECONDS)
    say({"taken": taken, "errors": errors})


def insert(workspace: Workspace, writer: str, n_times: str) -> None:
    """Open the store, insert a row into the table `race`, close it, again and again; print how many were told done."""
    n_done = 0
    for number in range(int(n_times)):
        row = [int(writer), number]
        ask(workspace, lambda database, row=row: database.run("INSERT INTO race VALUES (?, ?)", row), PATIENT)  # type: ignore[misc]
        n_done += 1
    say({"done": n_done})


def insert_bare(workspace: Workspace, writer: str, n_times: str) -> None:
    """Do the same with DuckDB alone and retries, as FACTS 19 has it: the canary of a race that loses rows."""
    import duckdb

    path = workspace.data / "bare.duckdb"
    n_done = 0
    for number in range(int(n_times)):
        for _ in range(_TRIES):
            try:
                connection = duckdb.connect(str(path))
            except duckdb.IOException:
                time.sleep(0.001)
                continue
            connection.execute("INSERT INTO race VALUES (?, ?)", [int(writer), number])
            connection.close()
            n_done += 1
            break
    say({"done": n_done})


def say(value: dict[str, object]) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


ROLES: dict[str, Callable[..., None]] = {
    role.__name__: role for role in (ingest, rebuild, start, start_equal, read, insert, insert_bare)
}

if __name__ == "__main__":
    ROLES[sys.argv[1]](open_workspace(Path(sys.argv[2])), *sys.argv[3:])

"""What the tests with real processes share: waiting, finding the processes of a workspace, and leaving none behind."""

import json
import os
import time

import psutil
import pytest


@pytest.fixture
def wait_until():
    def wait(condition, seconds=30.0):
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < deadline, f"not within {seconds} s"
            time.sleep(0.03)
        return value

    return wait


@pytest.fixture
def processes(workspace, wait_until):
    """Return a function from "runner" or "worker" to the live processes of this workspace; a test must leave none."""

    def find(role=""):
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            line = " ".join(process.info["cmdline"] or [])
            ours = f"simtune_core.jobs.{role}" in line and str(workspace.jobs) in line
            if ours and process.info["status"] != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                found.append(process)
        return found

    yield find
    try:
        wait_until(lambda: not find(), seconds=20)
    finally:
        for process in find():
            process.kill()


@pytest.fixture
def launched_then(workspace):
    """Return a function that changes what is written of an ended job, as if it was launched in another time.

    The job gets another id with it, because a spec never changes and is remembered by its folder.
    """

    def change(job_id, **changes):
        then = f"{job_id}-then"
        spec = json.loads((workspace.job(job_id) / "spec.json").read_text())
        workspace.job(job_id).rename(workspace.job(then))
        (workspace.job(then) / "spec.json").write_text(json.dumps(spec | changes | {"id": then}))
        return then

    return change

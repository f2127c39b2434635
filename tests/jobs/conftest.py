"""What the tests with real processes share: waiting, finding the processes of a workspace, and leaving none behind."""

import os
import time

import psutil
import pytest


@pytest.fixture
def wait_until():
    def wait(condition, seconds=10.0):
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
        wait_until(lambda: not find(), seconds=8)
    finally:
        for process in find():
            process.kill()

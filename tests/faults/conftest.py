"""What the fault tests share: a workspace of which no process is left, and servers with an open tab."""

import psutil
import pytest

from benchmarks.support.faults import alive
from benchmarks.support.servers import Served


@pytest.fixture
def busy_workspace(workspace):
    """Return an empty workspace; a test must leave no process of it, whether it passes or not."""
    yield workspace
    _, left = psutil.wait_procs(alive(workspace), timeout=20)
    for process in left:
        process.kill()
    assert left == []


@pytest.fixture
def servers(busy_workspace, tmp_path):
    """Return servers of the workspace, to be opened; they end before its processes are counted."""
    with Served(tmp_path) as opened:
        yield opened

"""Real jobs for the tests of what shows them."""

import pytest

from simtune_core.jobs.launcher import launch
from tests.ui.living import end, until


@pytest.fixture
def running(workspace):
    """Yield the id of a job that runs until the test ends; its title would be a picture if it were read as Markdown."""
    job_id = launch(workspace, "sleep", {"seconds": 600}, title="Sleep ![x](http://evil/x.png)")
    until(workspace, job_id, lambda job: job.state == "running" and job.done)
    yield job_id
    end(workspace, job_id)

"""Waiting for real jobs, and for a page that looks at them again and again."""

import time

from simtune_core.jobs.launcher import read_job, request_stop

SECONDS = 60.0


def until(workspace, job_id, condition, seconds=SECONDS):
    """Wait until a job meets a condition, and return it."""
    deadline = time.monotonic() + seconds
    while not condition(job := read_job(workspace, job_id)):
        assert time.monotonic() < deadline, f"waited in vain, the job is {job.state}"
        time.sleep(0.05)
    return job


def look_until(app, condition, seconds=SECONDS):
    """Run a page again until it meets a condition: what it shows of jobs may be a second old."""
    deadline = time.monotonic() + seconds
    while not condition(app.run()):
        assert not app.exception
        assert time.monotonic() < deadline, "the page never showed it"
        time.sleep(0.1)
    return app


def end(workspace, job_id):
    """Stop a job if it has not ended, and wait for its end."""
    if read_job(workspace, job_id).active:
        request_stop(workspace, job_id, grace_seconds=1.0)
    return until(workspace, job_id, lambda job: job.finished)

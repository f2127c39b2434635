"""A stopped job keeps its work, and nothing that it started is left, wherever it went."""

import json
import time

import psutil
import pytest

from simtune_core.jobs.launcher import advance_queue, follow, launch, read_job, read_result, request_stop
from tests.jobs.logs import read_log

LONG = {"seconds": 600, "rate": 20}


@pytest.fixture
def family(workspace, wait_until):
    """Return a function that gives every live process of the workspace's jobs but the runners; none must be left."""

    def find():
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            line = " ".join(process.info["cmdline"] or [])
            if str(workspace.jobs) in line and "jobs.runner" not in line:
                found += [process] if process.info["status"] != psutil.STATUS_ZOMBIE else []
        return found

    yield find
    for process in find():
        process.kill()


def started(workspace, children, wait_until, **params):
    job_id = launch(workspace, "sleep", LONG | {"children": children} | params, title=f"with {children}")
    wait_until(lambda: (job := read_job(workspace, job_id)).last_step or job.finished, seconds=90)
    assert read_job(workspace, job_id).state == "running", read_log(workspace, job_id)
    return job_id


def test_an_orphan_in_a_session_of_its_own_ends_with_its_job(workspace, processes, family, wait_until):
    job_id = started(workspace, "session", wait_until)
    (orphan,) = [process for process in family() if "orphan of" in " ".join(process.cmdline())]
    (runner,) = processes("runner")
    assert orphan.ppid() == runner.pid  # its own parent is gone; the runner has adopted it
    request_stop(workspace, job_id)
    assert follow(workspace, job_id, poll_seconds=0.05).state == "stopped"
    assert not family()


def test_an_orphan_ends_also_when_the_worker_is_killed(workspace, processes, family, wait_until):
    job_id = started(workspace, "session", wait_until)
    processes("worker")[0].kill()
    assert follow(workspace, job_id, poll_seconds=0.05).state == "failed"
    assert not family()


@pytest.mark.slow
def test_a_stop_leaves_the_processes_that_load_data_alive_until_the_work_is_saved(
    workspace, processes, family, wait_until
):
    """Were they signalled too, torch would fail the job with "DataLoader worker is killed by signal"."""
    job_id = started(workspace, "loader", wait_until, checkpoint_every=10_000)
    assert len(family()) >= 3  # the worker and the two processes of its loader
    request_stop(workspace, job_id)
    status = follow(workspace, job_id, poll_seconds=0.05)
    assert (status.state, status.checkpoint) == ("stopped", status.last_step), status.cause
    assert f"Checkpoint {status.last_step} is complete: continue from it." in status.cause
    assert read_result(workspace, job_id)["n_metrics"] == status.last_step
    assert not family()


@pytest.mark.slow
def test_processes_that_load_data_end_with_a_worker_that_will_not_stop(workspace, processes, family, wait_until):
    job_id = started(workspace, "loader", wait_until, ignore_stop=True)
    assert len(family()) >= 3
    request_stop(workspace, job_id, grace_seconds=0.2)
    assert follow(workspace, job_id, poll_seconds=0.05).state == "stopped"
    assert not family()


@pytest.mark.slow
def test_the_ranks_of_torchrun_end_with_their_job(workspace, processes, family, wait_until):
    job_id = started(workspace, "ranks", wait_until)
    ranks = [process for process in family() if "rank.py" in " ".join(process.cmdline())]
    assert len(ranks) >= 3  # torchrun and its two ranks
    request_stop(workspace, job_id, grace_seconds=5)
    assert follow(workspace, job_id, poll_seconds=0.05).state == "stopped"
    assert not family()


def test_a_worker_that_is_told_to_end_by_somebody_else_is_stopped_and_not_done(workspace, processes, wait_until):
    job_id = launch(workspace, "sleep", LONG, title="at shutdown")
    wait_until(lambda: read_job(workspace, job_id).last_step)
    processes("worker")[0].terminate()
    status = follow(workspace, job_id, poll_seconds=0.05)
    assert status.state == "stopped"
    assert status.cause.startswith("Stopped because the session or the machine is shutting down at step ")
    assert read_result(workspace, job_id)["n_metrics"] == status.last_step


def test_a_stop_that_comes_after_the_last_step_leaves_the_job_done(workspace, processes):
    job_id = launch(workspace, "sleep", {"seconds": 0.1}, title="nearly done")
    follow(workspace, job_id, poll_seconds=0.05)
    request_stop(workspace, job_id)
    assert read_job(workspace, job_id).state == "done"
    assert not (workspace.job(job_id) / "stop.json").exists()


def test_two_tabs_that_stop_a_job_make_one_stop(workspace, processes, wait_until):
    job_id = launch(workspace, "sleep", LONG | {"ignore_stop": True}, title="in two tabs")
    wait_until(lambda: read_job(workspace, job_id).last_step)
    request_stop(workspace, job_id, grace_seconds=1)
    first = json.loads((workspace.job(job_id) / "stop.json").read_text())
    request_stop(workspace, job_id, grace_seconds=500)
    assert json.loads((workspace.job(job_id) / "stop.json").read_text()) == first
    assert read_job(workspace, job_id).state == "stopping"
    status = follow(workspace, job_id, poll_seconds=0.05)
    assert "It did not stop by itself within 1 s and was killed." in status.cause
    request_stop(workspace, job_id)
    assert read_job(workspace, job_id) == status


def test_a_job_whose_folder_is_removed_ends_and_its_folder_stays_away(workspace, processes, wait_until):
    import shutil

    job_id = launch(workspace, "sleep", LONG, title="removed")
    wait_until(lambda: read_job(workspace, job_id).last_step)
    shutil.rmtree(workspace.job(job_id))
    wait_until(lambda: not processes())
    assert not workspace.job(job_id).exists()


def test_the_grace_time_is_the_workspaces_setting(workspace, processes, wait_until):
    from simtune_core.preferences import change_preferences

    change_preferences(workspace, {"grace_seconds": 0.3})
    job_id = launch(workspace, "sleep", LONG | {"ignore_stop": True}, title="stubborn")
    wait_until(lambda: read_job(workspace, job_id).last_step)
    began = time.monotonic()
    request_stop(workspace, job_id)
    assert "within 0.3 s and was killed" in follow(workspace, job_id, poll_seconds=0.05).cause
    assert time.monotonic() - began < 15


def test_what_a_killed_runner_could_not_end_ends_at_the_next_look_at_the_queue(
    workspace, processes, family, wait_until
):
    job_id = started(workspace, "session", wait_until)
    processes("runner")[0].kill()
    wait_until(lambda: read_job(workspace, job_id).state == "lost", seconds=5)
    wait_until(lambda: not processes("worker"), seconds=5)
    assert [process for process in family() if "orphan of" in " ".join(process.cmdline())]
    assert advance_queue(workspace) == []
    wait_until(lambda: not family(), seconds=5)

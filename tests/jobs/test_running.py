"""Jobs in real processes: how they end, and that nothing outlives them."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from simtune_core.errors import JobError
from simtune_core.jobs.events import read_events
from simtune_core.jobs.launcher import follow, launch, read_job, read_result, request_stop
from tests.jobs.logs import read_log

LONG = {"seconds": 60, "rate": 50}


def test_a_job_runs_to_its_end_and_gives_its_result(workspace, processes):
    job_id = launch(workspace, "sleep", {"seconds": 0.5, "rate": 40}, title="a short sleep")
    seen = []
    status = follow(workspace, job_id, seen.append, poll_seconds=0.05)
    assert (status.state, status.cause, status.title) == ("done", "", "a short sleep")
    assert (status.done, status.total, status.last_step) == (20, 20, 20)
    assert status.created <= status.started <= status.ended
    assert read_result(workspace, job_id) == {"n_metrics": 20}
    assert "running" in [look.state for look in seen]
    metrics = [event for event in read_events(status.folder / "events.jsonl").events if event.kind == "metric"]
    assert [event.value for event in metrics] == [1 / step for step in range(1, 21)]
    ended = json.loads((status.folder / "exit.json").read_text())
    assert (ended["code"], ended["signal"], ended["stopped"], ended["out_of_memory"]) == (0, None, None, False)
    assert ended["peak_rss_bytes"] > 5e6


@pytest.mark.parametrize(
    ("params", "cause", "in_log"),
    [
        ({"fail": "error"}, "The self-test must fail when it is told to; start it without `fail`.", "JobError"),
        ({"fail": "bug"}, "Unexpected error: TypeError: a bug, as it was told (see the log).", "Traceback"),
        ({"exit_code": 3}, "Ended with exit code 3 after step 2; 2 of 2 done. Its log is empty.", ""),
    ],
)
def test_a_failed_job_says_why(workspace, processes, params, cause, in_log):
    job_id = launch(workspace, "sleep", {"seconds": 0.1, "rate": 20} | params, title="one that fails")
    status = follow(workspace, job_id, poll_seconds=0.05)
    assert (status.state, status.cause) == ("failed", cause)
    assert in_log in read_log(workspace, job_id)
    with pytest.raises(JobError, match="'one that fails' has no result: " + cause[:20]):
        read_result(workspace, job_id)


def test_a_killed_worker_is_a_failed_job_with_every_event_readable(workspace, processes, wait_until):
    job_id = launch(workspace, "sleep", LONG, title="to be killed")
    wait_until(lambda: (read_job(workspace, job_id).last_step or 0) >= 10)
    (worker,) = processes("worker")
    worker.kill()
    status = wait_until(lambda: (job := read_job(workspace, job_id)).finished and job, seconds=5)
    assert status.state == "failed"
    assert status.cause.startswith("Killed by signal 9 (possibly out of memory, peak ")
    assert f"after step {status.last_step};" in status.cause
    assert "what it had not saved, such as weights in training, is lost" in status.cause
    steps = [event.step for event in read_events(status.folder / "events.jsonl").events if event.kind == "metric"]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) >= 10


def test_a_killed_runner_is_a_lost_job_and_takes_its_worker_along(workspace, processes, wait_until):
    job_id = launch(workspace, "sleep", LONG | {"ignore_stop": True}, title="to be lost")
    wait_until(lambda: read_job(workspace, job_id).last_step)
    (runner,), (worker,) = processes("runner"), processes("worker")
    runner.kill()
    wait_until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, seconds=5)
    status = read_job(workspace, job_id)
    assert status.state == "lost"
    assert status.cause.startswith("Lost: its runner ended unexpectedly at step ")
    assert "what it had not saved, such as weights in training, is lost" in status.cause
    assert status.ended is not None


def test_a_restart_of_the_machine_is_told_apart(workspace, processes, wait_until):
    job_id = launch(workspace, "sleep", LONG, title="to be lost")
    wait_until(lambda: processes("worker"))
    processes("runner")[0].kill()
    proc = read_job(workspace, job_id).folder / "proc.json"
    proc.write_text(json.dumps(json.loads(proc.read_text()) | {"boot": "another"}))
    status = wait_until(lambda: (job := read_job(workspace, job_id)).finished and job)
    assert status.cause.startswith("Lost: the machine was restarted")


def test_a_process_that_has_the_pid_of_a_dead_runner_is_not_taken_for_it(workspace, processes, wait_until):
    job_id = launch(workspace, "sleep", LONG, title="to be lost")
    wait_until(lambda: processes("worker"))
    processes("runner")[0].kill()
    proc = read_job(workspace, job_id).folder / "proc.json"
    proc.write_text(json.dumps(json.loads(proc.read_text()) | {"pid": os.getpid()}))
    assert wait_until(lambda: (job := read_job(workspace, job_id)).finished and job).state == "lost"
    request_stop(workspace, job_id)  # signals nobody: this process is still here


def test_a_stopped_job_keeps_what_it_has_made(workspace, processes, wait_until):
    job_id = launch(workspace, "sleep", LONG, title="to be stopped")
    wait_until(lambda: read_job(workspace, job_id).last_step)
    request_stop(workspace, job_id)
    request_stop(workspace, job_id)
    status = follow(workspace, job_id, poll_seconds=0.05)
    assert status.state == "stopped"
    assert status.cause.startswith(f"Stopped by you at step {status.last_step};")
    assert read_result(workspace, job_id)["n_metrics"] == status.last_step


def test_a_job_that_will_not_stop_is_killed_after_the_grace_time(workspace, processes, wait_until):
    job_id = launch(workspace, "sleep", LONG | {"ignore_stop": True}, title="stubborn")
    wait_until(lambda: read_job(workspace, job_id).last_step)
    began = time.monotonic()
    request_stop(workspace, job_id, grace_seconds=0.5)
    assert read_job(workspace, job_id).state == "stopping"
    status = follow(workspace, job_id, poll_seconds=0.05)
    assert 0.5 <= time.monotonic() - began < 5
    assert status.state == "stopped"
    assert "It did not stop by itself within 0.5 s and was killed. Its curves and log are kept;" in status.cause
    assert not processes("worker")


def test_a_runner_told_to_end_stops_its_job_first(workspace, processes, wait_until):
    job_id = launch(workspace, "sleep", LONG, title="at shutdown")
    wait_until(lambda: read_job(workspace, job_id).last_step)
    processes("runner")[0].send_signal(signal.SIGTERM)
    status = follow(workspace, job_id, poll_seconds=0.05)
    assert status.state == "stopped"
    assert status.cause.startswith("Stopped because the session or the machine is shutting down at step ")


def test_a_job_goes_on_when_its_launcher_is_killed(workspace, processes, wait_until):
    code = (
        "import sys, time\n"
        "from simtune_core.jobs.launcher import launch; from simtune_core.workspace import open_workspace\n"
        "launch(open_workspace(sys.argv[1]), 'sleep', {'seconds': 1.5}, title='t'); print('launched', flush=True)\n"
        "time.sleep(60)"
    )
    launcher = subprocess.Popen([sys.executable, "-c", code, str(workspace.root)], stdout=subprocess.PIPE)
    assert launcher.stdout.readline() == b"launched\n"
    launcher.kill()
    launcher.wait()
    launcher.stdout.close()
    (job_id,) = [folder.name for folder in workspace.jobs.iterdir() if not folder.name.startswith(".")]
    assert read_job(workspace, job_id).state == "running"
    assert follow(workspace, job_id, poll_seconds=0.05).state == "done"


def test_the_runner_is_small_and_knows_no_heavy_library(workspace, processes, wait_until):
    job_id = launch(workspace, "sleep", {"seconds": 1}, title="small")
    wait_until(lambda: processes("worker"))  # until then its worker may still look like a second runner
    (runner,) = processes("runner")
    libraries = {path.path for path in runner.memory_maps()}
    assert not [path for path in libraries if "torch" in path or "numpy" in path or "duckdb" in path]
    assert runner.memory_info().rss < 40e6
    assert follow(workspace, job_id, poll_seconds=0.05).state == "done"

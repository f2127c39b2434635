"""The commands for jobs on a real queue."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from simtune_core.cli import app
from simtune_core.jobs.launcher import follow, launch, list_jobs, read_job, request_stop
from simtune_core.workspace import CHECKOUT

STEPS = {"seconds": 600, "rate": 50, "checkpoint_every": 5}


@pytest.fixture
def command(workspace, monkeypatch):
    """Return a function that runs a command and gives (exit code, what it wrote); with --json the envelope."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        done = CliRunner().invoke(app, [*arguments, "--workspace", str(workspace.root)])
        return done.exit_code, json.loads(done.stdout) if "--json" in arguments else done.output

    return run


def ended(workspace, job_id):
    return follow(workspace, job_id, poll_seconds=0.05)


def test_the_list_says_who_waits_behind_how_many_and_moving_changes_it(workspace, processes, command):
    jobs = [launch(workspace, "device_sleep", {"seconds": 600, "n": n}, title=f"job {n}") for n in range(3)]
    code, said = command("jobs")
    assert code == 0
    assert [f"queued ({n} ahead)" in said for n in (0, 1, 2, 3)] == [False, True, True, False]
    code, said = command("move", jobs[2], "--to", "up", "--json")
    assert (code, said["result"]) == (0, {"waiting": [jobs[2], jobs[1]]})
    code, said = command("jobs", "--json")
    listed = {job["id"]: job for job in said["result"]["jobs"]}
    assert [listed[job]["ahead"] for job in jobs] == [None, 2, 1]
    assert [listed[job]["device"] for job in jobs][1:] == [None, None]
    code, said = command("move", jobs[0], "--to", "first", "--json")
    assert (code, said["error"]["code"]) == (1, "job")
    for job in reversed(jobs):
        request_stop(workspace, job)
        ended(workspace, job)


def test_a_job_is_continued_and_tried_again_from_the_command_line(
    workspace, processes, wait_until, command, launched_then
):
    first = launch(workspace, "sleep", STEPS, title="overnight")
    wait_until(lambda: read_job(workspace, first).checkpoint, seconds=30)
    processes("worker")[0].kill()
    step = ended(workspace, first).checkpoint
    code, said = command("continue", first, "--json")
    assert code == 0
    assert (said["result"]["from_step"], said["result"]["attempt"], said["result"]["continues"]) == (step, 2, first)
    second = said["result"]["id"]
    request_stop(workspace, second)
    ended(workspace, second)

    spec = json.loads((workspace.job(first) / "spec.json").read_text())
    first = launched_then(first, code=spec["code"] | {"torch": "1.0"})
    code, said = command("continue", first)
    assert code == 1
    assert "'overnight' would not go on as it began: torch was 1.0 and is " in said
    code, said = command("continue", first, "--yes")
    assert (code, f"Attempt 2 of 'overnight' goes on from step {step} as " in said) == (0, True), said
    (third,) = (job for job in list_jobs(workspace) if job.active)
    assert third.continues == first
    code, said = command("retry", second, "--json")
    assert (code, said["result"]["attempt"], said["result"]["retry_of"]) == (0, 3, second)
    for job in (third.id, said["result"]["id"]):
        request_stop(workspace, job)
        ended(workspace, job)


def test_a_killed_runner_holds_nobody_up_once_somebody_lists_the_jobs(workspace, processes, wait_until, command):
    first = launch(workspace, "device_sleep", {"seconds": 600}, title="first")
    second = launch(workspace, "device_sleep", {"seconds": 0.1}, title="second")
    wait_until(lambda: processes("worker"))
    processes("runner")[0].kill()
    wait_until(lambda: read_job(workspace, first).state == "lost")
    code, said = command("jobs", "--json")
    states = {job["id"]: job["state"] for job in said["result"]["jobs"]}
    assert (code, states[first]) == (0, "lost")
    assert states[second] != "queued"
    assert ended(workspace, second).state == "done"


def test_after_a_restart_of_the_machine_the_worker_command_works_off_the_queue(workspace, processes, wait_until):
    """The runner is killed and its boot is another one, as after a power cut; nobody but `worker` looks."""
    first = launch(workspace, "device_sleep", {"seconds": 600}, title="at work when the power went")
    others = [launch(workspace, "device_sleep", {"seconds": 0.1, "n": n}, title=f"{n}") for n in range(3)]
    wait_until(lambda: processes("worker"))
    processes("runner")[0].kill()
    wait_until(lambda: not processes())
    proc = workspace.job(first) / "proc.json"
    proc.write_text(json.dumps(json.loads(proc.read_text()) | {"boot": "another"}))
    worker = [sys.executable, "-m", "simtune_core", "worker", "--json", "--workspace", str(workspace.root)]
    done = subprocess.run(worker, cwd=CHECKOUT, capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout)["result"]["started"][0] == others[0]
    assert [read_job(workspace, job).state for job in others] == ["done"] * 3
    assert read_job(workspace, first).cause.startswith("Lost: the machine was restarted")


def test_a_queue_that_cannot_be_looked_after_does_not_hide_the_jobs(workspace, processes, command):
    job = launch(workspace, "device_sleep", {"seconds": 600}, title="at work")
    waits = launch(workspace, "device_sleep", {"seconds": 0.1}, title="waits")
    (workspace.data / "settings.yaml").write_text("device_slots: many\n")
    code, said = command("jobs", "--json")
    assert code == 0
    assert {each["id"]: each["state"] for each in said["result"]["jobs"]} == {job: "running", waits: "queued"}
    (finding,) = said["findings"]
    assert finding["code"] == "queue_held_up"
    assert "device_slots" in finding["message"]
    (workspace.data / "settings.yaml").unlink()
    for each in (waits, job):
        request_stop(workspace, each)
        ended(workspace, each)

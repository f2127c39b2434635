"""One wish is one job; what waits starts by itself; what cannot start says so."""

import os
import resource
import subprocess
import sys
import time

import pytest

from simtune_core.encoders.catalogue import TFIDF
from simtune_core.errors import JobError, WorkspaceError
from simtune_core.jobs.kinds import KINDS, needs_device
from simtune_core.jobs.launcher import (
    advance_queue,
    find_equal,
    follow,
    launch,
    list_jobs,
    read_job,
    request_stop,
)
from simtune_core.jobs.logs import read_tail
from simtune_core.jobs.queueing import RETRY_SECONDS

SHORT = {"seconds": 0.2}


def test_two_jobs_on_one_device_run_one_after_the_other_with_nobody_looking(workspace, processes, wait_until):
    first = launch(workspace, "device_sleep", {"seconds": 600}, title="first")
    second = launch(workspace, "device_sleep", {"seconds": 0.3}, title="second")
    beside = launch(workspace, "sleep", {"seconds": 600}, title="needs no device")
    assert [read_job(workspace, job).state for job in (first, second, beside)] == ["running", "queued", "running"]
    for job in (first, beside):
        request_stop(workspace, job)
    # Only the folders are looked at from here on: the queue is advanced by the first job's runner.
    wait_until(lambda: all(job.finished for job in list_jobs(workspace)), seconds=30)
    ends = {job.id: job for job in list_jobs(workspace)}
    assert ends[first].ended <= ends[second].started
    assert ends[second].state == "done"


def test_the_queue_moves_on_when_the_runner_before_is_killed(workspace, processes, wait_until):
    first = launch(workspace, "device_sleep", {"seconds": 30}, title="first")
    second = launch(workspace, "device_sleep", SHORT, title="second")
    wait_until(lambda: processes("worker"))
    processes("runner")[0].kill()
    wait_until(lambda: read_job(workspace, first).state == "lost")
    assert advance_queue(workspace) == [second]
    assert follow(workspace, second, poll_seconds=0.05).state == "done"


def test_a_queued_job_that_is_stopped_never_starts(workspace, processes, wait_until):
    first = launch(workspace, "device_sleep", {"seconds": 600}, title="first")
    second = launch(workspace, "device_sleep", SHORT, title="second")
    request_stop(workspace, second)
    request_stop(workspace, first)
    status = read_job(workspace, second)
    assert (status.state, status.cause) == ("stopped", "Stopped by you before it started.")
    follow(workspace, first, poll_seconds=0.05)
    wait_until(lambda: not processes())
    assert not (status.folder / "proc.json").exists()


def test_a_double_click_in_two_processes_is_one_job(workspace, processes):
    code = (
        "import sys; from simtune_core.jobs.launcher import launch; from simtune_core.workspace import open_workspace\n"
        "job = launch(open_workspace(sys.argv[1]), 'sleep', {'seconds': 0.2}, title='t', token='click', reuse=False)\n"
        "sys.stdout.write(job)"
    )
    command = [sys.executable, "-c", code, str(workspace.root)]
    clicks = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    ids = {click.communicate()[0] for click in clicks}
    assert [click.returncode for click in clicks] == [0, 0, 0]
    assert len(ids) == 1
    assert [job.id for job in list_jobs(workspace)] == list(ids)
    assert follow(workspace, ids.pop(), poll_seconds=0.05).state == "done"


def test_equal_work_is_done_once_unless_it_failed_or_is_asked_for_again(workspace, processes):
    first = launch(workspace, "sleep", SHORT | {"rate": 10}, title="first")
    assert launch(workspace, "sleep", {"rate": 10} | SHORT, title="the same, keys in another order") == first
    follow(workspace, first, poll_seconds=0.05)
    assert launch(workspace, "sleep", SHORT | {"rate": 10}, title="done already") == first
    assert find_equal(workspace, "sleep", SHORT | {"rate": 10}).id == first
    assert find_equal(workspace, "device_sleep", SHORT | {"rate": 10}) is None
    again = launch(workspace, "sleep", SHORT | {"rate": 10}, title="again", reuse=False)
    assert again != first
    failing = SHORT | {"fail": "error"}
    failed = launch(workspace, "sleep", failing, title="fails")
    follow(workspace, failed, poll_seconds=0.05)
    retry = launch(workspace, "sleep", failing, title="fails")
    assert retry != failed
    for job in (again, retry):
        follow(workspace, job, poll_seconds=0.05)


def test_a_launch_that_died_between_token_and_folder_is_made_up_for(workspace, processes, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("simtune_core.jobs.launcher.whole_folder", die)
    with pytest.raises(KeyboardInterrupt):
        launch(workspace, "sleep", SHORT, title="t", token="wish")
    monkeypatch.undo()
    assert list_jobs(workspace) == []
    job = launch(workspace, "sleep", SHORT, title="t", token="wish")
    assert launch(workspace, "sleep", SHORT, title="t", token="wish") == job
    assert follow(workspace, job, poll_seconds=0.05).state == "done"


@pytest.mark.parametrize(
    ("kind", "params", "says"),
    [
        ("dance", {}, r"must be one of import, .*, got 'dance'"),
        ("sleep", {"seconds": float("nan")}, "must be JSON with finite numbers"),
        ("sleep", {"seconds": object()}, "must be JSON with finite numbers"),
    ],
)
def test_what_cannot_be_a_job_is_refused_and_leaves_nothing(workspace, kind, params, says):
    with pytest.raises(JobError, match=says):
        launch(workspace, kind, params, title="t")
    assert list_jobs(workspace) == []


def test_a_full_disk_at_launch_leaves_no_job(workspace, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("simtune_core.files._fsync", full)
    with pytest.raises(WorkspaceError, match="Disk full while writing"):
        launch(workspace, "sleep", SHORT, title="t")
    monkeypatch.undo()
    assert list_jobs(workspace) == []
    assert [path.name for path in workspace.jobs.iterdir() if path.name != ".launcher.lock"] == []


def test_a_launch_whose_runner_cannot_be_started_leaves_no_job(workspace, monkeypatch):
    monkeypatch.setattr("simtune_core.jobs.queueing.sys.executable", "/nonexistent/python")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        launch(workspace, "sleep", SHORT, title="t")
    assert list_jobs(workspace) == []


def test_a_runner_that_cannot_write_holds_nobody_up_and_the_job_starts_later(
    workspace, processes, monkeypatch, wait_until
):
    """No file may grow, as on a full disk: the runner can neither take the job nor say so."""
    with monkeypatch.context() as patched:
        patched.setattr("simtune_core.jobs.launcher.start_queued", lambda _: [])
        job = launch(workspace, "sleep", SHORT, title="t")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    began = time.monotonic()
    try:
        advance_queue(workspace)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert time.monotonic() - began < 10
    assert read_job(workspace, job).state == "queued"
    wait_until(lambda: not processes())
    assert advance_queue(workspace) == []  # not tried again at every look
    an_age_ago = time.time() - RETRY_SECONDS
    os.utime(workspace.job(job) / "log.txt", (an_age_ago, an_age_ago))
    assert advance_queue(workspace) == [job]
    assert follow(workspace, job, poll_seconds=0.05).state == "done"


def test_a_python_that_cannot_start_is_a_failed_job(workspace, monkeypatch):
    monkeypatch.setattr("simtune_core.jobs.queueing.sys.executable", "/bin/false")
    status = read_job(workspace, launch(workspace, "sleep", SHORT, title="t"))
    assert status.state == "failed"
    assert status.cause.startswith("The job could not be started.")


def test_an_unknown_job_is_named(workspace):
    with pytest.raises(JobError, match="There is no job 'nope' in this workspace"):
        read_job(workspace, "nope")
    with pytest.raises(WorkspaceError, match="A job id must be"):
        read_job(workspace, "../../etc")


def test_the_tail_of_a_log_begins_at_a_line(workspace, processes):
    job = launch(workspace, "sleep", SHORT, title="t")
    follow(workspace, job, poll_seconds=0.05)
    (workspace.job(job) / "log.txt").write_text("".join(f"line {i}\n" for i in range(1000)))
    part = read_tail(workspace.job(job) / "log.txt", max_bytes=20, ended=True)
    assert [line.text for line in part.lines] == ["line 998", "line 999"]


def test_looking_at_an_active_job_is_cheap_however_long_its_events_are(workspace, processes, wait_until):
    job = launch(workspace, "sleep", {"seconds": 30}, title="t")
    wait_until(lambda: read_job(workspace, job).last_step)
    with (workspace.job(job) / "events.jsonl").open("ab") as file:
        file.write(b'{"v":1,"seq":900000,"time":1.0,"kind":"metric","name":"x","step":7,"value":0.5}\n' * 200_000)
    began = time.perf_counter()
    for _ in range(20):
        read_job(workspace, job)
    assert (time.perf_counter() - began) / 20 < 0.02
    request_stop(workspace, job, grace_seconds=1)
    follow(workspace, job, poll_seconds=0.05)


def test_every_kind_names_a_function():
    assert {kind.target.split(":")[1] for kind in KINDS.values()} == {"run"}


@pytest.mark.parametrize(
    ("kind", "params", "needs"),
    [
        ("embed", {"encoder": "minilm"}, True),
        ("difficulty", {"encoder": "tfidf"}, False),
        ("difficulty", {"encoder": "minilm"}, True),
        ("candidates", {"encoder": "tfidf"}, False),
        ("evaluate", {"encoders": ["tfidf"]}, False),
        ("evaluate", {"encoders": ["tfidf", "my-model"]}, True),
        ("evaluate", {}, True),
        ("curriculum", {"candidates": "x"}, False),
        ("diagnose", {"model": "my-model"}, True),
        ("sleep", {}, False),
        ("unknown", {}, False),
    ],
)
def test_what_loads_a_model_waits_for_the_device_and_work_on_words_does_not(kind, params, needs):
    assert needs_device(kind, params) is needs
    assert TFIDF == "tfidf"

"""The queue has an order that can be changed, starts every job once, and goes on whoever is there."""

import json
import signal
import subprocess
import sys
from itertools import pairwise

import pytest

from simtune_core.errors import JobError
from simtune_core.jobs.events import read_events
from simtune_core.jobs.launcher import (
    advance_queue,
    follow,
    launch,
    list_jobs,
    move,
    read_job,
    request_stop,
    waiting,
)
from simtune_core.workspace import CHECKOUT

LONG, SHORT = {"seconds": 600}, {"seconds": 0.1}


def python(code, workspace, *arguments, **how):
    """Start a process with the launcher's functions imported and `workspace` open."""
    head = (
        "import os, signal, sys; from simtune_core.jobs import launcher, queueing\n"
        "from simtune_core.workspace import open_workspace\nworkspace = open_workspace(sys.argv[1])\n"
    )
    command = [sys.executable, "-c", head + code, str(workspace.root), *arguments]
    return subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, **how)


@pytest.fixture
def line(workspace, processes):
    """A job on the device, and four that wait for it: (the first, [the others])."""
    first = launch(workspace, "device_sleep", LONG, title="first")
    others = [launch(workspace, "device_sleep", SHORT | {"n": n}, title=f"number {n}") for n in range(4)]
    yield first, others
    for job in [*reversed(others), first]:
        request_stop(workspace, job)
    for job in [*others, first]:
        follow(workspace, job, poll_seconds=0.05)


def test_what_waits_says_how_many_are_ahead(workspace, line):
    first, others = line
    assert waiting(workspace) == others
    assert [read_job(workspace, job).ahead for job in (first, *others)] == [None, 1, 2, 3, 4]
    assert [job.ahead for job in list_jobs(workspace)] == [4, 3, 2, 1, None]


def test_what_waits_can_be_moved_and_a_damaged_order_is_none(workspace, line):
    _, others = line
    for which, place, order in [
        (3, "first", [3, 0, 1, 2]),
        (1, "up", [3, 1, 0, 2]),
        (3, "up", [3, 1, 0, 2]),
        (1, "down", [3, 0, 1, 2]),
        (2, "down", [3, 0, 1, 2]),
        (3, "last", [0, 1, 2, 3]),
        (2, "first", [2, 0, 1, 3]),
    ]:
        assert move(workspace, others[which], place) == [others[n] for n in order] == waiting(workspace)
    for content in ("", "{", "[]", '{"order": 3}', '{"order": [null, {}, "gone"]}'):
        (workspace.jobs / ".queue.json").write_text(content)
        assert waiting(workspace) == others, content
    assert move(workspace, others[1], "first") == [others[1], others[0], others[2], others[3]]


def test_the_next_job_is_the_one_that_was_moved_first_and_a_later_one_stands_last(workspace, line, wait_until):
    first, others = line
    move(workspace, others[2], "first")
    last = launch(workspace, "device_sleep", SHORT | {"n": 9}, title="later")
    assert waiting(workspace) == [others[2], others[0], others[1], others[3], last]
    with pytest.raises(JobError, match="Only a job that waits can be moved in the queue"):
        move(workspace, first, "last")
    request_stop(workspace, first)
    wait_until(lambda: all(job.finished for job in list_jobs(workspace)), seconds=60)
    started = sorted((job for job in list_jobs(workspace) if job.id != first), key=lambda job: job.started)
    assert [job.id for job in started] == [others[2], others[0], others[1], others[3], last]


def test_three_jobs_finish_one_after_another_with_no_process_of_ours_left(workspace, processes, wait_until):
    """No page, no server, no command: the one who launched them has ended, and this test only reads exit.json."""
    code = "for n in range(3): launcher.launch(workspace, 'device_sleep', {'seconds': 0.4, 'n': n}, title=f'{n}')"
    assert python(code, workspace).communicate()[0] == ""
    folders = sorted(folder for folder in workspace.jobs.iterdir() if not folder.name.startswith("."))
    assert len(folders) == 3
    wait_until(lambda: all((folder / "exit.json").exists() for folder in folders), seconds=60)
    ends = [json.loads((folder / "exit.json").read_text()) for folder in folders]
    assert [end["state"] for end in ends] == ["done"] * 3
    assert all(before["ended"] <= after["started"] for before, after in pairwise(ends))


def test_two_servers_and_two_commands_start_nothing_twice_and_lose_nothing(workspace, processes, wait_until):
    """Four processes launch the same eight wishes and some of their own, and advance the queue all the while."""
    code = (
        "for n in range(8):\n"
        "    kind = 'device_sleep' if n % 2 else 'sleep'\n"
        "    wish = {'title': str(n), 'token': f'wish {n}', 'reuse': False}\n"
        "    launcher.launch(workspace, kind, {'seconds': 0.05, 'n': n}, **wish)\n"
        "    launcher.advance_queue(workspace)\n"
        "launcher.launch(workspace, 'sleep', {'seconds': 0.05, 'who': sys.argv[2]}, title=sys.argv[2])\n"
        "launcher.advance_queue(workspace)"
    )
    clients = [python(code, workspace, name) for name in ("server 1", "server 2", "command 1", "command 2")]
    for client in clients:
        client.communicate()
    assert [client.returncode for client in clients] == [0] * 4
    wait_until(lambda: all(job.finished for job in list_jobs(workspace)), seconds=90)
    jobs = list_jobs(workspace)
    assert sorted(job.title for job in jobs) == sorted(
        [*map(str, range(8)), "command 1", "command 2", "server 1", "server 2"]
    )
    for job in jobs:
        assert (job.state, job.cause) == ("done", "")
        steps = [event.step for event in read_events(job.folder / "events.jsonl").events if event.kind == "metric"]
        assert steps == [1], "a job that is started twice writes its only metric twice"
    on_device = sorted((job for job in jobs if job.device), key=lambda job: job.started)
    assert len(on_device) == 4
    assert all(before.ended <= after.started for before, after in pairwise(on_device))


@pytest.mark.parametrize(
    "dies_in",
    [
        "launcher._write_spec",  # the token is written, the folder not
        "launcher.start_queued",  # the job is whole and nobody has started it
    ],
)
def test_a_launcher_that_is_killed_half_way_leaves_one_job_that_starts_once(workspace, processes, dies_in):
    code = (
        f"{dies_in} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "launcher.launch(workspace, 'sleep', {'seconds': 0.1}, title='t', token='wish')"
    )
    launching = python(code, workspace)
    launching.communicate()
    assert launching.returncode == -signal.SIGKILL
    job = launch(workspace, "sleep", SHORT, title="t", token="wish")
    assert follow(workspace, job, poll_seconds=0.05).state == "done"
    assert [each.id for each in list_jobs(workspace)] == [job]


def test_a_whole_job_that_nobody_has_started_is_started_by_the_next_look(workspace, processes):
    code = (
        "launcher.start_queued = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "launcher.launch(workspace, 'device_sleep', {'seconds': 0.1}, title='t')"
    )
    python(code, workspace).communicate()
    (job,) = list_jobs(workspace)
    assert (job.state, job.ahead) == ("queued", 0)
    assert advance_queue(workspace) == [job.id]
    assert follow(workspace, job.id, poll_seconds=0.05).state == "done"


def test_a_second_runner_of_the_same_job_leaves_it_alone(workspace, processes, wait_until):
    job = launch(workspace, "sleep", LONG, title="t")
    wait_until(lambda: read_job(workspace, job).last_step)
    before = (workspace.job(job) / "proc.json").read_text()
    code = "queueing._start_runner(workspace.job(sys.argv[2]), [])"
    again = python(code, workspace, job)
    again.communicate()
    assert again.returncode == 0
    assert (workspace.job(job) / "proc.json").read_text() == before
    assert len(processes("worker")) == 1
    request_stop(workspace, job)
    assert follow(workspace, job, poll_seconds=0.05).state == "stopped"


def test_a_folder_removed_while_somebody_follows_is_said_and_the_others_go_on(workspace, processes, wait_until):
    import shutil

    other = launch(workspace, "sleep", SHORT, title="other")
    job = launch(workspace, "sleep", LONG, title="to be removed")
    wait_until(lambda: read_job(workspace, job).last_step)

    def remove(status):
        shutil.rmtree(status.folder, ignore_errors=True)

    with pytest.raises(JobError, match="The folder of the job 'to be removed' was removed"):
        follow(workspace, job, remove, poll_seconds=0.05)
    with pytest.raises(JobError, match=f"There is no job '{job}' in this workspace"):
        read_job(workspace, job)
    assert follow(workspace, other, poll_seconds=0.05).state == "done"
    assert [each.id for each in list_jobs(workspace)] == [other]

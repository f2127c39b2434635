"""Two servers and several commands on one workspace at once, real processes: once means once, and nothing is lost."""

import json
import subprocess
import sys
from contextlib import ExitStack

import pytest

from benchmarks.support.faults import agent, wait_for
from benchmarks.support.truth import compare, lines_of
from simtune_core import store
from simtune_core.files import read_json
from simtune_core.jobs.launcher import list_jobs, read_job
from simtune_core.workspace import CHECKOUT

N_WISHES, N_QUEUED, N_DOUBLE = 4, 3, 2


def test_two_servers_and_two_of_each_command_start_nothing_twice_and_lose_nothing(busy_workspace, servers, tmp_path):
    workspace = busy_workspace
    for _ in range(N_DOUBLE):
        servers.open(workspace)
    with ExitStack() as stack:
        doubled = [
            ("start", "wish", str(N_WISHES)),
            ("start_equal", "3"),
            ("start", "queued", str(N_QUEUED), "device_sleep"),
        ]
        agents = [[stack.enter_context(agent(workspace, *role)) for _ in range(N_DOUBLE)] for role in doubled]
        own = [stack.enter_context(agent(workspace, "start", f"own-{number}", "2")) for number in range(N_DOUBLE)]
        answers = [[said(one)["ids"] for one in pair] for pair in agents]
        own_ids = [job_id for one in own for job_id in said(one)["ids"]]
        workers = [stack.enter_context(command(workspace, "worker")) for _ in range(N_DOUBLE)]
        assert [said(worker)["error"] for worker in workers] == [None, None]
    (wishes, wishes_too), (equal, equal_too), (queued, queued_too) = answers
    assert (wishes, queued) == (wishes_too, queued_too)
    assert len({*equal, *equal_too}) == 1
    expected = {*wishes, *queued, *own_ids, equal[0]}
    assert len(expected) == N_WISHES + N_QUEUED + 2 * N_DOUBLE + 1
    jobs = list_jobs(workspace)
    assert {job.id: job.state for job in jobs} == dict.fromkeys(expected, "done")
    assert_started_once(workspace, expected)
    assert_one_after_another(workspace, queued)
    store.ingest(workspace)
    assert compare(workspace, tmp_path / "exports").faults == ()


def test_two_commands_that_ask_the_same_share_one_job(busy_workspace, pairs_imported):
    asked = ("difficulty", "invented", "--encoder", "tfidf", "--numbers-only", "--detach")
    with ExitStack() as stack:
        commands = [stack.enter_context(command(busy_workspace, *asked)) for _ in range(N_DOUBLE)]
        jobs = {said(one)["result"]["job"] for one in commands}
    assert len(jobs) == 1
    job = wait_for(lambda: read_job(busy_workspace, *jobs), lambda job: job.finished, 90, "the job does not end")
    assert (job.state, len(list_jobs(busy_workspace))) == ("done", 1)


@pytest.fixture
def pairs_imported(busy_workspace):
    import pandas as pd

    from simtune_core.datasets import save_pairs

    topics = ["printer out of toner", "vpn drops every hour", "password expired today", "mailbox is full"]
    rows = [(f"{one} {n}", f"{two} {n + 1}", int(one == two)) for n in range(12) for one in topics for two in topics]
    frame = pd.DataFrame(rows, columns=["sentence1", "sentence2", "label"])
    return save_pairs(busy_workspace, "invented", frame, provenance={"source": "invented"})


def command(workspace, *arguments):
    """Start one command of the workbench, as a context manager that waits for its end."""
    line = [sys.executable, "-m", "simtune_core", *arguments, "--workspace", str(workspace.root), "--json"]
    return subprocess.Popen(line, cwd=CHECKOUT, stdout=subprocess.PIPE)


def said(process):
    """Wait for the end of a process and return what it printed as JSON."""
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0, printed
    return json.loads(printed)


def assert_started_once(workspace, job_ids):
    """A job that was started twice would have begun to write twice."""
    lines, n_bad = lines_of(workspace)
    begun = lines[(lines["kind"] == "phase") & (lines["seq"] == 0)]
    assert sorted(begun["job_id"]) == sorted(job_ids)
    assert not lines.duplicated(["job_id", "seq"]).any() and n_bad == 0


def assert_one_after_another(workspace, job_ids):
    """Jobs that need the device ran in the order asked for, none before the one before it had ended."""
    ends = [read_json(workspace.job(job_id) / "exit.json")["ended"] for job_id in job_ids]
    starts = [read_json(workspace.job(job_id) / "proc.json")["time"] for job_id in job_ids]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False)), (starts, ends)

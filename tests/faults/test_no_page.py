"""The queue without anybody who looks: no page, no server, no command, and the process that asked is gone."""

import json

from benchmarks.support.faults import agent, alive, wait_for
from simtune_core.files import read_json
from simtune_core.jobs.launcher import read_job


def test_three_queued_jobs_finish_one_after_another_with_nobody_there(busy_workspace):
    with agent(busy_workspace, "start", "queued", "3", "device_sleep") as asking:
        said, _ = asking.communicate(timeout=60)
    ids = json.loads(said)["ids"]
    folders = [busy_workspace.job(job_id) for job_id in ids]
    # Only files are looked at, so that looking cannot move the queue on.
    wait_for(lambda: [(folder / "exit.json").exists() for folder in folders], all, 90, "the queue stands still")
    ended = [read_json(folder / "exit.json")["ended"] for folder in folders]
    started = [read_json(folder / "proc.json")["time"] for folder in folders]
    assert ended[0] <= started[1] and ended[1] <= started[2]
    assert [read_job(busy_workspace, job_id).state for job_id in ids] == ["done"] * 3
    wait_for(lambda: alive(busy_workspace), lambda left: not left, 30, "a runner is left")

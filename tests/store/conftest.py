"""Finished and running jobs as folders, written the way worker and runner write them."""

import json
import time

import pytest

from simtune_core.files import write_json
from simtune_core.jobs.context import Job
from simtune_core.jobs.marks import write_exit


@pytest.fixture
def make_job(workspace):
    def make(job_id, *, kind="train", losses=3, params=None, result=None, state="done"):
        values = [1 / step for step in range(1, losses + 1)] if isinstance(losses, int) else losses
        folder = workspace.job(job_id)
        folder.mkdir()
        spec = {"v": 1, "id": job_id, "kind": kind, "title": f"job {job_id}", "params": params or {}}
        write_json(folder / "spec.json", spec | {"token": None, "spec_hash": "0" * 64, "created": time.time()})
        with Job(folder, workspace) as job:
            job.phase("easy", step=0)
            for step, value in enumerate(values, start=1):
                job.metric("loss", value, step=step, epoch=step / len(values), phase="easy")
                job.progress(step, len(values))
        (folder / "proc.json").write_text(json.dumps({"v": 1, "time": time.time(), "boot": "before"}))
        if result is not None or state == "done":
            write_json(folder / "result.json", result or {"seconds": 2})
        if state is not None:
            write_exit(folder, state, "" if state == "done" else "why", started=time.time() - 2)
        return folder

    return make

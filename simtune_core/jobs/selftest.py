"""Kinds that do nothing but report: they show that launcher, runner, worker and store work on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from simtune_core.errors import JobError
from simtune_core.files import read_json, write_json
from simtune_core.jobs.checkpoints import save_checkpoint
from simtune_core.jobs.context import Job

_STATE = "state.json"


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Report a metric and the progress at a steady rate for some seconds; go on where an earlier attempt ended.

    Args:
        params: `seconds` (default 1), `rate` of metrics a second (default 20); `checkpoint_every` so many steps, and at
            a stop; `children`: "session" leaves an orphan in a session of its own, "loader" draws every step from a
            torch DataLoader with two processes, "ranks" starts torchrun with two ranks; `fail`: "error" raises a
            `JobError`, "bug" another exception, both after the last metric; `exit_code`: end hard with it;
            `ignore_stop`: do not listen to SIGTERM.
        job: The job.

    Returns:
        `n_metrics`: how many metrics were written; with `checkpoint_every` also `first_step`.
    """
    seconds, rate = float(params.get("seconds", 1.0)), float(params.get("rate", 20.0))
    if params.get("ignore_stop"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    every = int(params.get("checkpoint_every", 0))
    n_steps = int(seconds * rate)
    step_of_children = _CHILDREN[params["children"]](job) if params.get("children") else _nothing
    job.phase("sleep", step=0)
    first = done = int(read_json(job.continues / _STATE)["step"]) if job.continues is not None else 0
    while done < n_steps and not job.stop_requested:
        done += 1
        job.metric("value", 1.0 / done, step=done, epoch=done / n_steps, phase="sleep")
        job.progress(done, n_steps, "sleeping")
        time.sleep(1.0 / rate)
        step_of_children()
        if every and (done % every == 0 or job.stop_requested):
            with save_checkpoint(job.folder, done) as folder:
                write_json(folder / _STATE, {"step": done})
    _fail_as_told(params)
    return {"n_metrics": done - first} | ({"first_step": first + 1} if every else {})


def _fail_as_told(params: dict[str, Any]) -> None:
    if "exit_code" in params:
        os._exit(int(params["exit_code"]))
    if params.get("fail") == "error":
        raise JobError("The self-test must fail when it is told to; start it without `fail`.")
    if params.get("fail") == "bug":
        raise TypeError("a bug, as it was told")


def _nothing() -> None:
    """Do nothing at a step."""


def _orphan(job: Job) -> Callable[[], Any]:
    """Start a process that leaves group and session and whose parent ends at once."""
    sleep = [sys.executable, "-c", "import time; time.sleep(600)", f"orphan of {job.folder}"]
    code = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"
    subprocess.run([sys.executable, "-c", code, *sleep], check=True)
    return _nothing


def _loader(job: Job) -> Callable[[], Any]:
    """Let two processes of a torch DataLoader deliver one batch a step."""
    import torch

    batches = iter(torch.utils.data.DataLoader(range(10**9), batch_size=4, num_workers=2))  # type: ignore[arg-type]
    return lambda: next(batches)


def _ranks(job: Job) -> Callable[[], Any]:
    """Start two ranks under torchrun that meet over gloo and then wait; return when both have met."""
    met = job.folder / "met"
    met.mkdir()
    code = (
        "import os, pathlib, sys, time, torch.distributed as d; d.init_process_group('gloo'); d.barrier(); "
        "pathlib.Path(sys.argv[1], os.environ['RANK']).touch(); time.sleep(600)"
    )
    script = job.folder / "rank.py"
    script.write_text(code)
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script), str(met)]
    subprocess.Popen(run)
    while len(list(met.iterdir())) < 2 and not job.stop_requested:
        time.sleep(0.1)
    return _nothing


_CHILDREN = {"session": _orphan, "loader": _loader, "ranks": _ranks}

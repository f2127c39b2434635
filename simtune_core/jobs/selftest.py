"""Kinds that do nothing but report: they show that launcher, runner, worker and store work on this machine."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from simtune_core.errors import JobError
from simtune_core.jobs.context import Job


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Report a metric and the progress at a steady rate for some seconds.

    Args:
        params: `seconds` (default 1), `rate` of metrics a second (default 20); `fail`: "error" raises a `JobError`,
            "bug" another exception, both after the last metric; `exit_code`: end hard with it; `ignore_stop`: do not
            listen to SIGTERM.
        job: The job.

    Returns:
        `n_metrics`: how many metrics were written.
    """
    seconds, rate = float(params.get("seconds", 1.0)), float(params.get("rate", 20.0))
    if params.get("ignore_stop"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    n_steps = int(seconds * rate)
    job.phase("sleep", step=0)
    n_done = 0
    while n_done < n_steps and not job.stop_requested:
        n_done += 1
        job.metric("value", 1.0 / n_done, step=n_done, epoch=n_done / n_steps, phase="sleep")
        job.progress(n_done, n_steps, "sleeping")
        time.sleep(1.0 / rate)
    if "exit_code" in params:
        os._exit(int(params["exit_code"]))
    if params.get("fail") == "error":
        raise JobError("The self-test must fail when it is told to; start it without `fail`.")
    if params.get("fail") == "bug":
        raise TypeError("a bug, as it was told")
    return {"n_metrics": n_done}

"""Counting and sampling all pairs, beside the bare products of the same vectors; and 47,788 records as a whole job.

Budgets: 10,000 records in TF-IDF within 1.3 times scipy's products of the same upper triangle in blocks, in 384
dimensions within 1.3 times numpy's and torch's; the job of 47,788 records under 6 minutes and 2 GB. Each time is the
least of a few in turn, so that what else the machine does weighs on both sides alike.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.support import write_result
from simtune_core.candidates.codes import record_codes
from simtune_core.candidates.config import CandidatesConfig
from simtune_core.candidates.counting import Means, count_pairs
from simtune_core.candidates.job import run
from simtune_core.candidates.kernels import compiled
from simtune_core.datasets import save_records
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.jobs.context import Job
from simtune_core.records import with_record_columns
from simtune_core.workspace import open_workspace

REAL_DATA = Path(os.environ.get("SIMTUNE_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
BLOCK, DIM, ROUNDS = 512, 384, 7
RATIO, JOB_SECONDS, JOB_BYTES = 1.3, 360.0, 2e9


def main() -> int:
    """Time all of it and compare it with the budgets."""
    if not REAL_DATA.is_dir():
        sys.stdout.write("no real data here (SIMTUNE_REAL_DATA): nothing to count\n")
        return 0
    began = time.perf_counter()
    compiled()
    compiling = time.perf_counter() - began
    records = with_record_columns(pd.read_parquet(REAL_DATA / "itsm10k_records.parquet"))
    sparse, dense = _sparse(records), _dense(records)
    job = _job("itsm48k_records")
    figures = {"compiling_seconds": round(compiling, 2), "tfidf_10k": sparse, "dense_10k": dense, "job_48k": job}
    write_result("candidates", figures)
    ratios = (sparse["ratio"], dense["ratio_numpy"], dense["ratio_torch"])
    within = max(ratios) <= RATIO and job["seconds"] <= JOB_SECONDS and job["peak_bytes"] <= JOB_BYTES
    return 0 if within else 1


def _sparse(records: pd.DataFrame) -> dict[str, Any]:
    matrix, codes, config = tfidf_matrix(records["text"].tolist()), record_codes(records), CandidatesConfig()

    def bare() -> None:
        for start in range(0, matrix.shape[0], BLOCK):
            matrix[start : start + BLOCK] @ matrix[start:].T

    seconds = _least(
        bare=bare,
        ours=lambda: count_pairs(matrix, codes, config),
        one_thread=lambda: count_pairs(matrix, codes, config, Means(threads=1)),
    )
    ratios = {"ratio": seconds["ours"] / seconds["bare"], "ratio_one_thread": seconds["one_thread"] / seconds["bare"]}
    return _rounded({"n_records": matrix.shape[0], "n_terms": matrix.shape[1], **seconds, **ratios})


def _dense(records: pd.DataFrame) -> dict[str, Any]:
    import torch

    vectors = np.random.default_rng(0).normal(size=(len(records), DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    tensor, codes, config = torch.from_numpy(vectors), record_codes(records), CandidatesConfig()

    def bare(held: Any) -> None:
        for start in range(0, len(held), BLOCK):
            held[start : start + BLOCK] @ held[start:].T

    seconds = _least(
        numpy=lambda: bare(vectors),
        torch=lambda: bare(tensor),
        ours=lambda: count_pairs(vectors, codes, config),
        one_thread=lambda: count_pairs(vectors, codes, config, Means(threads=1)),
    )
    ratios = {f"ratio_{library}": seconds["ours"] / seconds[library] for library in ("numpy", "torch")}
    return _rounded({"n_records": len(records), "dim": DIM, **seconds, **ratios})


def _least(**works: Callable[[], object]) -> dict[str, float]:
    """Return the least wall seconds of each work over some rounds in which all take their turn."""
    seconds = dict.fromkeys(works, float("inf"))
    for _ in range(ROUNDS):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    return seconds


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in figures.items()}


def _job(stem: str) -> dict[str, Any]:
    """Return what a whole job takes in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.candidates", stem], check=True, capture_output=True, text=True
    )
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def job(stem: str) -> None:
    """Count the candidates of a real table as a job does, and print the figures as one line of JSON."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(Path(folder) / "workspace")
        save_records(workspace, "records", pd.read_parquet(REAL_DATA / f"{stem}.parquet"), provenance={})
        began = time.perf_counter()
        with Job(workspace.jobs / "job", workspace) as running:
            result = run({"records": "records", "encoder": "tfidf", "precision": "fp32"}, running)
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    kept = {name: result[name] for name in ("n_records", "n_pairs", "n_sampled")}
    sys.stdout.write(json.dumps({**kept, "seconds": round(seconds, 1), "peak_bytes": peak}) + "\n")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        job(sys.argv[1])
        sys.exit(0)
    sys.exit(main())

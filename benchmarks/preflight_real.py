"""The preflight's verdicts on real pair sets, with the numbers they rest on.

Without arguments the two cases that issue 4 names, which must come out as an expert would say; `--all` takes every set
of the real data. A workspace that is kept (`--workspace`) holds the vectors from one round to the next.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.support import write_result
from simtune_core.datasets import list_versions, save_pairs
from simtune_core.difficulty.preflight.job import run
from simtune_core.encoders.config import EncodingConfig
from simtune_core.jobs.context import Job
from simtune_core.pairs import SCORE_CUT
from simtune_core.workflows.preflight import preflight_request
from simtune_core.workspace import Workspace, open_workspace

REAL_DATA = Path(os.environ.get("SIMTUNE_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
COLUMNS = {
    "text_a": "sentence1", "text_b": "sentence2", "id_a": "id1", "id_b": "id2", "category_a": "category1",
    "category_b": "category2",
}  # fmt: skip
NAMED = (("itsm10k_easy_train", "itsm10k_founding:test"), ("itsm10k_category:train", "itsm10k_category:test"))
WANTED = dict(zip(NAMED, ("FIX DATA", "GO"), strict=True))
OTHERS = tuple(
    (f"{name}:train", f"{name}:test")
    for name in ("itsm10k_founding", "banking77_category", "clinc150_category", "gitbugs_dup", "stsb")
)


def main() -> int:
    """Ask for every verdict, keep them, and tell whether the named ones are as wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every set, not only the two named ones")
    parser.add_argument("--workspace", type=Path, help="keep datasets and vectors here")
    parser.add_argument("--precision", default="fp32", help="number format of the encoder")
    asked = parser.parse_args()
    if not REAL_DATA.is_dir():
        sys.stdout.write("no real data here (SIMTUNE_REAL_DATA): nothing to judge\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(asked.workspace or Path(folder))
        cases = {case: judged(workspace, *case, asked.precision) for case in (*NAMED, *(OTHERS if asked.all else ()))}
    figures = {"precision": asked.precision, "cases": [{"train": a, "test": b, **row} for (a, b), row in cases.items()]}
    write_result("preflight_real", figures)
    return 0 if all(cases[case]["verdict"] == word for case, word in WANTED.items()) else 1


def judged(workspace: Workspace, train: str, test: str, precision: Any) -> dict[str, Any]:
    """Return one verdict with its deciding reasons and numbers."""
    for ref in (train, test):
        name = ref.partition(":")[0]
        if not list_versions(workspace, name):
            frame = pd.read_parquet(REAL_DATA / f"{name}_pairs.parquet").rename(columns=COLUMNS)
            save_pairs(workspace, name, frame, provenance={})
    encoding = EncodingConfig(encoder="minilm", precision=precision)
    request = preflight_request(workspace, train, test, encoding, score_cut=SCORE_CUT)
    with Job(workspace.jobs / f"bench-{time.time_ns()}", workspace) as job:
        return _row(run(request.params, job))


def _row(result: dict[str, Any]) -> dict[str, Any]:
    probe, shift = result["probe"], result["shift"]
    change = probe["difference"] if probe else None
    return {
        "verdict": result["verdict"]["verdict"],
        "because": [each["code"] for each in result["verdict"]["reasons"] if each["decides"]],
        "also": [each["code"] for each in result["verdict"]["reasons"] if not each["decides"]],
        "metric": result["test"]["metric"],
        "baseline_train": _rounded(result["train"]["value"]),
        "baseline_test": _rounded(result["test"]["value"]),
        "separability_train": _rounded(result["train"]["separability"]),
        "separability_test": _rounded(result["test"]["separability"]),
        "tfidf_test": _rounded(result["test"]["tfidf_roc_auc"]),
        "coverage": _rounded(result["coverage"]["share"]),
        "told_apart": _rounded(shift["roc_auc"]),
        "told_apart_by": [name for name, _ in shift["importance"][:1]],
        "probe_test": _rounded(probe["probe"]) if probe else None,
        "gain": [_rounded(change[name]) for name in ("estimate", "low", "high")] if change else None,
        "gain_on_held_out": _rounded(probe["inside"]["gain"]) if probe and probe["inside"] else None,
        "left_out": probe["n_excluded"] if probe else None,
        "detectable": _rounded(result["detectable"]["difference"]) if result["detectable"] else None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


if __name__ == "__main__":
    sys.exit(main())

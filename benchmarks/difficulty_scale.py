"""Difficulty of two sets of 1,000,000 labelled pairs each, once scored: table, intervals, and the controls of the page.

Budgets: the table and the histograms from kept scores within 3 s; the intervals as a job within 60 s and 2 GB; any
control of the page within 200 ms of server time at the median. scikit-learn, scipy and numpy compute the same numbers
in the same run, and must agree.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.support import write_result
from simtune_core.datasets import load_pairs, save_pairs
from simtune_core.difficulty.job import run
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.config import EncodingConfig
from simtune_core.encoders.scoring import keep_scores, score_file
from simtune_core.figures.histograms import two_set_histogram
from simtune_core.files import read_json
from simtune_core.jobs.context import Job
from simtune_core.pairs import PairSet
from simtune_core.workflows.hardness import number_rows, set_bins, spread_rows
from simtune_core.workflows.requests import Request, difficulty_request, mismatch_request
from simtune_core.workflows.running import run_to_end
from simtune_core.workspace import VARIABLE, Workspace, open_workspace

N_PAIRS, N_RECORDS, N_MOVES = 1_000_000, 200_000, 7
BUDGET_TABLE_SECONDS, BUDGET_INTERVALS_SECONDS, BUDGET_INTERVALS_GB, BUDGET_CONTROL_MS = 3.0, 60.0, 2.0, 200.0
NAMES = ("first", "second")
AGREE = 1e-9


def main() -> int:
    """Measure everything and keep the figures; the exit code is 1 if a budget is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=N_PAIRS)
    n_pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(Path(folder))
        scores = _make_sets(workspace, n_pairs)
        table, result = _table(workspace)
        peers = _peers(workspace, result, scores)
        intervals = _intervals(workspace)
        controls = _controls(workspace)
    figures = {
        "n_pairs": n_pairs, "n_records": N_RECORDS, "table": table, "peers": peers, "intervals": intervals,
        "controls_median_ms": controls,
        "budgets": {
            "table_seconds": BUDGET_TABLE_SECONDS, "intervals_seconds": BUDGET_INTERVALS_SECONDS,
            "intervals_gb": BUDGET_INTERVALS_GB, "control_ms": BUDGET_CONTROL_MS,
        },
    }  # fmt: skip
    write_result("difficulty_scale", figures)
    kept = (
        table["seconds"] <= BUDGET_TABLE_SECONDS
        and intervals["seconds"] <= BUDGET_INTERVALS_SECONDS
        and intervals["peak_gb"] <= BUDGET_INTERVALS_GB
        and max(controls.values()) <= BUDGET_CONTROL_MS
    )
    return 0 if kept else 1


def _make_sets(workspace: Workspace, n_pairs: int) -> list[NDArray[np.float32]]:
    """Save two sets of seeded pairs in three phases and keep seeded scores as those of TF-IDF; return them."""
    sets = []
    for seed, name in enumerate(NAMES):
        save_pairs(workspace, name, _pairs(seed, n_pairs), provenance={})
        sets.append(load_pairs(workspace, name))
    tfidf = resolve_encoder(workspace, "tfidf")
    scores = [_scores(seed, each) for seed, each in enumerate(sets)]
    for each, values in zip(sets, scores, strict=True):
        keep_scores(
            workspace,
            score_file(workspace, tfidf, each, fitted_on=sets, precision="fp32"),
            values,
            n_texts=2 * N_RECORDS,
        )
    return scores


def _pairs(seed: int, n_pairs: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    words = np.array([f"word{number}" for number in range(5000)])
    texts = np.array([" ".join(row) for row in words[rng.integers(len(words), size=(N_RECORDS, 12))]])
    categories = np.array([f"category {number}" for number in range(8)])[rng.integers(8, size=N_RECORDS)]
    ids = np.array([f"{NAMES[seed]}-{number}" for number in range(N_RECORDS)])
    one, other = rng.integers(N_RECORDS, size=(2, n_pairs))
    return pd.DataFrame(
        {
            "sentence1": texts[one], "sentence2": texts[other], "label": rng.integers(0, 2, n_pairs).astype(float),
            "id1": ids[one], "id2": ids[other], "category1": categories[one], "category2": categories[other],
            "phase": np.array(["easy", "medium", "hard"])[rng.integers(3, size=n_pairs)],
        }
    )  # fmt: skip


def _scores(seed: int, pairs: PairSet) -> NDArray[np.float32]:
    rng = np.random.default_rng(100 + seed)
    values = 0.35 + (0.30 - 0.15 * seed) * pairs.labels() + 0.15 * rng.normal(size=len(pairs))
    return np.clip(values, 0.0, 1.0).astype(np.float32)


def _request(workspace: Workspace) -> Request:
    return difficulty_request(workspace, *NAMES, _ENCODING, score_cut=0.6)


_ENCODING = EncodingConfig(encoder="tfidf", precision="fp32")


def _table(workspace: Workspace) -> tuple[dict[str, float], dict[str, Any]]:
    """Run the job's own function on kept scores and make what the page shows of it, in this process."""
    params, found = _request(workspace).params, []

    def measured() -> None:
        with Job(workspace.jobs / "measured", workspace) as job:
            found[:] = [run(params, job)]
        number_rows(found[0])
        spread_rows(found[0])
        two_set_histogram(*set_bins(found[0]))

    seconds = [_seconds(measured) for _ in range(3)]
    return {"seconds": round(statistics.median(seconds), 2), "first_seconds": round(seconds[0], 2)}, found[0]


def _peers(workspace: Workspace, result: dict[str, Any], scores: list[NDArray[np.float32]]) -> dict[str, float]:
    """Compute the same numbers of the first set with other libraries, in seconds each; they must agree."""
    from scipy.stats import spearmanr
    from sklearn.metrics import roc_auc_score

    side, values = result["sides"][0], scores[0].astype(np.float64)
    labels = load_pairs(workspace, NAMES[0]).labels()
    positive, negative = values[labels == 1], values[labels == 0]
    low, high = np.quantile(positive, 0.01), np.quantile(negative, 0.99)
    told: dict[str, tuple[float, Callable[[], float]]] = {
        "sklearn_roc_auc": (side["roc_auc"], lambda: float(roc_auc_score(labels, values))),
        "scipy_spearman": (side["spearman_cosine"], lambda: float(spearmanr(values, labels).statistic)),
        "numpy_separability": (side["separability"], lambda: float(positive.mean() - negative.mean())),
        "numpy_quantile": (side["positive_quantiles"][0], lambda: float(np.quantile(positive, 0.01))),
        "numpy_overlap": (side["overlap_robust"], lambda: float(((values >= low) & (values <= high)).mean())),
    }
    for name, (ours, theirs) in told.items():
        if abs(ours - theirs()) > AGREE:
            raise SystemExit(f"{name} does not agree: {ours} against {theirs()}.")
    return {f"{name}_seconds": round(_seconds(theirs), 3) for name, (_, theirs) in told.items()}


def _intervals(workspace: Workspace) -> dict[str, float]:
    """Run the job of the intervals in its own process, as a page does."""
    job, result = run_to_end(workspace, mismatch_request(workspace, *NAMES, _ENCODING, score_cut=0.6))
    if result["method"] != "bins" or not job.started or not job.ended:
        raise SystemExit(f"The intervals were not made in bins: {result['method']}.")
    peak = read_json(job.folder / "exit.json")["peak_rss_bytes"]
    return {
        "seconds": round(job.ended - job.started, 1),
        "n_resamples": result["n_resamples"],
        "peak_gb": round(peak / 1e9, 2),
    }


def _page() -> None:
    """Draw what the controls belong to; a script of its own, so that no other section of the page is measured."""
    import streamlit as st

    from benchmarks.difficulty_scale import _request
    from simtune_core.workflows.hardness import number_rows
    from ui.ask import answer_to
    from ui.distributions import distributions_panel, grey_zone
    from ui.hardness import difficulty_cards, difficulty_table
    from ui.session import current_workspace

    answer = answer_to(_request(current_workspace()), key="difficulty.ask", button="Measure")
    if answer is None:
        st.stop()
    zone = grey_zone()
    rows = number_rows(answer.result, grey=zone)
    difficulty_cards(rows)
    distributions_panel(answer, grey=zone)
    difficulty_table(rows, answer.result)


def _controls(workspace: Workspace) -> dict[str, float]:
    """Move each control several times and return the median time of the whole script, in milliseconds.

    A fragment would run a part of it only, so these are upper bounds.
    """
    from streamlit.testing.v1 import AppTest

    os.environ[VARIABLE] = str(workspace.root)
    job, result = run_to_end(workspace, _request(workspace))
    app = AppTest.from_function(_page, default_timeout=120).run()
    explorer, refs = f"difficulty.explorer.{job.id}", [side["ref"] for side in result["sides"]]
    told: dict[str, Callable[[int], None]] = {
        "threshold": lambda move: app.session_state.__setitem__(explorer, {"index": 90 + move}),
        "grey_zone": lambda move: app.slider(key="difficulty.grey").set_value((0.3 + 0.01 * move, 0.7)),
        "band": lambda move: app.slider(key="difficulty.band").set_value((0.2 + 0.005 * move, 0.205 + 0.01 * move)),
        "cell": lambda move: app.session_state.__setitem__(
            explorer, {"cell": {"model": refs[move % 2], "cell": "fp", "at": move + 1}}
        ),
        "facet": lambda move: app.multiselect(key="difficulty.facets").set_value(
            [refs[0], f"{refs[0]} · {('easy', 'medium', 'hard')[move % 3]}", refs[1]]
        ),
    }
    return {name: _median_ms(app, turn) for name, turn in told.items()}


def _median_ms(app: Any, turn: Callable[[int], None]) -> float:
    taken = []
    for move in range(N_MOVES):
        turn(move)
        taken.append(_seconds(app.run))
        if app.exception or app.error or not app.dataframe:
            raise SystemExit(f"The page shows an error: {[*app.exception, *app.error]}.")
    return round(1e3 * statistics.median(taken), 1)


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())

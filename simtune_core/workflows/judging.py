"""What the evaluation page looks up in a finished evaluation: counts at a threshold, histograms, pairs of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.datasets import load_pairs
from simtune_core.errors import JobError
from simtune_core.evaluation.thresholds import N_GRID, ConfusionCurve, ThresholdTable, threshold_table
from simtune_core.figures.histograms import ScoreBins
from simtune_core.jobs.launcher import read_job, read_result
from simtune_core.pairs import PairSet
from simtune_core.workspace import Workspace

Cell = Literal["tn", "fp", "fn", "tp"]
_BIN_WIDTH = 0.02
CELL_NAMES: dict[Cell, str] = {
    "fp": "False positives",
    "fn": "False negatives",
    "tp": "True positives",
    "tn": "True negatives",
}


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A finished evaluation with its scores.

    Attributes:
        result: The job's result.
        labels: 1 for a similar pair; shape (n_pairs,).
        scores: Cosine similarities by encoder, each of shape (n_pairs,).
        pairs: The pairs, row by row as the scores.
    """

    result: dict[str, Any]
    labels: NDArray[np.int8]
    scores: dict[str, NDArray[np.float32]]
    pairs: PairSet

    def thresholds(self, encoders: Sequence[str]) -> NDArray[np.float64]:
        """Return the explorer's thresholds: even steps from the least score shown (0 at most) to 1.

        The thresholds chosen on dev stand among them, so that the explorer shows exactly the numbers of the table.
        """
        lowest = min(float(self.scores[name].min()) for name in encoders)
        even = np.linspace(min(0.0, float(np.floor(lowest * 100) / 100)), 1.0, N_GRID)
        chosen = [model["threshold"] for model in self.result["models"] if model["encoder"] in encoders]
        return np.unique(np.concatenate((even, [value for value in chosen if value is not None])))

    def table(self, encoder: str) -> ThresholdTable:
        """Return an encoder's scores sorted once."""
        return threshold_table(self.scores[encoder], self.labels)

    def curve(self, encoder: str, encoders: Sequence[str]) -> ConfusionCurve:
        """Return an encoder's confusion counts at the thresholds common to `encoders`."""
        return self.table(encoder).confusions_at(self.thresholds(encoders))

    def bins(self, encoder: str, encoders: Sequence[str]) -> ScoreBins:
        """Return an encoder's histogram on bins common to `encoders`."""
        low = float(self.thresholds(encoders)[0])
        edges = np.arange(np.floor(low / _BIN_WIDTH), 1 / _BIN_WIDTH + 1) * _BIN_WIDTH
        values = np.clip(self.scores[encoder], edges[0], edges[-1])
        positive = np.histogram(values[self.labels == 1], edges)[0]
        return ScoreBins(edges, np.histogram(values[self.labels == 0], edges)[0], positive)

    def in_cell(self, encoder: str, cell: Cell, threshold: float) -> pd.DataFrame:
        """Return the pairs of one cell of a confusion matrix, the most wrong (or most certain) first.

        Returns:
            Columns `row, score, sentence1, sentence2, category1, category2, id1, id2`; empty columns left out.
        """
        scores = self.scores[encoder].astype(
            np.float64
        )  # as the counts compare them: float32 would round the threshold
        inside = (self.labels == (cell in ("tp", "fn"))) & ((scores >= threshold) == (cell in ("tp", "fp")))
        columns = ["sentence1", "sentence2", "category1", "category2", "id1", "id2"]
        found = self.pairs.frame.loc[inside, columns].dropna(axis=1, how="all")
        found.insert(0, "score", scores[inside])
        found.insert(0, "row", np.flatnonzero(inside))
        return found.sort_values("score", ascending=cell in ("fn", "tn"), kind="stable").reset_index(drop=True)


def read_judged(workspace: Workspace, job_id: str) -> Judged:
    """Read a finished evaluation.

    Raises:
        JobError: If the job has no result.
        WorkspaceError: If its pairs are gone.
    """
    result = read_result(workspace, job_id)
    path = read_job(workspace, job_id).folder / "scores.parquet"
    if not path.exists():
        raise JobError(f"The scores of {job_id} are gone; evaluate again.")
    frame = pd.read_parquet(path)
    scores = {model["encoder"]: frame[model["column"]].to_numpy(np.float32) for model in result["models"]}
    return Judged(result, frame["label"].to_numpy(np.int8), scores, load_pairs(workspace, result["set"]))

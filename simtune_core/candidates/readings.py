"""What an encoder makes of the sampled candidates: its similarity of each, and how that varies within a cell.

With it the ROC-AUC of that encoder on a plan is known before a pair is drawn. Owns the type and its file; embeds
nothing itself: readings_job.py does.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from simtune_core.candidates.counted import FINE_PER_CELL, N_CELLS, write_arrays
from simtune_core.difficulty.bins import bin_index
from simtune_core.errors import WorkspaceError

if TYPE_CHECKING:
    from simtune_core.curriculum.planning import PhasePlan

READINGS = "readings.npz"
READING_BINS = 100  # of 0.02 over [-1, 1]
_BINS_PER_UNIT = READING_BINS // 2


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """An encoder's similarities of sampled candidates, by the cell of the space that they were counted in.

    Attributes:
        encoder: Its name.
        title: Its name as pages show it.
        by_cell: Sampled pairs by same category (0, 1), known positive (0, 1), cell of 0.01 in the candidates' space,
            and bin of 0.02 of the encoder's cosine; shape (2, 2, N_CELLS, READING_BINS).
        path: The file, for `load_scores`.
    """

    encoder: str
    title: str
    by_cell: NDArray[np.int64]
    path: Path


def count_readings(sample: pd.DataFrame, scores: ArrayLike) -> NDArray[np.int64]:
    """Count the readings of a sample by cell.

    Args:
        sample: SAMPLE_COLUMNS, one row a pair.
        scores: The encoder's cosine of each row; shape (n_rows,).

    Returns:
        Shape (2, 2, N_CELLS, READING_BINS), as `Readings.by_cell`.
    """
    cell = bin_index(sample["similarity"]) // FINE_PER_CELL
    kind = 2 * sample["same_category"].to_numpy(np.int64) + sample["known"].to_numpy(np.int64)
    flat = (kind * N_CELLS + cell) * READING_BINS + reading_bin(scores)
    counted = np.bincount(flat, minlength=4 * N_CELLS * READING_BINS).astype(np.int64)
    return counted.reshape(2, 2, N_CELLS, READING_BINS)


def reading_bin(scores: ArrayLike) -> NDArray[np.int64]:
    """Return the bin of 0.02 of each cosine: half-open, the last one closed; same shape."""
    fine = bin_index(scores).astype(np.int64)
    return fine * READING_BINS // (FINE_PER_CELL * N_CELLS)


def save_readings(path: Path, *, encoder: str, title: str, scores: NDArray[np.float32], sample: pd.DataFrame) -> None:
    """Write the readings of a sample, whole or not at all; `scores` has one value a row of the sample."""
    held: dict[str, NDArray[Any]] = {
        "scores": np.asarray(scores, dtype=np.float32),
        "by_cell": count_readings(sample, scores),
        "names": np.array([encoder, title], dtype=str),
    }
    write_arrays(path, held)


def load_readings(folder: Path) -> Readings:
    """Read what a job `readings` left in its folder, without the readings of single pairs.

    Raises:
        WorkspaceError: If the file is missing or is not one of readings.
    """
    path = folder / READINGS
    parts = _parts(path, ("by_cell", "names"))
    encoder, title = map(str, parts["names"])
    return Readings(encoder, title, parts["by_cell"], path)


def load_scores(path: Path) -> NDArray[np.float32]:
    """Return the encoder's cosine of every row of the sample, shape (n_rows,); raises as `load_readings`."""
    scores: NDArray[np.float32] = _parts(path, ("scores",))["scores"]
    return scores


def roc_auc_of(phase: PhasePlan, readings: Readings) -> float | None:
    """Return the ROC-AUC that an encoder is expected to have on the pairs of a planned phase.

    The positives are taken to spread over the encoder's cosine as the sampled pairs of their cells do, and so are the
    negatives; ties within a bin of 0.02 count one half.

    Args:
        phase: What will be drawn from each cell.
        readings: The encoder's readings of the same sample.

    Returns:
        A number in [0, 1]; None if a class has no pair that was read.
    """
    spread = _spread(readings.by_cell)
    positive, negative = (np.tensordot(quota.sum(axis=0), spread, axes=3) for quota in (phase.positive, phase.negative))
    n_pairs = positive.sum() * negative.sum()
    if n_pairs <= 0:
        return None
    below = np.cumsum(negative) - negative / 2
    return float((positive * below).sum() / n_pairs)


def _spread(by_cell: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each cell's readings as shares; a cell without any stays zero."""
    totals = by_cell.sum(axis=-1, keepdims=True)
    return by_cell / np.maximum(totals, 1)


def _parts(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            return {name: held[name] for name in names}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise WorkspaceError(
            f"The readings {path.name} cannot be read ({error}); read the candidates again."
        ) from error

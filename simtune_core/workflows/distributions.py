"""What a measurement's distributions are looked at with: sets and phases as facets, thresholds, pairs of a band."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simtune_core.datasets import find_dataset
from simtune_core.difficulty.banding import SCORES, Band, KeptScores, read_kept
from simtune_core.difficulty.bins import BINS_PER_UNIT, edge_index
from simtune_core.difficulty.separability import Side, side_from_json
from simtune_core.errors import JobError
from simtune_core.evaluation.thresholds import ConfusionCurve
from simtune_core.jobs.launcher import read_job
from simtune_core.preparing.browsing import open_rows
from simtune_core.workspace import Workspace

Cell = Literal["tn", "fp", "fn", "tp"]
PAGE_ROWS = 100
_STEP = 0.005  # of the thresholds
_SHOWN = ("sentence1", "sentence2", "score", "category1", "category2", "phase", "id1", "id2")


@dataclass(frozen=True, slots=True, eq=False)
class Facet:
    """A set of a measurement, or one phase of it.

    Attributes:
        name: What it is called on the page, unique in the measurement.
        place: Which set of the result.
        phase: Which phase; None for the whole set.
        side: Its numbers and bins.
    """

    name: str
    place: int
    phase: str | None
    side: Side


@dataclass(frozen=True, slots=True, eq=False)
class BandPage:
    """Some of the pairs of a band.

    Attributes:
        frame: Columns `similarity`, `label`, both texts and, where known, score, categories, phase and ids.
        n_found: How many pairs are in the band.
        n_pages: How many pages of `PAGE_ROWS` they fill.
    """

    frame: pd.DataFrame
    n_found: int
    n_pages: int


def facets_of(result: dict[str, Any]) -> list[Facet]:
    """Return the sets of a difficulty result, then the phases of each that has more than one."""
    sets = [Facet(side["ref"], place, None, side_from_json(side)) for place, side in enumerate(result["sides"])]
    phases = [
        Facet(f"{side['ref']} · {each['phase']}", place, each["phase"], side_from_json(each))
        for place, side in enumerate(result["sides"])
        for each in (side["phases"] if len(side["phases"]) > 1 else [])
    ]
    return sets + phases


def thresholds_of(sides: Sequence[Side]) -> NDArray[np.float64]:
    """Return even thresholds up to 1 from 0, or from the least similarity, rounded down to 0.05, if that is below 0."""
    held = np.flatnonzero(np.sum([side.positive_counts + side.negative_counts for side in sides], axis=0))
    least = (int(held[0]) - BINS_PER_UNIT) / BINS_PER_UNIT if len(held) else 0.0
    first = min(0.0, float(np.floor(least * 20) / 20))
    return np.round(np.arange(round(first / _STEP), round(1 / _STEP) + 1) * _STEP, 3)


def confusion_curve(side: Side, thresholds: NDArray[np.float64]) -> ConfusionCurve:
    """Return the confusion counts of a side at thresholds that are edges of its bins; similar if s >= threshold."""
    edges = np.array([edge_index(threshold) for threshold in thresholds])
    below_negative, below_positive = (
        np.concatenate(([0], np.cumsum(counts)))[edges] for counts in (side.negative_counts, side.positive_counts)
    )
    return ConfusionCurve(
        thresholds=thresholds,
        tn=below_negative,
        fp=side.n_negative - below_negative,
        fn=below_positive,
        tp=side.n_positive - below_positive,
    )


def band_of_cell(cell: Cell, threshold: float, phase: str | None = None) -> Band:
    """Return the band that holds the pairs of one cell of a confusion matrix."""
    low, high = (threshold, 1.0) if cell in ("fp", "tp") else (-1.0, threshold)
    return Band(low, high, "positive" if cell in ("tp", "fn") else "negative", phase)


def pairs_in_band(
    workspace: Workspace, job_id: str, result: dict[str, Any], place: int, band: Band, *, page: int = 1
) -> BandPage:
    """Return one page of the pairs of a set whose similarity lies in a band, the hardest first.

    Args:
        workspace: Where the job and the set lie.
        job_id: The `difficulty` job.
        result: Its result.
        place: Which of its sets.
        band: The stretch, the label and the phase wanted.
        page: Number of the page, from 1; one beyond the last is the last.

    Raises:
        JobError: If the job's scores cannot be read.
        WorkspaceError: If the set is gone or was changed.
        DataFaultError: If the set has no such phase.
    """
    kept = _kept(workspace, job_id)[place]
    found = kept.places_in(band)
    n_pages = max(1, -(-len(found) // PAGE_ROWS))
    start = (min(max(page, 1), n_pages) - 1) * PAGE_ROWS
    places = found[start : start + PAGE_ROWS]
    frame = _rows(workspace, result["sides"][place]["ref"], places, len(kept.labels))
    frame.insert(0, "label", np.where(kept.labels[places] == 1, "similar", "different"))
    frame.insert(0, "similarity", kept.cosines[places].astype(np.float64))
    return BandPage(frame, len(found), n_pages)


def _rows(workspace: Workspace, ref: str, places: NDArray[np.int64], n_pairs: int) -> pd.DataFrame:
    """Read rows of a set by their places in it; columns without any value are left out."""
    version, split = find_dataset(workspace, ref, kind="pairs")
    table = open_rows(workspace, version)
    n_rows = version.n_rows if split is None else version.splits[split]
    if n_rows != n_pairs:
        raise JobError(f"{ref} has {n_rows:,} pairs and had {n_pairs:,} when it was measured; measure it again.")
    rows = places if split is None else _rows_of_split(workspace, ref, version.content_id)[places]
    shown = [name for name in _SHOWN if name in table.column_names]
    return table.select(shown).take(pa.array(rows)).to_pandas().dropna(axis=1, how="all")


@functools.lru_cache(maxsize=8)
def _rows_of_split(workspace: Workspace, ref: str, _content_id: str) -> NDArray[np.int64]:
    """Return which rows of a version are in a split, in order; the content id is part of the key alone."""
    version, split = find_dataset(workspace, ref, kind="pairs")
    inside = pc.equal(open_rows(workspace, version)["split"], split)
    return np.flatnonzero(pc.fill_null(inside, False).to_numpy())


def _kept(workspace: Workspace, job_id: str) -> list[KeptScores]:
    """Read what a job kept of its pairs, once per process and state of the file."""
    folder = read_job(workspace, job_id).folder
    try:
        told = (folder / SCORES).stat()
    except OSError as error:
        raise JobError(
            f"The similarities of the single pairs of {job_id} are gone; delete that job and measure again."
        ) from error
    return list(_read_once(folder, told.st_mtime_ns, told.st_ino))


@functools.lru_cache(maxsize=4)
def _read_once(folder: Path, *_: int) -> tuple[KeptScores, ...]:
    return tuple(read_kept(folder))

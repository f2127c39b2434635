"""What a candidates job leaves behind: counts of all pairs, a sample of them, and the test pairs on the same axis.

Owns the types, their files and what each number means. Counts nothing itself: counting.py does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from simtune_core.difficulty.bins import N_BINS
from simtune_core.errors import WorkspaceError
from simtune_core.files import whole_file

COUNTS = "counts.npz"  # CandidateCounts
SAMPLE = "pairs.parquet"  # SAMPLE_COLUMNS
RECORDS = "records.parquet"  # id, text, category of the records that `i` and `j` of the sample count
STEP = 0.01  # of similarity: width of a sampling cell, and what every band is a multiple of
FINE_PER_CELL = round(STEP * 1000)
N_CELLS = N_BINS // FINE_PER_CELL  # over [-1, 1]
SAMPLE_COLUMNS = ("i", "j", "similarity", "same_category", "known", "stratum")
Source = Literal["records", "pairs"]


@dataclass(frozen=True, slots=True, eq=False)
class CandidateCounts:
    """How many pairs there are at every similarity, and how many of them were sampled.

    Attributes:
        counts: Pairs by stratum, same category (0, 1), known positive (0, 1) and bin of 0.001 over [-1, 1]; shape
            (n_strata, 2, 2, N_BINS). Known positive is the same duplicate group for records, label 1 for a pair set.
            The stratum of a pair is the category of its first record in every other pair and of its second in the
            rest, so that both sides count. Exact, unless `n_anchors` says otherwise.
        sampled: Pairs of the sample, by the same axes and cells of 0.01; shape (n_strata, 2, 2, N_CELLS). Within one
            such cell every pair had the same chance.
        strata: Name of each stratum, most frequent category first.
        n_records: Records paired.
        source: Whether pairs were made of records or are those of a pair set.
        has_known: Whether known positives exist: duplicate groups, or labels.
        has_categories: Whether any category is known.
        space: Name of the encoder whose cosine is meant.
        n_anchors: Records whose pairs were counted where all would take too long; None when every pair was.
        error: Standard error of the estimated counts, by same category, known and cell; shape (2, 2, N_CELLS). None
            when they are exact.
        test: Similarities of the test pairs in the same space, by same category and label; None without a test set.
    """

    counts: NDArray[np.int64]
    sampled: NDArray[np.int64]
    strata: tuple[str, ...]
    n_records: int
    source: Source
    has_known: bool
    has_categories: bool
    space: str
    n_anchors: int | None = None
    error: NDArray[np.float64] | None = None
    test: TestPairs | None = None

    @property
    def n_pairs(self) -> int:
        """Return the number of pairs there are, estimated or exact."""
        return int(self.counts.sum())


@dataclass(frozen=True, slots=True, eq=False)
class TestPairs:
    """The pairs that the curriculum is to resemble, scored in the space of the candidates.

    Attributes:
        ref: The test set.
        similarities: Cosine; shape (n_pairs,).
        labels: 0 or 1; shape (n_pairs,).
        same_category: 1, 0, or -1 where a category is unknown; shape (n_pairs,).
    """

    __test__ = False  # not a test of pytest

    ref: str
    similarities: NDArray[np.float32]
    labels: NDArray[np.int8]
    same_category: NDArray[np.int8]


def save_counts(counts: CandidateCounts, path: Path) -> None:
    """Write counts as a compressed npz, whole or not at all."""
    held = {
        "counts": counts.counts,
        "sampled": counts.sampled,
        "strata": np.array(counts.strata, dtype=str),
        "facts": np.array([counts.n_records, counts.has_known, counts.has_categories, counts.n_anchors or 0]),
        "names": np.array([counts.source, counts.space, counts.test.ref if counts.test else ""], dtype=str),
    }
    if counts.error is not None:
        held["error"] = counts.error
    if counts.test is not None:
        held |= {
            "test_similarities": counts.test.similarities,
            "test_labels": counts.test.labels,
            "test_same_category": counts.test.same_category,
        }
    write_arrays(path, held)


def write_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write named arrays as a compressed npz, whole or not at all."""
    with whole_file(path) as beside, beside.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # numpy's stubs know no named arrays


def load_counts(path: Path) -> CandidateCounts:
    """Read counts back.

    Raises:
        WorkspaceError: If the file is missing or is not one of counts.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as parts:
            n_records, has_known, has_categories, n_anchors = (int(fact) for fact in parts["facts"])
            source, space, ref = map(str, parts["names"])
            test = None
            if ref:
                test = TestPairs(ref, parts["test_similarities"], parts["test_labels"], parts["test_same_category"])
            return CandidateCounts(
                counts=parts["counts"],
                sampled=parts["sampled"],
                strata=tuple(map(str, parts["strata"])),
                n_records=n_records,
                source="pairs" if source == "pairs" else "records",
                has_known=bool(has_known),
                has_categories=bool(has_categories),
                space=space,
                n_anchors=n_anchors or None,
                error=parts.get("error"),
                test=test,
            )
    except (OSError, ValueError, KeyError) as error:
        raise WorkspaceError(
            f"The pair counts {path.name} cannot be read ({error}); count the candidates again."
        ) from error

"""All pairs of a record set in one similarity space: exact counts in fine bins, and a sample of actual pairs.

Pairs are counted once, by category and duplicate group, so that a slider later reads sums. Works on vectors and codes;
knows no encoder, no job, no phase. Curricula are made of it in curriculum/phases.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.difficulty.bins import N_BINS, bin_index
from simtune_core.errors import DataFaultError, WorkspaceError
from simtune_core.files import whole_file
from simtune_core.records import Records

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

LabelRule = Literal["duplicate_group", "category"]
SAMPLE_COLUMNS = ("i", "j", "similarity", "same_category", "same_group", "stratum", "weight")
SAMPLE_CAP = 5000  # sampled pairs for each 0.01 of similarity and combination of same category and same group
MAX_STRATA = 256  # the most frequent categories keep their own counts, the rest share one
_FINE_PER_CELL = 10  # bins of 0.001 in a sampling cell of 0.01
_BLOCK_PAIRS = 5_000_000  # similarities held at once: 20 MB of float32 and some times that for keys

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class CandidateCounts:
    """How many pairs there are at every similarity.

    Attributes:
        counts: Pairs by stratum, same category (0, 1), same duplicate group (0, 1) and bin of 0.001 over [-1, 1];
            shape (n_strata, 2, 2, N_BINS). The stratum of a pair is the category of its first record in every other
            pair and of its second in the rest, so that both sides count.
        strata: Name of each stratum, most frequent category first.
        n_records: Records paired.
        rule: What makes a pair positive.
        space: Encoder whose cosine is meant.
    """

    counts: NDArray[np.int64]
    strata: tuple[str, ...]
    n_records: int
    rule: LabelRule
    space: str

    @property
    def n_pairs(self) -> int:
        """Return the number of pairs, n (n - 1) / 2."""
        return self.n_records * (self.n_records - 1) // 2


@dataclass(frozen=True, slots=True, eq=False)
class RecordCodes:
    """Integer codes of a record set; make it with `record_codes`.

    Attributes:
        category: Equal for equal categories; a record without one has a code of its own; shape (n_records,).
        group: The same for duplicate groups; shape (n_records,).
        stratum: Position in `strata`; shape (n_records,).
        strata: Name of each stratum.
        rule: What makes a pair positive.
    """

    category: NDArray[np.int32]
    group: NDArray[np.int32]
    stratum: NDArray[np.int32]
    strata: tuple[str, ...]
    rule: LabelRule


def paired_records(records: Records) -> Records:
    """Return the records that are paired: without duplicate groups those with a category, which labels the pairs.

    Raises:
        DataFaultError: If neither groups nor categories are known.
    """
    if records.has_groups:
        return records
    frame = records.frame[records.frame["category"].notna()].reset_index(drop=True)
    if frame.empty:
        raise DataFaultError(
            f"{records.ref} must have duplicate groups or categories to tell positive from negative pairs, and has "
            "neither; import it again with such a column."
        )
    return Records(frame, records.ref, records.content_id)


def record_codes(frame: pd.DataFrame) -> RecordCodes:
    """Encode categories and duplicate groups, and say which of them labels the pairs.

    Args:
        frame: Records; columns `category` and `duplicate_group`, null where unknown.

    Returns:
        The codes. The rule is `duplicate_group` where any group is known, else `category`.

    Raises:
        DataFaultError: If there are fewer than two records, or neither groups nor categories are known, or a record
            lacks its category under the rule `category`.
    """
    groups, categories = frame["duplicate_group"], frame["category"]
    rule: LabelRule = "duplicate_group" if groups.notna().any() else "category"
    if len(frame) < 2:
        raise DataFaultError(f"Pairs need at least two records, got {len(frame)}.")
    if rule == "category" and categories.isna().any():
        missing = int(categories.isna().sum())
        raise DataFaultError(
            f"Without duplicate groups every record must have a category to label its pairs; {missing} "
            f"of {len(frame)} have none. Leave those out, or import the records with a category or group column."
        )
    names = categories.fillna("(no category)")
    ranked = names.value_counts().index.tolist()
    strata = ranked if len(ranked) <= MAX_STRATA else [*ranked[: MAX_STRATA - 1], "(other categories)"]
    position = {name: min(rank, len(strata) - 1) for rank, name in enumerate(ranked)}
    return RecordCodes(
        category=_codes(categories),
        group=_codes(groups),
        stratum=names.map(position).to_numpy(np.int32),
        strata=tuple(map(str, strata)),
        rule=rule,
    )


def count_candidates(
    vectors: NDArray[np.float32] | csr_matrix, codes: RecordCodes, *, space: str, progress: Progress | None = None
) -> CandidateCounts:
    """Count every pair of records, those of similarity zero included.

    Args:
        vectors: Rows of unit length, dense or sparse; shape (n_records, dim).
        codes: Of the same records.
        space: Name of the encoder.
        progress: Called with (pairs done, pairs to do, what is being done).

    Returns:
        Exact counts; they sum to n (n - 1) / 2.
    """
    shape = (len(codes.strata), 2, 2, N_BINS)
    total = np.zeros(int(np.prod(shape)), dtype=np.int64)
    n_records, done = len(codes.category), 0
    for start, similarities in _blocks(vectors):
        keys = _keys(codes, start, bin_index(similarities))
        counted = np.bincount(keys.ravel(), minlength=len(total) + 1)
        total += counted[:-1]
        done += int(counted[:-1].sum())
        if progress:
            progress(done, n_records * (n_records - 1) // 2, "counting pairs")
    return CandidateCounts(total.reshape(shape), codes.strata, n_records, codes.rule, space)


def sample_candidates(
    vectors: NDArray[np.float32] | csr_matrix,
    codes: RecordCodes,
    counts: CandidateCounts,
    *,
    seed: int,
    cap: int = SAMPLE_CAP,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Draw actual pairs, evenly over similarity, label cell and category, with the weights that undo it.

    A cell is 0.01 of similarity by same category by same group; its cap is shared evenly by its categories. In each
    part of a cell every pair is kept with the same probability, so the number kept varies a little around the cap.

    Args:
        vectors: As in `count_candidates`.
        codes: As in `count_candidates`.
        counts: Of the same vectors and codes.
        seed: The same seed draws the same pairs.
        cap: Pairs wanted from each cell.
        progress: As in `count_candidates`.

    Returns:
        One row a pair, columns SAMPLE_COLUMNS: positions `i < j` in the records, `similarity` (float32), flags,
        `stratum`, and `weight` = pairs in its part of the cell / pairs sampled there.
    """
    parts = counts.counts.reshape(-1, _FINE_PER_CELL).sum(axis=1)
    in_use = (counts.counts.reshape(len(counts.strata), -1, _FINE_PER_CELL).sum(axis=2) > 0).sum(axis=0)
    share = cap / np.maximum(np.tile(in_use, len(counts.strata)), 1)
    keep = np.append(np.minimum(1.0, share / np.maximum(parts, 1)), 0.0).astype(np.float32)  # last: not a pair
    rows: list[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]]] = []
    n_records = len(codes.category)
    for start, similarities in _blocks(vectors):
        keys = _keys(codes, start, bin_index(similarities)) // _FINE_PER_CELL
        rng = np.random.default_rng((seed, start))
        first, second = np.nonzero(rng.random(keys.shape, dtype=np.float32) < keep[keys])
        rows.append(
            (
                (first + start).astype(np.int32),
                (second + start).astype(np.int32),
                similarities[first, second],
                keys[first, second].astype(np.int32),
            )
        )
        if progress:
            progress(min(start + len(similarities), n_records), n_records, "sampling pairs")
    i, j, similarity, part = (np.concatenate(column) for column in zip(*rows, strict=True))
    return _sample_frame(i, j, similarity, part, parts)


def save_counts(counts: CandidateCounts, path: Path) -> None:
    """Write counts as a compressed npz, whole or not at all."""
    with whole_file(path) as beside, beside.open("wb") as file:
        np.savez_compressed(
            file,
            counts=counts.counts,
            strata=np.array(counts.strata, dtype=str),
            n_records=np.int64(counts.n_records),
            rule=np.array(counts.rule),
            space=np.array(counts.space),
        )


def load_counts(path: Path) -> CandidateCounts:
    """Read counts back.

    Raises:
        WorkspaceError: If the file is missing or is not one of counts.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as parts:
            return CandidateCounts(
                counts=parts["counts"],
                strata=tuple(map(str, parts["strata"])),
                n_records=int(parts["n_records"]),
                rule="category" if str(parts["rule"]) == "category" else "duplicate_group",
                space=str(parts["space"]),
            )
    except (OSError, ValueError, KeyError) as error:
        raise WorkspaceError(
            f"The pair counts {path.name} cannot be read ({error}); count the candidates again."
        ) from error


def _codes(values: pd.Series) -> NDArray[np.int32]:
    codes = np.asarray(pd.factorize(values)[0], dtype=np.int32)
    unknown = np.flatnonzero(codes < 0)
    codes[unknown] = codes.max(initial=-1) + 1 + np.arange(len(unknown), dtype=np.int32)
    return codes


def _blocks(vectors: NDArray[np.float32] | csr_matrix) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield a first row and the similarities of some rows from it on with all rows from it on, (n_rows, n - start)."""
    n_records = vectors.shape[0]
    start = 0
    while start < n_records:
        stop = min(n_records, start + max(1, _BLOCK_PAIRS // (n_records - start)))
        product = vectors[start:stop] @ vectors[start:].T
        yield start, product if isinstance(product, np.ndarray) else product.toarray()
        start = stop


def _keys(codes: RecordCodes, start: int, bins: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the flat position of each pair in the counts; one past the end where it is not a pair i < j."""
    n_rows = len(bins)
    row, column = slice(start, start + n_rows), slice(start, None)
    odd = (np.arange(n_rows)[:, None] + np.arange(bins.shape[1])[None, :]) % 2 == 1
    keys = np.where(odd, codes.stratum[row, None], codes.stratum[None, column]).astype(np.int64)
    keys = 2 * keys + (codes.category[row, None] == codes.category[None, column])
    keys = 2 * keys + (codes.group[row, None] == codes.group[None, column])
    keys = N_BINS * keys + bins
    keys[np.tril_indices(n_rows)] = len(codes.strata) * 4 * N_BINS
    return keys


def _sample_frame(
    i: NDArray[np.int32],
    j: NDArray[np.int32],
    similarity: NDArray[np.float32],
    part: NDArray[np.int32],
    sizes: NDArray[np.int64],
) -> pd.DataFrame:
    sampled = np.bincount(part, minlength=len(sizes))
    cell = part // (N_BINS // _FINE_PER_CELL)
    return pd.DataFrame(
        {
            "i": i,
            "j": j,
            "similarity": similarity,
            "same_category": (cell // 2) % 2 == 1,
            "same_group": cell % 2 == 1,
            "stratum": (cell // 4).astype(np.int32),
            "weight": sizes[part] / sampled[part],
        }
    )

"""Categories, duplicate groups and strata of records as integers, which the kernels compare. Knows no vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.errors import DataFaultError

NO_CATEGORY = "(no category)"  # the stratum of records without one
MAX_STRATA = 256  # the most frequent categories keep their own counts, the rest share one


@dataclass(frozen=True, slots=True, eq=False)
class RecordCodes:
    """Integer codes of records; make it with `record_codes`.

    Attributes:
        category: Equal for equal categories; a record without one has a code of its own; shape (n_records,).
        group: The same for duplicate groups; shape (n_records,).
        stratum: Position in `strata`; shape (n_records,).
        strata: Name of each stratum, most frequent category first.
    """

    category: NDArray[np.int32]
    group: NDArray[np.int32]
    stratum: NDArray[np.int32]
    strata: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.category)


def record_codes(frame: pd.DataFrame) -> RecordCodes:
    """Encode the categories and duplicate groups of records.

    Args:
        frame: Columns `category` and `duplicate_group`, null where unknown.

    Raises:
        DataFaultError: If there are fewer than two records.
    """
    if len(frame) < 2:
        raise DataFaultError(f"Pairs need at least two records, got {len(frame)}.")
    names = frame["category"].fillna(NO_CATEGORY)
    ranked = names.value_counts().index.tolist()
    strata = ranked if len(ranked) <= MAX_STRATA else [*ranked[: MAX_STRATA - 1], "(other categories)"]
    position = {name: min(rank, len(strata) - 1) for rank, name in enumerate(ranked)}
    return RecordCodes(
        category=_codes(frame["category"]),
        group=_codes(frame["duplicate_group"]),
        stratum=names.map(position).to_numpy(np.int32),
        strata=tuple(map(str, strata)),
    )


def _codes(values: pd.Series) -> NDArray[np.int32]:
    codes = np.array(pd.factorize(values)[0], dtype=np.int32)
    unknown = np.flatnonzero(codes < 0)
    codes[unknown] = codes.max(initial=-1) + 1 + np.arange(len(unknown), dtype=np.int32)
    return codes

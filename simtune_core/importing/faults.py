"""What is wrong with a foreign table, row by row and column by column, and the sentences that say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from simtune_core.tables.table import Table

SHOWN_FAULTS = 200
_SHOWN_VALUE = 60  # characters of a value in a sentence
_IN_A_SENTENCE = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one row, or with a whole column (row is None)."""

    row: int | None
    column: str
    message: str

    @property
    def sentence(self) -> str:
        """Return the fault with its row and its column."""
        return (f"row {self.row:,}, " if self.row is not None else "") + f"{self.column}: {self.message}"

    def as_json(self) -> dict[str, Any]:
        """Return the fault as JSON."""
        return {"row": self.row, "column": self.column, "message": self.message}


class FaultList:
    """Collects the faults of a table; a row with any fault is bad, and a column's fault cannot be cured by dropping.

    Attributes:
        bad: Which rows have a fault, shape (n_rows,).
    """

    def __init__(self, table: Table) -> None:
        self._numbers = table.numbers
        self.bad = np.zeros(len(table.frame), dtype=bool)
        self._listed: list[Fault] = []
        self._columns: list[Fault] = []

    def add(self, wrong: ArrayLike, column: str, message: str, values: pd.Series | None = None) -> None:
        """List rows.

        Args:
            wrong: Which rows, booleans of shape (n_rows,).
            column: What is wrong in them, by its role.
            message: The sentence; `{value!r}` stands for the row's value.
            values: The values, shape (n_rows,).
        """
        rows = np.flatnonzero(np.asarray(wrong, dtype=bool))
        self.bad[rows] = True
        for index in rows[:SHOWN_FAULTS]:
            value = None if values is None else shown(values.iloc[index])
            self._listed.append(Fault(int(self._numbers[index]), column, message.format(value=value)))

    def block(self, column: str, message: str) -> None:
        """List a fault of a whole column, which has to be settled before anything is saved."""
        self._columns.append(Fault(None, column, message))

    @property
    def listed(self) -> tuple[Fault, ...]:
        """Return the faults of columns, then the first `SHOWN_FAULTS` of rows in the order of the file."""
        rows = sorted(self._listed, key=lambda fault: fault.row or 0)
        return (*self._columns, *rows[:SHOWN_FAULTS])

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Return which rows have no fault, shape (n_rows,)."""
        return ~self.bad


def shown(value: Any) -> Any:
    """Return a value as a sentence quotes it: its first characters; None where there is none."""
    return value[:_SHOWN_VALUE] if isinstance(value, str) else None


def worded_faults(kind: str, faults: Sequence[Fault], *, n_faulty_rows: int, n_rows: int) -> str:
    """Word the faults of a table as one paragraph: how many, and the first few with their rows.

    Args:
        kind: Records or pairs.
        faults: The faults listed, those of columns first.
        n_faulty_rows: How many rows have one.
        n_rows: How many rows the file has.
    """
    blocking = [fault for fault in faults if fault.row is None]
    if blocking:
        return f"The columns do not fit {kind}: {_first(blocking)}."
    n_more = n_faulty_rows - _IN_A_SENTENCE
    more = f"; and {n_more:,} more rows" if n_more > 0 else ""
    return (
        f"{n_faulty_rows:,} of {n_rows:,} rows have a fault: {_first(faults)}{more}. "
        "Correct the file, or choose to drop these rows."
    )


def counted(n: int, noun: str) -> str:
    """Word a count: `1 row`, `1,200 rows`."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _first(faults: Sequence[Fault]) -> str:
    return "; ".join(fault.sentence for fault in faults[:_IN_A_SENTENCE])

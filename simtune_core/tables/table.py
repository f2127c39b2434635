"""What a foreign file is read into: a table of text, how it was read, and the limits that hold for all of them.

Reads no file itself and knows nothing of records or pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from simtune_core.errors import DataFaultError
from simtune_core.settings import Settings

MAX_ROWS = 2_000_000
MAX_COLUMNS = 1_000
MAX_BYTES = 2_000_000_000  # of a file, expanded
MAX_TEXT = 100_000  # characters of one text

Delimiter = Literal["comma", "semicolon", "tab", "pipe"]
DELIMITERS: dict[Delimiter, str] = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
Quotes = Literal["enclose", "plain"]
Progress = Callable[[int, int, str], None]  # done, total, what is counted


class ReadingOptions(Settings):
    """How a file is to be read; what is not set is detected."""

    encoding: str | None = Field(
        default=None,
        description="The encoding of a text file, such as utf-8, cp1252, utf-16. Empty: detected.",
    )
    delimiter: Delimiter | None = Field(
        default=None, description="What separates the fields of a CSV, TSV or TXT file. Empty: detected."
    )
    quotes: Quotes | None = Field(
        default=None,
        description="Whether quotes enclose the fields of a CSV, TSV or TXT file, or are plain characters of its "
        "texts. Empty: detected.",
    )
    sheet: str | None = Field(
        default=None, description="The sheet of an XLSX workbook. Empty: the first that holds rows."
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file was read: what was asked for or detected.

    Attributes:
        format: What the file is: csv, tsv, txt, parquet, json, jsonl, xlsx, folder of ...
        encoding: Its encoding by Python's name, such as utf-8 or cp1252; None where the format fixes it.
        delimiter: What separates its fields; None where nothing does.
        quotes: plain where quotes are characters of the texts; None where they enclose fields, as usual.
        sheet: The sheet read; None without sheets.
        sheets: All sheets of the workbook.
        expanded_bytes: The size of what a packed file, a workbook or a Parquet file held; None where nothing was packed
            or only the head was read.
    """

    format: str
    encoding: str | None = None
    delimiter: Delimiter | None = None
    quotes: Quotes | None = None
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    expanded_bytes: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A file as read: every value is text, nothing interpreted.

    Attributes:
        frame: Columns of strings, null where the file has no value.
        source: The file's name.
        numbers: Where each row begins, shape (n_rows,): its line in the file, or its place in a file that has no
            lines (Parquet, a JSON list), from 1; in a sheet its row.
        notes: Sentences on what was detected, left out or changed while reading.
        reading: How the file was read.
    """

    frame: pd.DataFrame
    source: str
    numbers: NDArray[np.int64]
    notes: tuple[str, ...] = ()
    reading: Reading = field(default_factory=lambda: Reading("csv"))


def require_once(columns: Sequence[str], name: str) -> None:
    """Refuse a file that names a column twice, or has too many.

    Raises:
        DataFaultError: With the names that stand twice.
    """
    if len(columns) > MAX_COLUMNS:
        raise DataFaultError(f"{name} must have at most {MAX_COLUMNS:,} columns, got {len(columns):,}.")
    counts = pd.Index(columns).value_counts()
    repeated = sorted(str(column)[:60] for column in counts.index[counts > 1])
    if repeated:
        raise DataFaultError(f"{name} must name every column once, got {', '.join(repeated)} more than once.")


def require_size(n_bytes: int, name: str) -> None:
    """Refuse a file whose content is larger than `MAX_BYTES`.

    Raises:
        DataFaultError: With both sizes.
    """
    if n_bytes > MAX_BYTES:
        raise DataFaultError(
            f"{name} must expand to at most {MAX_BYTES / 1e9:g} GB, got {n_bytes / 1e9:.3g} GB or more."
        )


def require_rows(n_rows: int, name: str) -> None:
    """Refuse a file of more than `MAX_ROWS` rows.

    Raises:
        DataFaultError: With both counts.
    """
    if n_rows > MAX_ROWS:
        raise DataFaultError(f"{name} must have at most {MAX_ROWS:,} rows, got {n_rows:,}.")

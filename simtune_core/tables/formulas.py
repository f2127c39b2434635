"""Cells that a spreadsheet would take for a formula: marked when a table is written as CSV, and unmarked again.

A cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return gets an apostrophe in front, which spreadsheets
take as "this is text". So does one that begins with apostrophes and then one of these: otherwise the way back would
not be known. Only texts are marked, never numbers.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MARK = "'"
DANGEROUS = "^'*[=+\\-@\t\r]"  # a regular expression for pyarrow and Python alike
_MARKED = re.compile("'+[=+\\-@\t\r]")


def marked(values: Any) -> tuple[Any, int]:
    """Mark the texts of an Arrow column that a spreadsheet would run.

    Args:
        values: A column of strings (`pyarrow.ChunkedArray`).

    Returns:
        The column, and how many of its texts were marked.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    dangerous = pc.fill_null(pc.match_substring_regex(values, DANGEROUS), False)
    n = pc.sum(dangerous).as_py() or 0
    if n == 0:
        return values, 0
    nothing, mark = (pa.scalar(text, values.type) for text in ("", MARK))
    return pc.if_else(dangerous, pc.binary_join_element_wise(mark, values, nothing), values), n


def find_marked(values: pd.Series) -> NDArray[np.int64]:
    """Return the places of the texts of a column that begin as `marked` makes them, ascending, from 0."""
    begins = values.str.startswith(MARK).fillna(False).to_numpy(dtype=bool)
    places = np.flatnonzero(begins)
    return places[[bool(_MARKED.match(text)) for text in values.iloc[places]]] if len(places) else places


def unmarked(text: str) -> str:
    """Return a text as it was before `marked`; one that was not marked stays as it is."""
    return text[len(MARK) :] if _MARKED.match(text) else text

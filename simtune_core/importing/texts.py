"""Columns of text in bulk: joined, measured, trimmed; ids that are nearly the same.

Works on whole columns in Arrow, so that a million rows take a second or two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.tables.columns import as_strings, is_blank

if TYPE_CHECKING:
    import pyarrow as pa

# Patterns of Arrow's regular expressions (RE2).
_LEADING_ZEROS = r"^0+([^0.].*)$"
_SPELLED_OTHERWISE = r"\s|^0.|^[0-9]+\.0+$"  # without such an id there are no twins
_WHOLE_NUMBER = r"^([0-9]+)\.0+$"


def arrow_of(values: pd.Series) -> pa.ChunkedArray:
    """Return a column of strings as Arrow holds it, without copying where pandas holds it so already."""
    import pyarrow as pa

    found = pa.array(values.astype("str"), from_pandas=True)
    chunked = found if isinstance(found, pa.ChunkedArray) else pa.chunked_array([found])
    return chunked.cast(pa.large_string())


def series_of(values: pa.ChunkedArray, index: pd.Index) -> pd.Series:
    """Return an Arrow column of strings as a pandas column of dtype `str` under `index`."""
    return as_strings(values.chunks).set_axis(index)


def show_nothing(values: pd.Series) -> NDArray[np.bool_]:
    """Tell where there is nothing to see: null, empty, blanks, or characters of no width. Shape (n_rows,)."""
    import pyarrow.compute as pc

    seen = pc.fill_null(pc.match_substring_regex(arrow_of(values), "[[:graph:]]"), False)
    blank = ~np.asarray(seen.to_numpy())
    blank[blank] = is_blank(values[blank]).to_numpy(bool)  # the few without a visible ASCII character
    return blank


def lengths(values: pd.Series) -> NDArray[np.int64]:
    """Return the number of characters of each text, 0 for null. Shape (n_rows,)."""
    import pyarrow.compute as pc

    return np.asarray(pc.fill_null(pc.utf8_length(arrow_of(values)), 0).to_numpy())


def joined(columns: Sequence[pd.Series], separator: str) -> pd.Series:
    """Join columns of text row by row, parts in order; a part with nothing to see is left out.

    Args:
        columns: The parts, each of shape (n_rows,).
        separator: What stands between two parts.

    Returns:
        The texts; one column comes back as it is.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(columns) == 1:
        return columns[0].astype("str")
    between = pa.scalar(separator, pa.large_string())
    whole, *further = (arrow_of(column.mask(show_nothing(column))).combine_chunks() for column in columns)
    for part in further:  # null_handling="skip" would do it, but pyarrow 26 loses rows in which every part is null
        both = pc.binary_join_element_wise(whole, part, between)
        whole = pc.coalesce(both, whole, part)
    return series_of(pa.chunked_array([whole]), columns[0].index)


def trimmed(values: pd.Series) -> tuple[pd.Series, int]:
    """Remove blanks around names such as ids and splits.

    Returns:
        The names, and how many of them had any.
    """
    stripped = values.str.strip()
    return stripped, int((stripped != values)[values.notna()].sum())


def near_duplicate_ids(*columns: pd.Series) -> tuple[int, list[str]]:
    """Find ids that differ from another one in leading zeros, blanks or a decimal .0 alone, as 007, 7 and 7.0 do.

    Args:
        columns: One or more columns of ids, already trimmed.

    Returns:
        How many distinct ids have such a twin, and the first two of them.
    """
    import pyarrow.compute as pc

    ids = pd.concat(columns).dropna()
    if not pc.any(pc.match_substring_regex(arrow_of(ids), _SPELLED_OTHERWISE)).as_py():
        return 0, []
    unique = pd.Series(ids.unique(), dtype="str")
    keys = pc.replace_substring_regex(arrow_of(unique), r"\s+", "")
    keys = pc.replace_substring_regex(keys, _WHOLE_NUMBER, r"\1")
    keys = series_of(pc.replace_substring_regex(keys, _LEADING_ZEROS, r"\1"), unique.index)
    twins = keys.duplicated(keep=False)
    if not twins.any():
        return 0, []
    first = keys[twins].iloc[0]
    return int(twins.sum()), unique[keys == first].head(2).tolist()

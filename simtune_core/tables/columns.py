"""Columns of text, collected chunk by chunk as Arrow strings, cleaned of what no text may hold.

NUL and control characters and lone surrogates are cleaned and counted; everything else stays as it is.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.errors import DataFaultError
from simtune_core.tables.table import MAX_COLUMNS, require_once, require_rows

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 20_000
_SPACES = "\x0b\x0c\x1c\x1d\x1e\x1f"  # control characters that separate words
_CONTROL = "".join(map(chr, [*range(9), 11, 12, *range(14, 32), 127]))  # all of ASCII but tab and line ends
_CONTROL_BYTES = _CONTROL.encode()
_CLEANED = str.maketrans({character: " " if character in _SPACES else None for character in _CONTROL})
_SURROGATES = re.compile("[\ud800-\udfff]")
_INVISIBLE = (  # spaces, and characters without width
    "[\\s\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202f\u205f-\u206f"
    "\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0]"
)


class Columns:
    """Rows in, a frame out; a column that appears late is null before.

    Attributes:
        numbers: Where each row begins; see `Table.numbers`.
    """

    def __init__(self, name: str, columns: Iterable[str] = ()) -> None:
        self.name = name
        self.numbers = array("q")
        self._chunks: dict[str, list[pa.Array]] = {column: [] for column in columns}
        self._n_rows = 0
        self._cleaned: Counter[str] = Counter()
        self._named: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Return the columns met so far, in order."""
        return list(self._chunks)

    def add(self, values: Mapping[str, Sequence[str | None] | pa.Array], *, empty_is_null: bool = False) -> None:
        """Add a chunk of rows.

        Args:
            values: Text by column, all of one length; a column left out is null.
            empty_is_null: Whether "" means that the file has no value, as in CSV.

        Raises:
            DataFaultError: If there are too many rows or columns.
        """
        import pyarrow as pa

        n_rows = len(next(iter(values.values()))) if values else 0
        for column in values:
            self._chunks.setdefault(column, [pa.nulls(self._n_rows, pa.large_string())])
        if len(self._chunks) > MAX_COLUMNS:
            raise DataFaultError(
                f"{self.name} must have at most {MAX_COLUMNS:,} columns, got {len(self._chunks):,} or more."
            )
        for column, chunks in self._chunks.items():
            given = values.get(column)
            chunks.append(pa.nulls(n_rows, pa.large_string()) if given is None else self._clean(given, empty_is_null))
        self._n_rows += n_rows
        require_rows(self._n_rows, self.name)

    def leave_out(self, columns: Iterable[str]) -> None:
        """Forget columns."""
        for column in columns:
            self._chunks.pop(column, None)

    def frame(self) -> pd.DataFrame:
        """Return all rows as a frame of strings.

        Raises:
            DataFaultError: If two columns have one name once both are cleaned.
        """
        names, self._named = header_names(self.names, self.name)
        return pd.DataFrame(
            {name: as_strings(chunks) for name, chunks in zip(names, self._chunks.values(), strict=True)}
        )

    def places(self) -> NDArray[np.int64]:
        """Return where each row begins; from 1 where no numbers were given."""
        if not self.numbers:
            return np.arange(1, self._n_rows + 1)
        return np.frombuffer(self.numbers, dtype=np.int64).copy()

    def notes(self) -> tuple[str, ...]:
        """Return a sentence on columns without a name, once there is a frame, and on characters that were cleaned."""
        told = {
            "NUL": "removed from the file",
            "control": "removed from the file, or made a space where they separate words",
            "broken": "replaced by \ufffd (lone surrogates, half a character)",
        }
        return self._named + tuple(
            f"{n:,} {kind} character{'s were' if n > 1 else ' was'} {told[kind]}."
            for kind in told
            if (n := self._cleaned[kind])
        )

    def _clean(self, values: Sequence[str | None] | pa.Array, empty_is_null: bool) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        try:
            texts = pa.array(values, pa.large_string())
        except UnicodeEncodeError:
            texts = pa.array([value and self._whole(value) for value in values], pa.large_string())
        content = texts.buffers()[2]
        raw = b"" if content is None else content.to_pybytes()
        if len(raw.translate(None, _CONTROL_BYTES)) != len(raw):
            texts = pa.array([value and self._printable(value) for value in texts.to_pylist()], pa.large_string())
        return pc.if_else(pc.equal(texts, ""), None, texts) if empty_is_null else texts

    def _whole(self, text: str) -> str:
        """Return text whose halves of characters are joined where they fit, else replaced and counted."""
        if not _SURROGATES.search(text):
            return text
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        whole, n_broken = _SURROGATES.subn("\ufffd", joined)
        self._cleaned["broken"] += n_broken
        return whole

    def _printable(self, text: str) -> str:
        n_nul = text.count("\x00")
        n_control = sum(map(text.count, _CONTROL[1:]))
        self._cleaned.update({"NUL": n_nul, "control": n_control})
        return text.translate(_CLEANED) if n_nul or n_control else text


def as_strings(chunks: Sequence[pa.Array]) -> pd.Series:
    """Return Arrow strings as a pandas column of strings, without a copy."""
    import pyarrow as pa

    column = pa.chunked_array(list(chunks), pa.large_string())
    return pd.Series(pd.array(column, dtype=pd.StringDtype("pyarrow", na_value=np.nan)))


def is_blank(texts: pd.Series) -> pd.Series:
    """Tell which texts show nothing: absent, empty, or only spaces and characters without width.

    Args:
        texts: Strings, null where absent; shape (n,).

    Returns:
        Truth values with the index of `texts`.
    """
    return texts.fillna("").str.fullmatch(f"{_INVISIBLE}*")


def header_names(cells: Sequence[str], name: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the names of columns, stripped and cleaned, an empty one named by its place; and a note on those.

    Raises:
        DataFaultError: If a name stands twice or there are too many.
    """
    clean = [_SURROGATES.sub("\ufffd", cell).translate(_CLEANED).strip() for cell in cells]
    unnamed = [f"column {place}" for place, cell in enumerate(clean, start=1) if not cell]
    columns = [cell or f"column {place}" for place, cell in enumerate(clean, start=1)]
    require_once(columns, name)
    if not unnamed:
        return columns, ()
    shown = ", ".join(unnamed[:5])
    return columns, (f"The header leaves {len(unnamed):,} of {len(columns):,} columns without a name: {shown}.",)

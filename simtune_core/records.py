"""The table of records: its columns and its content; datasets.py reads and saves it, importing/ makes it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

RECORD_COLUMNS = ("id", "text", "category", "duplicate_group", "split")
REQUIRED_RECORD_COLUMNS = ("id", "text")


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """A table of records.

    Attributes:
        frame: One row a record; columns `id, text, category, duplicate_group, split` (strings, null where unknown)
            and any others.
        ref: Canonical reference, `name@v0001` or `name@v0001:split`.
        content_id: sha256 of the content; equal content has equal ids.
    """

    frame: pd.DataFrame
    ref: str
    content_id: str

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def has_groups(self) -> bool:
        """Tell whether any record's duplicate group is known."""
        return bool(self.frame["duplicate_group"].notna().any())


def with_record_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with every contract column present and first, as strings; null where unknown."""
    frame = frame.copy()
    for column in RECORD_COLUMNS:
        if column not in frame:
            frame[column] = None
        frame[column] = frame[column].astype("str")
    others = [column for column in frame.columns if column not in RECORD_COLUMNS]
    return frame[[*RECORD_COLUMNS, *others]].reset_index(drop=True)

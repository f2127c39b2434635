"""The table of text pairs: its columns and its content; datasets.py reads and saves it, importing/ makes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.errors import DataFaultError

TEXT_COLUMNS = ("sentence1", "sentence2")
PAIR_COLUMNS = (
    "sentence1", "sentence2", "label", "score", "id1", "id2", "category1", "category2", "phase", "split",
)  # fmt: skip
SCORE_CUT = 0.6  # a graded pair counts as similar from this score on (stated beside every number that uses it)


@dataclass(frozen=True, slots=True, eq=False)
class PairSet:
    """A table of text pairs.

    Attributes:
        frame: One row a pair; exactly `PAIR_COLUMNS`. `label` is float64 in {0, 1} or NaN, `score` float64 in
            [0, 1] or NaN, the rest strings, null where unknown.
        ref: Canonical reference, `name@v0001` or `name@v0001:split`.
        content_id: sha256 of the content; equal content has equal ids.
    """

    frame: pd.DataFrame
    ref: str
    content_id: str

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def graded(self) -> bool:
        """Tell whether every pair carries a graded score."""
        return bool(self.frame["score"].notna().all())

    @property
    def labelled(self) -> bool:
        """Tell whether every pair carries a 0 / 1 label of its own."""
        return bool(self.frame["label"].notna().all())

    def labels(self, cut: float = SCORE_CUT) -> NDArray[np.int8]:
        """Return 1 for a similar pair, 0 for a dissimilar one: the label, else score >= cut. Shape (n_pairs,)."""
        if self.labelled:
            return self.frame["label"].to_numpy(np.int8)
        return (self.targets() >= cut).astype(np.int8)

    def targets(self) -> NDArray[np.float64]:
        """Return what Spearman compares with: the score where the set is graded, else the label. Shape (n_pairs,)."""
        column = self.frame["score"] if self.graded else self.frame["label"]
        values = column.to_numpy(np.float64)
        if np.isnan(values).any():
            raise DataFaultError(
                f"Every pair of {self.ref} must have a label, or every pair a score; {int(np.isnan(values).sum())} of "
                f"{len(values)} have neither."
            )
        return values

    def unique_texts(self) -> list[str]:
        """Return each text once, in order of first appearance."""
        return list(dict.fromkeys([*self.frame["sentence1"], *self.frame["sentence2"]]))

    def record_ids(self) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
        """Return the record of each side, shapes (n_pairs,); a hash of the text stands in for a missing id."""
        return _ids(self.frame, "id1", "sentence1"), _ids(self.frame, "id2", "sentence2")


def with_pair_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with exactly the contract's columns, typed; null where unknown."""
    typed = pd.DataFrame(index=frame.index)
    for column in PAIR_COLUMNS:
        values = frame[column] if column in frame else pd.Series([None] * len(frame), index=frame.index)
        typed[column] = values.astype("float64") if column in ("label", "score") else values.astype("str")
    return typed.reset_index(drop=True)


def text_id(text: str) -> str:
    """Return a short stable id of a text: the first 16 hexadecimal digits of its sha256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _ids(frame: pd.DataFrame, id_column: str, text_column: str) -> NDArray[np.str_]:
    ids = frame[id_column]
    missing = ids.isna()
    if missing.any():
        ids = ids.where(~missing, frame[text_column].map(lambda text: f"text:{text_id(text)}"))
    return ids.to_numpy(dtype=str)

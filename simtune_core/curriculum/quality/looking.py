"""Pairs laid out to be looked at: what is known of each, which are shown, and in which order. Decides no edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.curriculum.quality.edits import Edit, pair_keys
from simtune_core.pairs import PairSet

Sort = Literal["suspicion", "similarity", "length", "row"]
Only = Literal["all", "suspects", "edited", "unseen"]
_NO_VALUE = -np.inf


@dataclass(frozen=True, slots=True, eq=False)
class LookTable:
    """Every pair of a set or a split with what is known of it.

    Attributes:
        ref: The set or split.
        frame: `PAIR_COLUMNS`, and `key` (see `pair_keys`), `row` (place in the version, from 1), `suspicion` (1 less
            the self-confidence, NaN where not judged), `suspect` (marked by confident learning), `similarity` (in the
            space the set was cut in, NaN where unknown), `length` (characters of both texts). One row a pair.
    """

    ref: str
    frame: pd.DataFrame

    @property
    def sorts(self) -> tuple[Sort, ...]:
        """Return what the pairs can be sorted by: what is known of any of them."""
        optional: tuple[Sort, ...] = ("suspicion", "similarity")
        return (*(name for name in optional if self.frame[name].notna().any()), "length", "row")

    @property
    def phases(self) -> tuple[str, ...]:
        """Return the phases, in order of appearance."""
        return tuple(self.frame["phase"].dropna().unique())


@dataclass(frozen=True, slots=True)
class LookQuery:
    """Which pairs are shown, in which order.

    Attributes:
        sort: By what; `row` is the order of the file.
        descending: Whether the greatest come first; pairs without a value come last either way.
        labels: Labels to show; all where empty.
        phases: Phases to show; all where empty.
        only: All, those marked as suspects, those with an edit, or those not decided on yet.
        search: Text that one of the two texts must hold, case ignored.
    """

    sort: Sort = "row"
    descending: bool = False
    labels: tuple[int, ...] = ()
    phases: tuple[str, ...] = ()
    only: Only = "all"
    search: str = ""


def lay_out(
    pairs: PairSet, *, split: str | None, details: pd.DataFrame | None = None, ranking: pd.DataFrame | None = None
) -> LookTable:
    """Lay the pairs of a version, or of one of its splits, out to be looked at.

    Args:
        pairs: The whole version.
        split: The split that is looked at; None for all of it.
        details: How the pairs of the version came to be, in its order.
        ranking: `self_confidence` and `issue` of the pairs that are looked at, in their order (`noise.parquet`).
    """
    frame = pairs.frame.copy()
    frame["key"] = pair_keys(frame)
    frame["row"] = np.arange(1, len(frame) + 1)
    frame["similarity"] = np.nan if details is None else details["similarity"].to_numpy(np.float64, na_value=np.nan)
    frame["length"] = frame["sentence1"].str.len() + frame["sentence2"].str.len()
    if split is not None:
        frame = frame[frame["split"] == split].reset_index(drop=True)
    frame["suspicion"] = np.nan if ranking is None else 1.0 - ranking["self_confidence"].to_numpy(np.float64)
    frame["suspect"] = False if ranking is None else ranking["issue"].to_numpy(bool)
    return LookTable(pairs.ref + (f":{split}" if split else ""), frame)


def places_of(table: LookTable, query: LookQuery, decided: Mapping[str, Edit]) -> NDArray[np.intp]:
    """Return the places of the pairs that a query asks for, in its order.

    Args:
        table: The pairs.
        query: Which ones.
        decided: The last edit of each pair that has one, by its key.
    """
    frame = table.frame
    kept = np.ones(len(frame), dtype=bool)
    if query.labels:
        kept &= frame["label"].isin(query.labels).to_numpy()
    if query.phases:
        kept &= frame["phase"].isin(query.phases).to_numpy()
    if query.only == "suspects":
        kept &= frame["suspect"].to_numpy(bool)
    elif query.only != "all":
        kept &= frame["key"].isin(list(decided)).to_numpy() == (query.only == "edited")
    if query.search:
        held = [frame[name].str.contains(query.search, case=False, regex=False) for name in ("sentence1", "sentence2")]
        kept &= (held[0] | held[1]).to_numpy(bool)
    places = np.flatnonzero(kept)
    values = frame[query.sort].to_numpy(np.float64)[places]
    values = np.where(np.isnan(values), _NO_VALUE, values if query.descending else -values)
    return places[np.argsort(-values, kind="stable")]

"""What the points of a map stand for: each different text of the sets once, or each pair.

A points table holds no text, only where it stands in its dataset (`set`, `row`, `side`), and what points are coloured
by. Pure tables; no model, no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.evaluation.config import EvaluationConfig
from simtune_core.evaluation.thresholds import choose_threshold, threshold_table
from simtune_core.pairs import TEXT_COLUMNS, PairSet
from simtune_core.records import Records

Of = Literal["records", "pairs"]
TEXT_COLOURS = ("category", "split", "sets")  # columns that may colour a map of texts
PAIR_COLOURS = ("label", "category", "split", "phase", "sets")  # and one of pairs, beside its errors
SET_NAMES = ("A", "B")
MIXED = "two categories"
LABELS = ("different", "similar")
OUTCOMES = ("true negative", "false positive", "false negative", "true positive")  # by 2 * label + called similar


@dataclass(frozen=True, slots=True, eq=False)
class MapPoints:
    """The points of a map before they are laid out.

    Attributes:
        frame: One row a point, columns `set` (place among the sets), `row` (in that set), `side` (0 a record, 1 and 2
            a pair's first and second text), `n` (rows that are this point) and the columns that colour it.
        texts: One column a text: one for a map of texts, two for one of pairs.
        strata: Columns of the frame whose shares a sample keeps.
    """

    frame: pd.DataFrame
    texts: pd.DataFrame
    strata: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.frame)

    def sample(self, n_most: int, seed: int) -> MapPoints:
        """Return at most `n_most` points, each stratum in proportion, in their order."""
        if len(self) <= n_most:
            return self
        rows = stratified(self.frame[list(self.strata)], n_most, seed)
        return MapPoints(
            self.frame.iloc[rows].reset_index(drop=True), self.texts.iloc[rows].reset_index(drop=True), self.strata
        )


def text_points(tables: Sequence[Records | PairSet]) -> MapPoints:
    """Return each different text of the tables as one point, in order of first appearance.

    Its category is the first that is known, its split and sets all in which it stands, such as `test + train` and
    `A + B`.
    """
    rows = pd.concat([_text_rows(table, place) for place, table in enumerate(tables)], ignore_index=True)
    codes, _ = pd.factorize(rows["text"])
    first = rows[~rows["text"].duplicated()].reset_index(drop=True)
    frame = first[["set", "row", "side"]].copy()
    frame["n"] = np.bincount(codes).astype(np.int32)
    frame["category"] = rows.groupby(codes)["category"].first().to_numpy()
    frame["split"] = _joined(codes, rows["split"])
    frame["sets"] = _joined(codes, rows["set"].map(dict(enumerate(SET_NAMES)))) if len(tables) > 1 else None
    return MapPoints(frame, first[["text"]], ("category", "sets"))


def pair_points(sets: Sequence[PairSet], cut: float) -> MapPoints:
    """Return each pair as one point.

    Args:
        sets: One pair set or two.
        cut: A graded pair counts as similar from this score on; a set with neither labels nor scores has none.
    """
    made = []
    for place, each in enumerate(sets):
        frame = each.frame
        first, second = frame["category1"], frame["category2"]
        known = first.notna() & second.notna()
        mine = pd.DataFrame({"set": np.uint8(place), "row": np.arange(len(frame), dtype=np.int32), "side": np.int8(0)})
        mine["n"] = np.int32(1)
        mine["label"] = each.labels(cut) if each.labelled or each.graded else np.int8(-1)
        mine["category"] = first.where(first == second, MIXED).where(known)
        mine["split"], mine["phase"] = frame["split"], frame["phase"]
        mine["sets"] = SET_NAMES[place] if len(sets) > 1 else None
        made.append(mine)
    texts = pd.concat([each.frame[list(TEXT_COLUMNS)] for each in sets], ignore_index=True)
    return MapPoints(pd.concat(made, ignore_index=True), texts, ("label", "split", "sets"))


def stratified(columns: pd.DataFrame, n: int, seed: int) -> NDArray[np.int64]:
    """Draw n rows so that every combination of values keeps its share, to within one row.

    Returns:
        Places of the rows, ascending; shape (n,).

    Source:
        Systematic sampling of the shuffled rows, sorted by stratum.
    """
    random = np.random.default_rng(seed)
    strata = columns.groupby(list(columns.columns), dropna=False, sort=False).ngroup().to_numpy()
    order = np.lexsort((random.random(len(columns)), strata))
    ticks = (np.arange(n) + random.random()) * (len(columns) / n)
    return np.sort(order[ticks.astype(np.int64)])


def outcomes_of(
    cosines: NDArray[np.float32], labels: NDArray[np.int8], threshold: float | None
) -> tuple[NDArray[np.int8], float | None]:
    """Tell which pairs an encoder gets wrong at a threshold.

    Args:
        cosines: Similarity of each pair, in [-1, 1]; shape (n,).
        labels: 1 similar, 0 different, -1 unknown; shape (n,).
        threshold: Similar at or above it; None takes the one of the best MCC on the labelled pairs.

    Returns:
        Places in `OUTCOMES`, -1 where the label is unknown or there is no threshold (one class only); and the
        threshold.
    """
    known = labels >= 0
    if threshold is None and known.any():
        table = threshold_table(cosines[known], labels[known])
        threshold = choose_threshold(table, EvaluationConfig(threshold_rule="best_mcc"))
    if threshold is None:
        return np.full(len(labels), -1, np.int8), None
    called = (cosines >= threshold).astype(np.int8)
    return np.where(known, 2 * labels + called, -1).astype(np.int8), threshold


def _text_rows(table: Records | PairSet, place: int) -> pd.DataFrame:
    sides = [("text", "category", 0)] if isinstance(table, Records) else [
        ("sentence1", "category1", 1), ("sentence2", "category2", 2)
    ]  # fmt: skip
    parts = []
    for text, category, side in sides:
        part = table.frame[[text, category, "split"]].set_axis(["text", "category", "split"], axis=1)
        parts.append(part.assign(set=np.uint8(place), row=np.arange(len(part), dtype=np.int32), side=np.int8(side)))
    return pd.concat(parts, ignore_index=True)


def _joined(codes: NDArray[np.int64], values: pd.Series) -> NDArray[np.object_]:
    """Return for each point the different values of its rows, sorted and joined; null where none is known."""
    known = pd.DataFrame({"point": codes, "value": values.to_numpy()}).dropna().drop_duplicates()
    joined = known.sort_values(["point", "value"]).groupby("point")["value"].agg(" + ".join)
    return joined.reindex(np.arange(codes.max() + 1 if len(codes) else 0)).to_numpy(dtype=object)

"""A pair set taken apart: its records, each once, and its labelled pairs, each once. Loads nothing, scores nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.findings import Finding, finding
from simtune_core.pairs import SCORE_CUT, PairSet


@dataclass(frozen=True, slots=True, eq=False)
class GivenPairs:
    """Pairs by the positions of their records.

    Attributes:
        pairs: Positions, the lower one first; int32, shape (n_pairs, 2).
        positive: Labelled 1; shape (n_pairs,).
    """

    pairs: NDArray[np.int32]
    positive: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.pairs)

    def among(self, kept: NDArray[np.bool_]) -> GivenPairs:
        """Return the pairs of which both records are kept, by their positions among those."""
        both = kept[self.pairs].all(axis=1)
        position = np.cumsum(kept, dtype=np.int32) - 1
        return GivenPairs(position[self.pairs[both]], self.positive[both])


@dataclass(frozen=True, slots=True, eq=False)
class TakenApart:
    """What a pair set is made of.

    Attributes:
        frame: Its records in order of first appearance on either side; columns `id, text, category,
            duplicate_group`, the last null.
        given: Its pairs. A pair in either order is one pair; of one that is labelled both ways, nothing counts.
        findings: What was left out.
    """

    frame: pd.DataFrame
    given: GivenPairs
    findings: tuple[Finding, ...]


def take_apart(pairs: PairSet) -> TakenApart:
    """Take a pair set apart.

    Args:
        pairs: Labelled, or graded: then a pair is positive from pairs.SCORE_CUT on.

    Raises:
        DataFaultError: If a pair has neither label nor score.
    """
    table = _sides(pairs)
    by_record = table.groupby("record")
    frame = by_record[["id", "text", "category"]].first()
    frame["duplicate_group"] = pd.Series([None] * len(frame), index=frame.index, dtype="str")
    rows = np.sort(table["record"].to_numpy().reshape(2, -1).T, axis=1)
    of_two = rows[:, 0] != rows[:, 1]
    sides = pd.DataFrame({"low": rows[of_two, 0], "high": rows[of_two, 1], "positive": pairs.labels()[of_two] == 1})
    labels = sides.groupby(["low", "high"])["positive"].agg(["min", "max", "size"])
    sound = labels[labels["min"] == labels["max"]]
    places = np.stack([sound.index.get_level_values(side).to_numpy(np.int32) for side in ("low", "high")], axis=1)
    noted = _left_out(
        pairs,
        n_self=int((~of_two).sum()),
        n_contradicting=len(labels) - len(sound),
        n_repeated=int((sound["size"] - 1).sum()),
        n_disagreeing=int(table.drop_duplicates(["record", "category"]).dropna()["record"].duplicated().sum()),
    )
    return TakenApart(frame.reset_index(drop=True), GivenPairs(places, sound["max"].to_numpy(bool)), tuple(noted))


def _sides(pairs: PairSet) -> pd.DataFrame:
    """Return one row a side, first sides first: id, text, category, and the number of its record."""
    ids = np.concatenate(pairs.record_ids())
    texts, categories = (
        pd.concat([pairs.frame[f"{name}1"], pairs.frame[f"{name}2"]], ignore_index=True)
        for name in ("sentence", "category")
    )
    record = pd.MultiIndex.from_arrays([ids, texts]).factorize()[0]
    return pd.DataFrame({"id": ids, "text": texts, "category": categories, "record": record})


def _left_out(
    pairs: PairSet, *, n_self: int, n_contradicting: int, n_repeated: int, n_disagreeing: int
) -> list[Finding]:
    said = (
        ("self_pairs", n_self, "pairs have the same record on both sides and were left out"),
        ("contradicting_pairs", n_contradicting, "pairs are labelled both positive and negative and were left out"),
        ("repeated_pairs", n_repeated, "rows repeat a pair, in either order, and were counted once"),
        ("categories_disagree", n_disagreeing, "records have more than one category; the first one counts"),
    )
    noted = [finding(code, "warning", f"In {pairs.ref} {n:,} {words}.") for code, n, words in said if n]
    if not pairs.labelled:
        noted.append(
            finding("score_cut", "info", f"{pairs.ref} is graded; a pair counts as positive from {SCORE_CUT} on.")
        )
    return noted

"""Which negatives belong to which positive: pairs that share a record, inside one phase and one split.

Positions in, positions out; formats.py makes tables of them. Draws nothing at random and looks at no similarity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.pairs import PairSet


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Positives with their negatives.

    Attributes:
        anchored: Whether the first record of every negative is the first record of a positive of its phase and split,
            as mining leaves them: then that record alone is the anchor. Otherwise a record of either side may be.
        positives: Row of each positive in the pair set; shape (n_rows,).
        positive_sides: Side of its text that is the positive, 0 for sentence1 and 1 for sentence2; the other one is the
            anchor. Shape (n_rows,).
        negatives: Rows of its negatives; shape (n_rows, k), (n_rows, 1) where each stands in a row of its own.
        negative_sides: Sides of their texts; same shape.
        n_lonely: Positives that share no record with a negative.
        n_short: Positives that share one, with too few of them to fill a row.
        n_contradicting: Negatives left out because the same records or texts are a positive, too, or both texts are
            equal.
        n_unused: Further negatives that are in no row.
        n_beyond: Rows that were not made because a positive had enough of them.
    """

    anchored: bool
    positives: NDArray[np.int64]
    positive_sides: NDArray[np.int64]
    negatives: NDArray[np.int64]
    negative_sides: NDArray[np.int64]
    n_lonely: int
    n_short: int
    n_contradicting: int
    n_unused: int
    n_beyond: int


def join_negatives(pairs: PairSet, labels: NDArray[np.int8], *, k: int, together: bool) -> Joined:
    """Give every positive the negatives that share a record with it.

    Args:
        pairs: The pairs.
        labels: 1 for a positive, 0 for a negative; shape (n_pairs,).
        k: Negatives of one positive: exactly so many in its one row, or at most so many rows.
        together: Whether a row holds `k` negatives; otherwise one.

    Returns:
        Rows in the order of the positives, negatives in the order of the set. Positives of one anchor take its
        negatives in turn, so that few of them stay unused.
    """
    ends = _ends(pairs)
    positive, negative = (ends[labels[ends["row"]] == label] for label in (1, 0))
    contradicting = _contradicting(positive, negative)
    negative = negative[~negative["row"].isin(contradicting)]
    first = negative.loc[negative["side"] == 1, "anchor"]
    anchored = len(first) > 0 and bool(first.isin(positive.loc[positive["side"] == 1, "anchor"]).all())
    if anchored:
        positive, negative = (part[part["side"] == 1] for part in (positive, negative))
    offered = negative.drop_duplicates(["anchor", "text"]).sort_values(["anchor", "row"], kind="stable")
    asked = _asked(positive, offered, k)
    taken = _whole_rows(asked, k) if together else _single_rows(asked, k)
    picked = _picked(taken, k if together else 1)
    rows, n_offered = offered["row"].to_numpy(), asked.groupby("row")["n"].sum()
    made = np.unique(taken["row"])
    return Joined(
        anchored=anchored,
        positives=taken["row"].to_numpy(),
        positive_sides=taken["side"].to_numpy(),
        negatives=rows[picked],
        negative_sides=offered["side"].to_numpy()[picked],
        n_lonely=int((n_offered == 0).sum()),
        n_short=int((n_offered > 0).sum()) - len(made),
        n_contradicting=len(contradicting),
        n_unused=int((labels == 0).sum()) - len(contradicting) - len(np.unique(rows[picked])),
        n_beyond=0 if together else int(n_offered.sum()) - len(taken),
    )


def _ends(pairs: PairSet) -> pd.DataFrame:
    """Return both ends of every pair, in the order of the pairs.

    Returns:
        `row`; `side` of the other text (1 first: sentence1 is the anchor); `anchor`, its record within phase and split;
        `other`, the other record; `text`, the other text; `same`, whether both texts are equal. Numbers all.
    """
    n, frame = len(pairs), pairs.frame
    parts = frame.groupby(["split", "phase"], dropna=False, sort=False).ngroup().to_numpy()
    records = pd.factorize(np.concatenate(pairs.record_ids()))[0].reshape(2, n)
    texts = pd.factorize(pd.concat([frame["sentence1"], frame["sentence2"]]))[0].reshape(2, n)
    n_records = 2 * n + 1
    sides = [
        pd.DataFrame(
            {
                "row": np.arange(n), "side": side, "anchor": parts * n_records + records[1 - side],
                "record": records[1 - side], "other": records[side], "text": texts[side], "same": texts[0] == texts[1],
            }
        )
        for side in (1, 0)
    ]  # fmt: skip
    return pd.concat(sides).sort_values("row", kind="stable", ignore_index=True)


def _contradicting(positive: pd.DataFrame, negative: pd.DataFrame) -> NDArray[np.int64]:
    """Return the rows of negatives whose records, or a record and the other text, are those of a positive, too."""
    wrong = negative["same"].to_numpy(copy=True)
    for other in ("other", "text"):
        known, asked = (pd.MultiIndex.from_frame(part[["record", other]]) for part in (positive, negative))
        wrong |= asked.isin(known)
    return np.unique(negative["row"].to_numpy()[wrong])


def _asked(positive: pd.DataFrame, offered: pd.DataFrame, k: int) -> pd.DataFrame:
    """Add to each end of a positive how many negatives its anchor has, where they begin, and from which to go on."""
    anchors = offered["anchor"].to_numpy()
    begin, end = (np.searchsorted(anchors, positive["anchor"].to_numpy(), side=side) for side in ("left", "right"))
    n = end - begin
    turn = positive.groupby("anchor").cumcount().to_numpy()
    return positive.assign(begin=begin, n=n, turn=turn * np.minimum(n, k) % np.maximum(n, 1))


def _whole_rows(asked: pd.DataFrame, k: int) -> pd.DataFrame:
    """Return the first end of each positive that has `k` negatives."""
    return asked[asked["n"] >= k].drop_duplicates("row").assign(place=0)


def _single_rows(asked: pd.DataFrame, k: int) -> pd.DataFrame:
    """Return an end once for each negative that it gets, `k` for a positive at most; `place` counts them."""
    before = asked.groupby("row")["n"].cumsum() - asked["n"]
    n_taken = np.clip(np.minimum(asked["n"].to_numpy(), k - before.to_numpy()), 0, None)
    repeated = asked.loc[asked.index.repeat(n_taken)]
    starts = np.repeat(np.cumsum(n_taken) - n_taken, n_taken)
    return repeated.assign(place=np.arange(len(repeated)) - starts)


def _picked(taken: pd.DataFrame, width: int) -> NDArray[np.int64]:
    """Return the places of the negatives of each row among those offered; shape (n_rows, width)."""
    begin, n, turn, place = (taken[name].to_numpy()[:, None] for name in ("begin", "n", "turn", "place"))
    return begin + (turn + place + np.arange(width)) % np.maximum(n, 1)

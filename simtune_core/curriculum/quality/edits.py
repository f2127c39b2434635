"""Edits by hand: which pairs are removed and which get the other label, and the set that comes of it.

An edit names a pair by its texts, whichever comes first, so that it can be made again on equal pairs in another place.
No file; drafts.py keeps the edits of a set while they are being made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.errors import DataFaultError
from simtune_core.pairs import PairSet, text_id

Action = Literal["drop", "relabel", "keep"]  # keep: looked at and found good; changes nothing


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person decided about one pair.

    Attributes:
        pair: The pair's key; see `pair_keys`.
        action: Whether it is removed, gets another label, or was looked at and stays as it is.
        label: The label that it gets, 0 or 1; None unless it gets one.
    """

    pair: str
    action: Action
    label: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the edit as JSON; see `edit_from_json`."""
        return {"pair": self.pair, "action": self.action} | ({} if self.label is None else {"label": self.label})


@dataclass(frozen=True, slots=True, eq=False)
class Edited:
    """A pair set after edits.

    Attributes:
        frame: The pairs that stay, in their order.
        details: Their details, parents numbered anew; None where the set has none.
        n_dropped: Pairs removed, children of removed parents included.
        n_relabelled: Pairs that got the other label, children included.
        n_children: How many of both were changed only because their parent was.
    """

    frame: pd.DataFrame
    details: pd.DataFrame | None
    n_dropped: int
    n_relabelled: int
    n_children: int

    @property
    def sentence(self) -> str:
        """Say what was done, in one sentence."""
        children = f", {self.n_children:,} of them as children of such pairs" if self.n_children else ""
        pairs = "pair" if self.n_dropped == 1 else "pairs"
        return f"{self.n_dropped:,} {pairs} removed and {self.n_relabelled:,} relabelled by hand{children}."


def edit_from_json(value: Mapping[str, Any]) -> Edit:
    """Read an edit back from `Edit.as_json`.

    Raises:
        DataFaultError: If it is no edit.
    """
    pair, label = value.get("pair"), value.get("label")
    action: Any = value.get("action")
    if not isinstance(pair, str) or action not in get_args(Action) or (label in (0, 1)) != (action == "relabel"):
        raise DataFaultError(
            "An edit must be {pair, action: drop | keep} or {pair, action: relabel, label: 0 | 1}, "
            f"got {str(dict(value))[:120]}."
        )
    return Edit(pair, action, None if label is None else int(label))


def pair_keys(frame: pd.DataFrame) -> NDArray[np.str_]:
    """Name every pair by its two texts in either order; a pair that occurs again is counted on: `...#2`.

    Args:
        frame: Columns `sentence1`, `sentence2`.

    Returns:
        Keys, unique within the frame; shape (n_pairs,).
    """
    texts = pd.concat([frame["sentence1"], frame["sentence2"]], ignore_index=True)
    codes, unique = pd.factorize(texts)
    ids = [text_id(text) for text in unique]
    half = len(frame)
    sides = ((ids[one], ids[other]) for one, other in zip(codes[:half], codes[half:], strict=True))
    keys = pd.Series([f"{one}-{other}" if one <= other else f"{other}-{one}" for one, other in sides], dtype=object)
    again = keys.duplicated()
    if again.any():
        place = keys.groupby(keys, sort=False).cumcount()[again] + 1
        keys[again] = keys[again] + "#" + place.astype(str)
    return keys.to_numpy(dtype=str)


def last_of_each(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Return the last edit of every pair, in order of its first one: what was decided in the end."""
    decided: dict[str, Edit] = {}
    for edit in edits:
        decided[edit.pair] = edit
    return tuple(decided.values())


def edited(pairs: PairSet, edits: Iterable[Edit], details: pd.DataFrame | None = None) -> Edited:
    """Make the edits; what was made of a removed or relabelled pair by augmentation follows it.

    Args:
        pairs: The whole set.
        edits: Of one pair the last counts. A child that has an edit of its own goes by that one.
        details: How each pair came to be, in the same order; see `datasets.load_details`.

    Raises:
        DataFaultError: If an edit names a pair that is not there, gives a pair with a graded score a label, or no pair
            would be left.
    """
    decided = {edit.pair: edit for edit in last_of_each(edits)}
    row_of = {key: row for row, key in enumerate(pair_keys(pairs.frame).tolist())}
    absent = [pair for pair in decided if pair not in row_of]
    if absent:
        raise DataFaultError(
            f"Every edit must name a pair of {pairs.ref}; {len(absent):,} of {len(decided):,} do not, such as "
            f"{absent[0][:60]}. Were they made of another set?"
        )
    fate = np.full(len(pairs), _NOTHING, dtype=np.int8)
    for pair, edit in decided.items():
        fate[row_of[pair]] = _fate_of(edit)
    _require_no_graded(pairs, fate)
    own = fate != _NOTHING
    parents = _parents(details, len(pairs))
    _follow_parents(fate, parents)
    return _made(pairs, fate, own, details, parents)


# What becomes of a row: its label, or one of these.
_NOTHING, _DROPPED, _KEPT = -1, -2, -3


def _fate_of(edit: Edit) -> int:
    if edit.action == "relabel":
        assert edit.label is not None  # `edit_from_json` and the drafts see to it
        return edit.label
    return _DROPPED if edit.action == "drop" else _KEPT


def _require_no_graded(pairs: PairSet, fate: NDArray[np.int8]) -> None:
    graded = (fate >= 0) & pairs.frame["score"].notna().to_numpy(bool)
    if graded.any():
        raise DataFaultError(
            f"A pair that has a graded score can be removed and not relabelled: a label would contradict its score. "
            f"{int(graded.sum()):,} pairs of {pairs.ref} are to be."
        )


def _parents(details: pd.DataFrame | None, n_rows: int) -> NDArray[np.int64]:
    """Return the row that each row was made of, -1 where of none."""
    if details is None:
        return np.full(n_rows, -1, dtype=np.int64)
    return details["parent"].astype("float64").fillna(-1.0).to_numpy(np.float64).astype(np.int64)


def _follow_parents(fate: NDArray[np.int8], parents: NDArray[np.int64]) -> None:
    """Give rows without an edit of their own the fate of their parent, and their children theirs."""
    waiting = np.flatnonzero((parents >= 0) & (fate == _NOTHING))
    while len(waiting):
        follows = np.isin(fate[parents[waiting]], (_NOTHING, _KEPT), invert=True)
        if not follows.any():
            return
        fate[waiting[follows]] = fate[parents[waiting[follows]]]
        waiting = waiting[~follows]


def _made(
    pairs: PairSet,
    fate: NDArray[np.int8],
    own: NDArray[np.bool_],
    details: pd.DataFrame | None,
    parents: NDArray[np.int64],
) -> Edited:
    before = pairs.frame["label"].to_numpy(np.float64)
    relabelled = (fate >= 0) & (before != fate)
    dropped = fate == _DROPPED
    if dropped.all():
        raise DataFaultError(f"At least one pair of {pairs.ref} must stay; all {len(pairs):,} are to be removed.")
    frame = pairs.frame.assign(label=np.where(relabelled, fate, before))[~dropped].reset_index(drop=True)
    kept = None
    if details is not None:
        told = details.copy()
        told["parent"] = _renumbered(parents, dropped, details["parent"])
        told.loc[relabelled, "role"] = _roles(pairs.frame[relabelled], fate[relabelled])
        kept = told[~dropped].reset_index(drop=True)
    changed = dropped | relabelled
    return Edited(frame, kept, int(dropped.sum()), int(relabelled.sum()), int((changed & ~own).sum()))


def _renumbered(parents: NDArray[np.int64], dropped: NDArray[np.bool_], told: pd.Series) -> pd.Series:
    """Return the parents' rows after the removal; null for a kept child of a removed parent."""
    place = np.where(dropped, -1, np.cumsum(~dropped) - 1)
    moved = np.where(parents >= 0, place[parents], -1)
    return pd.Series(moved, index=told.index, dtype="Int64").where(moved >= 0).astype(told.dtype)


def _roles(frame: pd.DataFrame, labels: NDArray[np.int8]) -> NDArray[np.object_]:
    """Return what relabelled pairs are by their new label and their categories."""
    known = frame[["category1", "category2"]].notna().all(axis=1).to_numpy(bool)
    same = (frame["category1"] == frame["category2"]).fillna(value=False).to_numpy(bool)
    positive = np.where(known & ~same, "cross_category", "positive")
    negative = np.where(known & same, "same_category", "other_category")
    roles: NDArray[np.object_] = np.where(labels == 1, positive, negative).astype(object)
    return roles

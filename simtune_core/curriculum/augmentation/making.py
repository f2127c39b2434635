"""The children of a pair set: which pairs get some, how many, and which are not made and why. No similarity, no file.

The randomness of a child comes from the seed, the content of its parent, its number and its operation, so that the
order of the rows decides nothing. Children have no children: noise upon noise would only drift further.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.curriculum.augmentation.config import OPERATIONS, AugmentConfig, Operation
from simtune_core.curriculum.augmentation.operations import changed
from simtune_core.errors import DataFaultError
from simtune_core.pairs import PAIR_COLUMNS, PairSet, text_id

Reason = Literal["unchanged", "alike", "repeated", "other_split", "shares"]
REASONS: dict[Reason, str] = {
    "unchanged": "the operation changes nothing in their texts, such as a swap in a single word",
    "alike": "their two texts became equal",
    "repeated": "they are equal to another pair",
    "other_split": "one of their texts stands in another split",
    "shares": "left out so that labels and phases keep their shares",
}


@dataclass(frozen=True, slots=True)
class Loss:
    """Children that were not made.

    Attributes:
        operation: The operation that would have made them.
        reason: Why not; in words in `REASONS`.
        n: How many.
    """

    operation: Operation
    reason: Reason
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Children:
    """The children of a pair set.

    Attributes:
        frame: One row a child, `PAIR_COLUMNS`; all but the texts, and ids where the parent has none, is its parent's.
        parents: Row of each child's parent; shape (n_children,).
        changes: The operation of each; shape (n_children,), object.
        n_parents: Pairs that were to get children.
        losses: What was not made, in the order of operations and reasons.
    """

    frame: pd.DataFrame
    parents: NDArray[np.int64]
    changes: NDArray[np.object_]
    n_parents: int
    losses: tuple[Loss, ...]

    @property
    def n_lost(self) -> int:
        """Return how many children were not made."""
        return sum(loss.n for loss in self.losses)


@dataclass(frozen=True, slots=True)
class Child:
    """One child before it is known whether it is made.

    Attributes:
        parent: Row of its parent.
        operation: How it was changed.
        texts: Its sentence1 and sentence2.
        rank: A number from its randomness, by which the first of equals is chosen.
    """

    parent: int
    operation: Operation
    texts: tuple[str, str]
    rank: int


def in_scope(pairs: PairSet, config: AugmentConfig) -> NDArray[np.bool_]:
    """Tell which pairs belong to the splits that are augmented; shape (n_pairs,).

    Raises:
        DataFaultError: If there are splits and none of them is train.
    """
    splits = pairs.frame["split"]
    if config.splits == "all" or splits.isna().all():
        return np.ones(len(pairs), dtype=bool)
    inside = splits.eq("train").fillna(value=False).to_numpy(bool)
    if not inside.any():
        named = ", ".join(sorted(splits.dropna().unique()))
        raise DataFaultError(
            f"Training pairs get children, and {pairs.ref} has none in train (it has: {named}); choose other pairs, or "
            "let every split get some."
        )
    return inside


def parents_of(
    pairs: PairSet, config: AugmentConfig, *, children: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Return the rows of the pairs that are to get children, ascending.

    Args:
        pairs: The set.
        config: Which labels, phases and splits, and which share of them.
        children: Tells which pairs are children themselves and get none; shape (n_pairs,).

    Raises:
        DataFaultError: If a phase is unknown, or no pair is left.
    """
    allowed = in_scope(pairs, config)
    if children is not None:
        allowed = allowed & ~children
    labels, phases = pairs.labels(), _phases(pairs.frame)
    unknown = sorted(set(config.phases) - set(phases[allowed]))
    if unknown:
        known = ", ".join(sorted(set(phases[allowed]) - {""})) or "no phases"
        raise DataFaultError(f"{pairs.ref} has no phase {unknown[0]!r} to augment; it has: {known}.")
    if config.phases:
        allowed = allowed & np.isin(phases, config.phases)
    if config.labels != "all":
        allowed = allowed & (labels == (config.labels == "positive"))
    rows = np.flatnonzero(allowed)
    if not len(rows):
        raise DataFaultError(
            f"No pair of {pairs.ref} may get children: labels {config.labels}, phases "
            f"{', '.join(config.phases) or 'all'}, and children of an earlier augmentation get none. Allow "
            "more of them."
        )
    if config.share == 1.0:
        return rows
    return _shared_out(rows, phases, labels, _keys(pairs.frame, config.seed), config.share)


def make_children(pairs: PairSet, config: AugmentConfig, *, children: NDArray[np.bool_] | None = None) -> Children:
    """Make the children of a pair set.

    Args:
        pairs: The parents; not changed.
        config: What to do.
        children: As in `parents_of`.

    Raises:
        DataFaultError: As `parents_of`; or if not one child could be made.
    """
    rows = parents_of(pairs, config, children=children)
    drafts, losses = _drafts(pairs.frame, rows, config)
    kept, lost = _distinct(pairs.frame, drafts)
    losses += lost
    if config.keep_shares:
        kept, lost = _with_shares_kept(pairs, kept, in_scope(pairs, config))
        losses += lost
    told = tuple(
        Loss(operation, reason, losses[operation, reason])
        for operation in OPERATIONS
        for reason in REASONS
        if losses[operation, reason]
    )
    if not kept:
        raise DataFaultError(f"Not one child of {pairs.ref} could be made: {words_of(told)}. Choose other operations.")
    kept.sort(key=lambda child: (child.parent, child.rank))
    return Children(
        frame=_frame(pairs.frame, kept),
        parents=np.array([child.parent for child in kept], dtype=np.int64),
        changes=np.array([child.operation for child in kept], dtype=object),
        n_parents=len(rows),
        losses=told,
    )


def drafts_of(row: Mapping[str, Any], config: AugmentConfig) -> list[Child]:
    """Return what becomes of the texts of one pair, made or not: what it would get in its set.

    Args:
        row: Its `sentence1` and `sentence2`; its `parent` is 0.
        config: What to do.
    """
    texts = (str(row["sentence1"]), str(row["sentence2"]))
    return _of_pair(0, texts, int(_keys(pd.DataFrame([row]), config.seed)[0]), config)


def words_of(losses: tuple[Loss, ...]) -> str:
    """Word why children were not made, most frequent reason first."""
    by_reason: Counter[Reason] = Counter()
    for loss in losses:
        by_reason[loss.reason] += loss.n
    return "; ".join(f"{n:,}: {REASONS[reason]}" for reason, n in by_reason.most_common())


def _of_pair(parent: int, texts: tuple[str, str], key: int, config: AugmentConfig) -> list[Child]:
    """Return the children of one pair, before it is known which are made."""
    made = []
    for number in range(config.n_children):
        operation = config.operations[(number + key) % len(config.operations)]
        rng = np.random.default_rng([key, number, OPERATIONS.index(operation)])
        rank = int(rng.integers(2**63))
        sides = {0, 1} if config.sides == "both" else {int(rng.integers(2))}
        first, second = (
            changed(text, operation, config, rng) if side in sides else text for side, text in enumerate(texts)
        )
        made.append(Child(parent, operation, (first, second), rank))
    return made


def _drafts(
    frame: pd.DataFrame, rows: NDArray[np.int64], config: AugmentConfig
) -> tuple[list[Child], Counter[tuple[Operation, Reason]]]:
    """Return the children that differ from their parents, and what was lost."""
    keys, losses = _keys(frame, config.seed), Counter[tuple[Operation, Reason]]()
    first, second = frame["sentence1"].tolist(), frame["sentence2"].tolist()
    drafts = []
    for row in rows.tolist():
        parent = (first[row], second[row])
        for child in _of_pair(row, parent, int(keys[row]), config):
            if child.texts == parent:
                losses[child.operation, "unchanged"] += 1
            elif child.texts[0] == child.texts[1]:
                losses[child.operation, "alike"] += 1
            else:
                drafts.append(child)
    return drafts, losses


def _distinct(frame: pd.DataFrame, drafts: list[Child]) -> tuple[list[Child], Counter[tuple[Operation, Reason]]]:
    """Return the children that are no other pair of the set, in either order, and stand in no other split."""
    seen = {frozenset(texts) for texts in zip(frame["sentence1"], frame["sentence2"], strict=True)}
    splits = frame["split"].fillna("").to_numpy(object)
    home = _splits_of_texts(frame, splits)
    kept, losses = [], Counter[tuple[Operation, Reason]]()
    for child in sorted(drafts, key=lambda child: child.rank):
        pair, split = frozenset(child.texts), splits[child.parent]
        if pair in seen:
            losses[child.operation, "repeated"] += 1
        elif any(home.get(text, {split}) - {split} for text in child.texts):
            losses[child.operation, "other_split"] += 1
        else:
            seen.add(pair)
            kept.append(child)
    return kept, losses


def _splits_of_texts(frame: pd.DataFrame, splits: NDArray[np.object_]) -> dict[str, set[str]]:
    """Return the splits that each text stands in; empty where there is one split alone."""
    home: dict[str, set[str]] = {}
    if len(set(splits)) > 1:
        for column in ("sentence1", "sentence2"):
            for text, split in zip(frame[column], splits, strict=True):
                home.setdefault(text, set()).add(split)
    return home


def _with_shares_kept(
    pairs: PairSet, drafts: list[Child], scope: NDArray[np.bool_]
) -> tuple[list[Child], Counter[tuple[Operation, Reason]]]:
    """Leave children out until each phase and label has as many, within one, as is its share of the pairs in scope."""
    cells = pd.factorize(pd.Series(_phases(pairs.frame)) + "\x00" + pd.Series(pairs.labels()).astype(str))[0]
    sizes = np.bincount(cells[scope], minlength=cells.max() + 1)
    made = np.bincount([cells[child.parent] for child in drafts], minlength=len(sizes))
    used = sizes > 0
    ratio = float(((made[used] + 1) / sizes[used]).min())
    room = np.minimum(made, np.rint(ratio * sizes).astype(np.int64))
    kept, losses = [], Counter[tuple[Operation, Reason]]()
    for child in sorted(drafts, key=lambda child: child.rank):
        cell = cells[child.parent]
        if room[cell]:
            room[cell] -= 1
            kept.append(child)
        else:
            losses[child.operation, "shares"] += 1
    return kept, losses


def _shared_out(
    rows: NDArray[np.int64],
    phases: NDArray[np.object_],
    labels: NDArray[np.int8],
    keys: NDArray[np.uint64],
    share: float,
) -> NDArray[np.int64]:
    """Return a share of the rows, the same of every phase and label, at least one of each; by their keys."""
    table = pd.DataFrame({"phase": phases[rows], "label": labels[rows], "key": keys[rows], "row": rows})
    chosen = [
        group.nsmallest(max(1, round(share * len(group))), ["key", "row"])["row"]
        for _, group in table.groupby(["phase", "label"], sort=False)
    ]
    return np.sort(pd.concat(chosen).to_numpy(np.int64))


def _frame(frame: pd.DataFrame, children: list[Child]) -> pd.DataFrame:
    """Return the rows of children; a parent without ids is named as its texts are, so that both stay together."""
    rows = frame.iloc[[child.parent for child in children]].reset_index(drop=True)
    for side in ("1", "2"):
        named = "text:" + rows[f"sentence{side}"].map(text_id)
        rows[f"id{side}"] = rows[f"id{side}"].where(rows[f"id{side}"].notna(), named)
        rows[f"sentence{side}"] = [child.texts[int(side) - 1] for child in children]
    return rows[list(PAIR_COLUMNS)]


def _keys(frame: pd.DataFrame, seed: int) -> NDArray[np.uint64]:
    """Return a number for each pair that follows from the seed and its texts alone; shape (n_pairs,)."""
    salt = f"{seed}".encode()
    digests = [
        hashlib.blake2b(f"{len(first)}\x00{first}{second}".encode("utf-8", "surrogatepass"), digest_size=8, key=salt)
        for first, second in zip(frame["sentence1"], frame["sentence2"], strict=True)
    ]
    return np.array([int.from_bytes(digest.digest(), "big") for digest in digests], dtype=np.uint64)


def _phases(frame: pd.DataFrame) -> NDArray[np.object_]:
    """Return the phase of each pair, empty where it has none."""
    return frame["phase"].fillna("").to_numpy(object)

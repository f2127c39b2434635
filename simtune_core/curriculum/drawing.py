"""Draw the pairs that a plan allots: exactly its numbers, in an order that a seed and the records' ids decide alone.

Pure: a sample, records and a plan in, a table of pairs out. What is drawn was decided in planning.py.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.candidates.counted import FINE_PER_CELL, N_CELLS, SAMPLE_COLUMNS
from simtune_core.candidates.kernels import GAMMA, mixed
from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.curriculum.explaining import Loss
from simtune_core.curriculum.planning import PhasePlan, Plan
from simtune_core.curriculum.rules import NEGATIVE_ROLES, POSITIVE_ROLES, Role
from simtune_core.difficulty.bins import bin_index
from simtune_core.difficulty.separability import Side, measure_side
from simtune_core.errors import DataFaultError
from simtune_core.pairs import with_pair_columns

_SHUFFLE = 1  # the order within a phase is drawn apart from the pairs


@dataclass(frozen=True, slots=True, eq=False)
class DrawnPhase:
    """One phase as it was drawn.

    Attributes:
        plan: What was foretold.
        side: Difficulty of its pairs in the space of the candidates; None if it has no pair.
        n_cross_category: Positives of two categories.
        n_same_category: Negatives of one category.
        n_categories: Categories among its records.
        losses: Those of the plan, and what the limit per record took.
    """

    plan: PhasePlan
    side: Side | None
    n_cross_category: int
    n_same_category: int
    n_categories: int
    losses: tuple[Loss, ...]

    @property
    def n_pairs(self) -> int:
        """Return how many pairs it holds."""
        return self.side.n_pairs if self.side else 0


@dataclass(frozen=True, slots=True, eq=False)
class Curriculum:
    """Pairs in phases.

    Attributes:
        frame: Columns PAIR_COLUMNS; phases in order, shuffled within; no pair twice.
        details: Columns `similarity`, `role`, `parent`, `change` of the same rows.
        phases: One entry for each phase.
    """

    frame: pd.DataFrame
    details: pd.DataFrame
    phases: tuple[DrawnPhase, ...]


def draw(sample: pd.DataFrame, records: pd.DataFrame, plan: Plan, config: CurriculumConfig) -> Curriculum:
    """Draw what a plan allots, first phase to last.

    Within a stratum, kind and cell the pairs with the lowest hash of seed and record ids come first: a uniform draw
    that neither the order of the sample nor that of the two records of a pair changes.

    Args:
        sample: Columns SAMPLE_COLUMNS, as the candidates job writes it.
        records: Columns `id`, `text`, `category`: what `i` and `j` count.
        plan: Of the same candidates and settings.
        config: Its seed and its limit per record.

    Raises:
        DataFaultError: If the sample is not that of the plan, or no phase gets a pair.
    """
    if len(sample) and int(sample[["i", "j"]].to_numpy().max()) >= len(records):
        raise DataFaultError(
            f"The sample counts other records than the {len(records):,} given; count candidates again."
        )
    if not plan.n_pairs:
        raise DataFaultError("No pair lies in the bands of any phase; move them to where there are pairs.")
    pairs = _Pairs(sample, records, config.seed)
    limit = _Limit(config.max_per_record, len(records)) if config.max_per_record else None
    free = np.ones(len(sample), dtype=bool)
    frames, phases = [], []
    for phase in plan.phases:
        rows = [pairs.take(quotas, free, limit) for quotas in (phase.positive, phase.negative)]
        if limit is None and (len(rows[0]), len(rows[1])) != (phase.n_positive, phase.n_negative):
            raise DataFaultError("The sampled candidates are not those that were counted; count candidates again.")
        frame = pairs.frame(rows, phase, by_category=plan.rule.by_category)
        frames.append(frame)
        phases.append(_found(phase, frame, limit))
    drawn = pd.concat(frames, ignore_index=True)
    if drawn.empty:
        raise DataFaultError(f"The limit of {config.max_per_record} pairs per record leaves none; raise it.")
    details = drawn[["similarity", "role"]].assign(parent=None, change=None)
    return Curriculum(with_pair_columns(drawn), details, tuple(phases))


class _Limit:
    """How often each record may still be drawn."""

    def __init__(self, most: int, n_records: int) -> None:
        self.most = most
        self.left = np.full(n_records, most, dtype=np.int64)

    def admits(self, first: int, second: int) -> bool:
        """Tell whether both records have room, and take it."""
        if not self.left[first] or not self.left[second]:
            return False
        self.left[first] -= 1
        self.left[second] -= 1
        return True


class _Pairs:
    """The sample, grouped by what quotas count and ordered by hash within."""

    def __init__(self, sample: pd.DataFrame, records: pd.DataFrame, seed: int) -> None:
        i, j, similarity, same, known, stratum = (sample[name].to_numpy() for name in SAMPLE_COLUMNS)
        self.records = records
        self.first, self.second = np.minimum(i, j), np.maximum(i, j)
        self.similarity, self.same = similarity, same.astype(bool)
        cell = bin_index(similarity).astype(np.int64) // FINE_PER_CELL
        kind = (stratum.astype(np.int64) * 2 + same.astype(np.int64)) * 2 + known.astype(np.int64)
        group = kind * N_CELLS + cell
        ids = np.array([_id_hash(value) for value in records["id"]], dtype=np.uint64)
        ends = ids[self.first], ids[self.second]
        self.hash = _mixed(_mixed(np.minimum(*ends) + np.uint64(seed)) + np.maximum(*ends))
        self.order = np.lexsort((self.hash, group))
        self.group = group[self.order]

    def take(self, quotas: NDArray[np.int64], free: NDArray[np.bool_], limit: _Limit | None) -> NDArray[np.intp]:
        """Draw rows of the sample by quotas of shape (n_strata, 2, 2, N_CELLS), and mark them as no longer free."""
        wanted = quotas.ravel()
        usable = np.flatnonzero(free[self.order] & (wanted[np.minimum(self.group, len(wanted) - 1)] > 0))
        groups = self.group[usable]
        if limit is None:
            rank = np.arange(len(groups)) - np.searchsorted(groups, groups)
            rows = self.order[usable[rank < wanted[groups]]]
        else:
            rows = self._admitted(self.order[usable], groups, wanted.copy(), limit)
        free[rows] = False
        return rows

    def _admitted(
        self, rows: NDArray[np.intp], groups: NDArray[np.int64], wanted: NDArray[np.int64], limit: _Limit
    ) -> NDArray[np.intp]:
        """Take pairs one by one, lowest hash first, while their group wants some and their records have room."""
        taken = []
        for place in np.argsort(self.hash[rows], kind="stable"):
            row, group = rows[place], groups[place]
            if wanted[group] and limit.admits(self.first[row], self.second[row]):
                wanted[group] -= 1
                taken.append(row)
        return np.array(taken, dtype=np.intp)

    def frame(self, rows: list[NDArray[np.intp]], phase: PhasePlan, *, by_category: bool) -> pd.DataFrame:
        """Return the pairs of a phase, positives and negatives shuffled by hash, with `similarity` and `role`."""
        both = np.concatenate(rows)
        like = np.arange(len(both)) < len(rows[0])
        order = np.argsort(_mixed(self.hash[both] + np.uint64(_SHUFFLE)), kind="stable")
        both, like = both[order], like[order]
        texts, ids, categories = (self.records[name].to_numpy(object) for name in ("text", "id", "category"))
        i, j = self.first[both], self.second[both]
        return pd.DataFrame(
            {
                "sentence1": texts[i], "sentence2": texts[j], "label": like.astype(np.float64), "id1": ids[i],
                "id2": ids[j], "category1": categories[i], "category2": categories[j], "phase": phase.phase.name,
                "split": "train", "similarity": self.similarity[both],
                "role": _roles(like, self.same[both], by_category=by_category),
            }
        )  # fmt: skip


def _roles(like: NDArray[np.bool_], same: NDArray[np.bool_], *, by_category: bool) -> NDArray[np.object_]:
    """Name the kind of each pair; without categories there is one of each class."""
    same_of_both = same if by_category else like
    names: tuple[tuple[Role, Role], tuple[Role, Role]] = (NEGATIVE_ROLES, POSITIVE_ROLES[::-1])
    return np.array(names, dtype=object)[like.astype(int), same_of_both.astype(int)]


def _found(phase: PhasePlan, frame: pd.DataFrame, limit: _Limit | None) -> DrawnPhase:
    lost = phase.n_pairs - len(frame)
    words = f"{lost:,} lost to the limit of {limit.most if limit else 0} pairs per record"
    roles = frame["role"].value_counts()
    return DrawnPhase(
        plan=phase,
        side=measure_side(frame["similarity"], frame["label"]) if len(frame) else None,
        n_cross_category=int(roles.get("cross_category", 0)),
        n_same_category=int(roles.get("same_category", 0)),
        n_categories=int(pd.concat([frame["category1"], frame["category2"]]).nunique()),
        losses=(*phase.losses, Loss("max_per_record", lost, words)) if lost else phase.losses,
    )


def _id_hash(value: str) -> int:
    return int.from_bytes(hashlib.blake2b(str(value).encode(), digest_size=8).digest(), "little")


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the bits of each number over all of it; the hash of the candidates' sample."""
    spread: NDArray[np.uint64] = mixed(values + GAMMA)
    return spread

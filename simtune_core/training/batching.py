"""The order of batches of one run: phases one after the other, pairs of like length together, seeded.

One dataset, one optimizer, one schedule: a phase is a stretch of batches, not a training of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

WINDOW = 50  # batches among which pairs are sorted by length: 1.4 times the real tokens instead of 4.6 on itsm10k
ONE_PHASE = "all"


@dataclass(frozen=True, slots=True)
class Batch:
    """One step of the plan.

    Attributes:
        rows: Rows of the dataset.
        phase: Name of the phase; `all` where the pairs have none.
        epoch: Pass over that phase, from 1.
    """

    rows: tuple[int, ...]
    phase: str
    epoch: int


def plan_batches(
    phases: Sequence[str | None],
    lengths: ArrayLike,
    *,
    batch_size: int,
    epochs: int,
    seed: int,
    texts: Sequence[tuple[str, str]] | None = None,
) -> list[Batch]:
    """Order every pair into batches.

    Args:
        phases: Phase of each row, None where unknown; phases are trained in the order of their first row.
        lengths: Length of each row, in any unit that grows with its tokens; shape (n_rows,).
        batch_size: Rows per batch; the last, smaller batch of a pass is kept.
        epochs: Passes over each phase before the next begins.
        seed: Seed of the order.
        texts: Both texts of each row, for a loss that takes the other rows of a batch for dissimilar: no text then
            stands in two rows of a batch, and some batches are smaller for it.

    Returns:
        The batches in order. In each pass over a phase every row of it occurs once.
    """
    names = np.array([ONE_PHASE if _absent(phase) else str(phase) for phase in phases])
    sizes = np.asarray(lengths)
    rng = np.random.default_rng(seed)
    plan: list[Batch] = []
    for phase in dict.fromkeys(names.tolist()):
        members = np.flatnonzero(names == phase)
        for epoch in range(1, epochs + 1):
            plan.extend(Batch(rows, phase, epoch) for rows in _bucketed(members, sizes, batch_size, rng, texts))
    return plan


def pair_lengths(first: Sequence[str], second: Sequence[str]) -> NDArray[np.int64]:
    """Return the characters of the longer text of each pair: a cheap stand-in for its tokens; shape (n_pairs,)."""
    return np.array([max(len(a), len(b)) for a, b in zip(first, second, strict=True)], dtype=np.int64)


def padding_ratio(plan: Sequence[Batch], lengths: ArrayLike) -> float:
    """Return how many times the real length the batches carry when each is padded to its longest row; at least 1."""
    sizes = np.asarray(lengths, dtype=np.float64)
    real = sum(sizes[list(batch.rows)].sum() for batch in plan)
    padded = sum(sizes[list(batch.rows)].max() * len(batch.rows) for batch in plan)
    return float(padded / max(real, 1.0))


def phase_pairs(plan: Sequence[Batch]) -> dict[str, int]:
    """Return how many pairs each phase of the plan draws, all passes together, in order."""
    counts: dict[str, int] = {}
    for batch in plan:
        counts[batch.phase] = counts.get(batch.phase, 0) + len(batch.rows)
    return counts


def sampler_of(plan: Sequence[Batch]) -> Callable[..., Any]:
    """Return what sentence-transformers' Trainer takes as `batch_sampler`: a function giving batches by this plan."""
    from sentence_transformers.base.sampler import DefaultBatchSampler

    class PlannedBatchSampler(DefaultBatchSampler):
        def __iter__(self) -> Iterator[list[int]]:
            for batch in plan:
                yield list(batch.rows)

        def __len__(self) -> int:
            return len(plan)

    def make(dataset: Any, **settings: Any) -> PlannedBatchSampler:
        return PlannedBatchSampler(dataset, **settings)

    return make


def _bucketed(
    members: NDArray[np.intp],
    lengths: NDArray[Any],
    batch_size: int,
    rng: np.random.Generator,
    texts: Sequence[tuple[str, str]] | None,
) -> Iterator[tuple[int, ...]]:
    """Yield batches of one pass: shuffled, sorted by length inside windows, the batches of a window shuffled again."""
    shuffled = rng.permutation(members)
    for start in range(0, len(shuffled), WINDOW * batch_size):
        window = shuffled[start : start + WINDOW * batch_size]
        rows = window[np.argsort(lengths[window], kind="stable")].tolist()
        batches = _cut(rows, batch_size) if texts is None else _cut_apart(rows, batch_size, texts)
        for number in rng.permutation(len(batches)):
            yield tuple(batches[number])


def _cut(rows: list[int], batch_size: int) -> list[list[int]]:
    return [rows[at : at + batch_size] for at in range(0, len(rows), batch_size)]


def _cut_apart(rows: list[int], batch_size: int, texts: Sequence[tuple[str, str]]) -> list[list[int]]:
    """Cut rows into batches in which no text is in two rows; a row that repeats one waits for the next batch."""
    batches: list[list[int]] = []
    while rows:
        batch: list[int] = []
        waiting: list[int] = []
        seen: set[str] = set()
        for row in rows:
            if len(batch) < batch_size and seen.isdisjoint(texts[row]):
                batch.append(row)
                seen.update(texts[row])
            else:
                waiting.append(row)
        batches.append(batch)
        rows = waiting
    return batches


def _absent(phase: str | None) -> bool:
    return phase is None or phase != phase  # NaN is how a table says unknown

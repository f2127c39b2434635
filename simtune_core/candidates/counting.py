"""Counts of all pairs of records by similarity, and a uniform sample of them, in one pass over blocks of similarities.

Works on vectors and codes; knows no encoder, no label rule, no phase and no job. Beyond a number of records the pairs
of randomly chosen anchors with all others stand for all.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.candidates.codes import RecordCodes
from simtune_core.candidates.config import CandidatesConfig
from simtune_core.candidates.counted import N_CELLS
from simtune_core.candidates.kernels import Codes, Tally, compiled, new_tally, tally_bytes
from simtune_core.candidates.products import Products, blocks_of, products_of, strips
from simtune_core.difficulty.bins import N_BINS

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_TALLY_BYTES = 500_000_000  # of the tallies that threads keep side by side; the least is one thread
_MOST_THREADS = 8

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Counts and a sample.

    Attributes:
        counts: Pairs by stratum, same category, known positive and bin; shape (n_strata, 2, 2, N_BINS).
        sample: One row a pair, columns counted.SAMPLE_COLUMNS: positions `i < j`, in order of cell, then of i and j.
        sampled: Pairs of the sample by stratum, same category, known positive and cell; (n_strata, 2, 2, N_CELLS).
        n_anchors: Records whose pairs were counted; None when every pair was.
        error: Standard error of the counts by same category, known positive and cell; None when they are exact.
    """

    counts: NDArray[np.int64]
    sample: pd.DataFrame
    sampled: NDArray[np.int64]
    n_anchors: int | None = None
    error: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What to count with; the result does not depend on it.

    Attributes:
        threads: How many count side by side; None is as many as there are cores, and memory for.
        on_gpu: Multiply dense vectors on the first GPU.
        progress: Called with (pairs done, pairs to do, what is being done).
    """

    threads: int | None = None
    on_gpu: bool = False
    progress: Progress | None = None


def count_pairs(vectors: Any, codes: RecordCodes, config: CandidatesConfig, means: Means | None = None) -> Counted:
    """Count and sample every pair of records, those of similarity zero included.

    Args:
        vectors: Rows of unit length, dense or sparse; shape (n_records, dim).
        codes: Of the same records.
        config: Seed and cap.
        means: Threads, device, progress.

    Returns:
        Exact counts; they sum to n (n - 1) / 2.
    """
    n_records, chosen = len(codes), means or Means()
    seen = Codes(codes.category, codes.group, codes.stratum, np.zeros(0, dtype=np.uint8))
    products, positions = products_of(vectors, on_gpu=chosen.on_gpu), np.arange(n_records)
    queue = _Queue(strips(n_records), n_records * (n_records - 1) // 2, chosen.progress)

    def work(tally: Tally) -> None:
        while strip := queue.take():
            for block in blocks_of(strip, n_records, from_strip_on=True):
                products.tally(block, positions[slice(*strip)], seen, tally)
            queue.done(sum(n_records - 1 - row for row in range(*strip)))

    return counted_of(_in_threads(work, products, _tallies(codes, config, chosen.threads)), codes)


def count_from_anchors(
    vectors: Any, codes: RecordCodes, config: CandidatesConfig, means: Means | None = None
) -> Counted:
    """Estimate the counts from the pairs of `config.exact_up_to` randomly chosen records with all others.

    An anchor sees n - 1 pairs, and every pair has two records, so the mean of what anchors see in a cell times n / 2
    is an unbiased estimate of the pairs in it; its error follows from how much anchors differ.

    Args:
        vectors: As in `count_pairs`.
        codes: As in `count_pairs`.
        config: Seed, cap, and how many anchors: fewer than there are records.
        means: As in `count_pairs`.

    Returns:
        Estimated counts, which sum to n (n - 1) / 2, their standard errors, and a sample of the pairs with an anchor.

    Source:
        Cochran, Sampling Techniques, 1977, 2.6 (mean of a simple random sample without replacement).
    """
    n_records, chosen = len(codes), means or Means()
    n_anchors = min(config.exact_up_to, n_records)
    rng = np.random.default_rng([config.seed, n_records])
    anchors = np.sort(rng.choice(n_records, n_anchors, replace=False)).astype(np.int64)
    is_anchor = np.zeros(n_records, dtype=np.uint8)
    is_anchor[anchors] = 1
    seen = Codes(codes.category, codes.group, codes.stratum, is_anchor)
    products = products_of(vectors, anchors, on_gpu=chosen.on_gpu)
    queue = _Queue(strips(n_anchors), n_anchors * (n_records - 1), chosen.progress)
    moments = np.zeros((2, 4 * N_CELLS))

    def work(tally: Tally) -> None:
        while strip := queue.take():
            cells = np.zeros((strip[1] - strip[0], 4 * N_CELLS), dtype=np.int64)
            for block in blocks_of(strip, n_records, from_strip_on=False):
                products.tally(block, anchors[slice(*strip)], seen, tally._replace(seen=cells))
            queue.done(len(cells) * (n_records - 1))
            with queue.lock:
                moments[:] += cells.sum(axis=0), (cells.astype(np.float64) ** 2).sum(axis=0)

    tally = _in_threads(work, products, _tallies(codes, config, chosen.threads))
    counted = counted_of(tally, codes)
    return Counted(
        counts=_whole_numbers(counted.counts * (n_records / (2 * n_anchors)), n_records * (n_records - 1) // 2),
        sample=counted.sample,
        sampled=counted.sampled,
        n_anchors=n_anchors,
        error=_standard_error(moments, n_anchors, n_records).reshape(2, 2, N_CELLS),
    )


def count_given(
    similarities: NDArray[np.float32],
    pairs: NDArray[np.int32],
    positive: NDArray[np.bool_],
    codes: RecordCodes,
    config: CandidatesConfig,
) -> Counted:
    """Count and sample given pairs.

    Args:
        similarities: Cosines; shape (n_pairs,).
        pairs: Positions of their records, the lower one first; shape (n_pairs, 2).
        positive: Which are known positives; shape (n_pairs,).
        codes: Of the records; their groups are not looked at.
        config: Seed and cap.
    """
    tally = _tallies(codes, config, 1)[0]
    seen = Codes(codes.category, positive.astype(np.int32), codes.stratum, np.zeros(0, dtype=np.uint8))
    first, second = (np.ascontiguousarray(pairs[:, side], dtype=np.int32) for side in (0, 1))
    compiled().tally_pairs(first, second, np.asarray(similarities, dtype=np.float32), seen, tally)
    return counted_of(tally, codes)


def counted_of(tally: Tally, codes: RecordCodes) -> Counted:
    """Return what a tally has counted and kept."""
    kernels, shape = compiled(), (len(codes.strata), 2, 2)
    kernels.settle(tally)
    n_kept = int(tally.fill.sum())
    pairs, cells = np.empty(n_kept, dtype=np.uint64), np.empty(n_kept, dtype=np.int64)
    similarity = np.empty(n_kept, dtype=np.float32)
    kernels.unload(tally, pairs, similarity, cells)
    kind = cells // N_CELLS
    sample = pd.DataFrame(
        {
            "i": (pairs >> np.uint64(32)).astype(np.int32),
            "j": (pairs & np.uint64(0xFFFFFFFF)).astype(np.int32),
            "similarity": similarity,
            "same_category": kind & 2 > 0,
            "known": kind & 1 > 0,
            "stratum": (kind // 4).astype(np.int32),
        }
    )
    return Counted(
        counts=tally.bins[:, 0].astype(np.int64).reshape(*shape, N_BINS),
        sample=sample,
        sampled=tally.fill.reshape(*shape, N_CELLS).copy(),
    )


class _Queue:
    """Strips that threads take in turn, and how far they have come."""

    def __init__(self, waiting: Sequence[tuple[int, int]], n_pairs: int, progress: Progress | None) -> None:
        self.lock = threading.Lock()
        self._waiting = list(reversed(waiting))  # the first strips have the most pairs to come
        self._n_done, self._n_pairs, self._progress = 0, n_pairs, progress

    def take(self) -> tuple[int, int] | None:
        """Return the next strip; None after the last."""
        with self.lock:
            return self._waiting.pop() if self._waiting else None

    def done(self, n_pairs: int) -> None:
        """Report pairs; where the report raises, no strip is left to take."""
        with self.lock:
            self._n_done += n_pairs
            if self._progress:
                waiting, self._waiting = self._waiting, []
                self._progress(self._n_done, self._n_pairs, "counting pairs")
                self._waiting = waiting


def _in_threads(work: Callable[[Tally], None], products: Products, tallies: Sequence[Tally]) -> Tally:
    """Let each thread fill its tally and return the sum; numpy's own threads rest where ours run side by side."""
    kernels = compiled()
    products.prepare()
    with ExitStack() as stack:
        stack.enter_context(_libraries().limit(limits=1, user_api="blas"))
        pool = stack.enter_context(ThreadPoolExecutor(max_workers=len(tallies)))
        for running in [pool.submit(work, tally) for tally in tallies]:
            running.result()
    for other in tallies[1:]:
        kernels.merge(tallies[0], other)
    return tallies[0]


@functools.cache
def _libraries() -> ThreadpoolController:
    """Return the libraries that have threads of their own; finding them takes longer than small sets do."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _tallies(codes: RecordCodes, config: CandidatesConfig, threads: int | None) -> list[Tally]:
    per_cell = ceil(config.cap / len(codes.strata))
    room_for = _TALLY_BYTES // tally_bytes(len(codes.strata), per_cell)
    fitting = max(1, min(len(os.sched_getaffinity(0)), _MOST_THREADS, room_for))
    return [new_tally(len(codes.strata), per_cell, config.seed) for _ in range(threads or fitting)]


def _standard_error(moments: NDArray[np.float64], n_anchors: int, n_records: int) -> NDArray[np.float64]:
    """Return the standard error of each estimated count from the sums and sums of squares over anchors."""
    variance = np.maximum(moments[1] - moments[0] ** 2 / n_anchors, 0) / (n_anchors - 1)
    error: NDArray[np.float64] = n_records / 2 * np.sqrt(variance / n_anchors * (1 - n_anchors / n_records))
    return error


def _whole_numbers(estimates: NDArray[np.floating], total: int) -> NDArray[np.int64]:
    """Round estimates to whole numbers so that every stretch of them keeps its sum but for 1, and all the total."""
    sums = np.rint(np.cumsum(estimates)).astype(np.int64)
    sums[-1] = total  # which the last sum is, but for what adding up floats lost
    return np.diff(sums, prepend=0).reshape(estimates.shape)

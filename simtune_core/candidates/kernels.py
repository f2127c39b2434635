"""The loops over pairs that numpy has no word for: put each pair into its bin, and keep it if its hash is low enough.

Plain functions; `compiled()` makes machine code of them, so that importing this module loads no compiler. They release
the interpreter's lock. Nothing here knows records, texts or jobs.

The sample is a bottom-k sample: of all pairs of a cell those with the k lowest hashes. The hash of a pair follows from
the seed and its two positions alone, so the sample is the same in whatever order, blocks and threads pairs come.

Source: Cohen and Kaplan, Summarizing data using bottom-k sketches, 2007; the hash is splitmix64 (Steele, Lea and Flood,
Fast splittable pseudorandom number generators, 2014), output number `pair` of a seed; selection is Hoare's Find, 1961.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simtune_core.candidates.counted import FINE_PER_CELL, N_CELLS
from simtune_core.difficulty.bins import BINS_PER_UNIT, N_BINS, ON_EDGE

_UNIT, _EDGE = np.float32(BINS_PER_UNIT), np.float32(ON_EDGE)
TILE = 4096  # records that a block is wide at most
_SPARE = 32  # room of a cell beside twice the pairs sampled
GAMMA = np.uint64(0x9E3779B97F4A7C15)
_GAMMA_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_MIX1_INVERSE = np.uint64(pow(0xBF58476D1CE4E5B9, -1, 2**64))
_MIX2_INVERSE = np.uint64(pow(0x94D049BB133111EB, -1, 2**64))
_27, _30, _31, _32, _54, _60, _62 = (np.uint64(bits) for bits in (27, 30, 31, 32, 54, 60, 62))
_log = logging.getLogger(__name__)


class Codes(NamedTuple):
    """What is known of each record, as numbers; all of shape (n_records,).

    Attributes:
        category: int32; equal for equal categories.
        group: int32; equal where a pair is a known positive.
        stratum: int32.
        anchor: uint8; 1 for the records whose pairs are counted, empty where every pair is.
    """

    category: NDArray[np.int32]
    group: NDArray[np.int32]
    stratum: NDArray[np.int32]
    anchor: NDArray[np.uint8]


class Tally(NamedTuple):
    """What one thread has counted and kept; its arrays are changed in place.

    Attributes:
        bins: uint64, shape (n_strata * 4 * N_BINS, 2): by stratum, kind and bin the pairs counted, and the limit: the
            hash above which a pair is in no sample any more. Side by side, so that one look finds both.
        seed: uint64; what the hashes begin with.
        hashes: uint64, shape (n_strata * 4 * N_CELLS, 2 k and a little): the pairs kept, as the hashes that tell them.
        similarities: float32, the same shape.
        fill: int64, pairs kept in each cell.
        seen: int64, shape (n_rows, 4 * N_CELLS): pairs that each anchor of a block is in, by kind and cell.
        at: int32, shape (TILE,): room for the bins of a row of similarities.
        of: uint64, shape (TILE,): room for the hashes of its pairs.
    """

    bins: NDArray[np.uint64]
    seed: np.uint64
    hashes: NDArray[np.uint64]
    similarities: NDArray[np.float32]
    fill: NDArray[np.int64]
    seen: NDArray[np.int64]
    at: NDArray[np.int32]
    of: NDArray[np.uint64]


def mixed(value: Any) -> Any:
    """Spread the bits of a number, one to one."""
    value = (value ^ (value >> _30)) * _MIX1
    value = (value ^ (value >> _27)) * _MIX2
    return value ^ (value >> _31)


def unmixed(value: Any) -> Any:
    """Undo `mixed`."""
    value = (value ^ (value >> _31) ^ (value >> _62)) * _MIX2_INVERSE
    value = (value ^ (value >> _27) ^ (value >> _54)) * _MIX1_INVERSE
    return value ^ (value >> _30) ^ (value >> _60)


def bin_of(similarity: Any) -> Any:
    """Return what `bins.bin_index` returns, of one float32."""
    place = np.int32(np.floor(similarity * _UNIT + _EDGE)) + np.int32(BINS_PER_UNIT)
    return min(max(place, np.int32(0)), np.int32(N_BINS - 1))


def keep_lowest(hashes: Any, similarities: Any, n: int, k: int) -> None:
    """Bring the k lowest of the first n hashes, and their similarities, to the front, in any order."""
    low, high = 0, n - 1
    while low < high:
        pivot, left, right = hashes[(low + high) // 2], low, high
        while left <= right:
            while hashes[left] < pivot:
                left += 1
            while hashes[right] > pivot:
                right -= 1
            if left <= right:
                hashes[left], hashes[right] = hashes[right], hashes[left]
                similarities[left], similarities[right] = similarities[right], similarities[left]
                left += 1
                right -= 1
        if k - 1 <= right:
            high = right
        elif k - 1 >= left:
            low = left
        else:
            return


def make_room(tally: Any, cell: int) -> None:
    """Lower the limit of a full cell so that a few more than the k lowest hashes stay.

    Hashes are evenly spread up to the limit, so the share of it that leaves k and a margin is known without sorting;
    where chance leaves fewer than k, they are selected.
    """
    hashes, similarities, room = tally.hashes[cell], tally.similarities[cell], tally.hashes.shape[1]
    k = (room - _SPARE) // 2
    limit = np.uint64(tally.bins[cell * FINE_PER_CELL, 1] * ((k + 4 * np.sqrt(k) + _SPARE / 4) / room))
    left = 0
    for place in range(room):
        left += hashes[place] <= limit
    if k <= left < room:
        left = 0
        for place in range(room):  # what stays moves to the front; no branch to guess
            hashes[left], similarities[left] = hashes[place], similarities[place]
            left += hashes[place] <= limit
    else:
        keep_lowest(hashes, similarities, room, k)
        limit, left = hashes[:k].max(), k
    for fine in range(cell * FINE_PER_CELL, (cell + 1) * FINE_PER_CELL):
        tally.bins[fine, 1] = limit
    tally.fill[cell] = left


def offer(tally: Any, cell: int, value: Any, similarity: Any) -> None:
    """Keep a pair of a cell."""
    place = tally.fill[cell]
    tally.hashes[cell, place] = value
    tally.similarities[cell, place] = similarity
    tally.fill[cell] = place + 1
    if place + 1 == tally.hashes.shape[1]:
        make_room(tally, cell)


def place_row(similarities: Any, row: int, first: int, codes: Any, at: Any) -> None:
    """Find the row of `Tally.bins` of each pair of one record with those from `first` on; `at` becomes them.

    All of it in int32 and without a branch: the compiler makes vectors of it.
    """
    stop, below, odd = first + len(similarities), first < row, (row + first) & 1
    category, group, stratum = codes.category[row], codes.group[row], codes.stratum[row]
    categories, groups, strata = codes.category[first:stop], codes.group[first:stop], codes.stratum[first:stop]
    for column in range(len(similarities)):
        of_first = (odd + column) & 1 == 1  # every other pair counts for the stratum of its first record
        part = np.int32(4) * (stratum if of_first != below else strata[column])
        part += np.int32(2) * np.int32(category == categories[column]) + np.int32(group == groups[column])
        at[column] = part * np.int32(N_BINS) + bin_of(similarities[column])


def hash_row(n: int, row: int, first: int, seed: Any, of: Any) -> None:
    """Hash the pairs of one record with the n from `first` on; `of` becomes the hashes."""
    low, high = np.uint64(min(row, first)), np.uint64(max(row, first))
    start, step = seed + ((low << _32) | high) * GAMMA, (GAMMA << _32) if first < row else GAMMA
    for column in range(n):
        of[column] = mixed(start + np.uint64(column) * step)


def scan(similarities: Any, row: int, first: int, codes: Any, tally: Any) -> None:
    """Count and offer the pairs of one record with some in a row.

    Args:
        similarities: float32, shape (n,).
        row: Position of the record.
        first: Position of the first of the others: all of them above the record, or all below.
        codes: Codes.
        tally: Tally; changed.
    """
    place_row(similarities, row, first, codes, tally.at)
    hash_row(len(similarities), row, first, tally.seed, tally.of)
    bins, at, of, anchor = tally.bins, tally.at, tally.of, codes.anchor
    hashes, kept, fill, room = tally.hashes, tally.similarities, tally.fill, tally.hashes.shape[1]
    for column in range(len(similarities)):
        place = at[column]
        bins[place, 0] += np.uint64(1)
        if of[column] <= bins[place, 1]:
            if first < row and anchor[first + column]:
                continue  # its other record, an anchor too, has offered it
            cell = place // FINE_PER_CELL  # `offer`, written out: a call counts references of every array it is given
            hashes[cell, fill[cell]], kept[cell, fill[cell]] = of[column], similarities[column]
            fill[cell] += 1
            if fill[cell] == room:
                make_room(tally, cell)


def note_seen(n: int, at: Any, seen: Any) -> None:
    """Add the pairs of an anchor that were just counted to what it sees, by kind and cell."""
    for column in range(n):
        part, place = at[column] // N_BINS, at[column] % N_BINS
        seen[(part % 4) * N_CELLS + place // FINE_PER_CELL] += 1


def scan_row(similarities: Any, place: int, rows: Any, first: int, codes: Any, tally: Any) -> None:
    """Count and offer the pairs of the record `rows[place]`: an anchor's with all, another's with what follows it."""
    row, n = rows[place], len(similarities)
    if len(codes.anchor):
        own = min(max(row - first, 0), n)
        scan(similarities[:own], row, first, codes, tally)
        note_seen(own, tally.at, tally.seen[place])
    own = min(max(row + 1 - first, 0), n)
    scan(similarities[own:], row, first + own, codes, tally)
    if len(codes.anchor):
        note_seen(n - own, tally.at, tally.seen[place])


def tally_dense(similarities: Any, rows: Any, first: int, codes: Any, tally: Any) -> None:
    """Count and offer a block of similarities: of the records `rows` with those from `first` on."""
    for place in range(len(rows)):
        scan_row(similarities[place], place, rows, first, codes, tally)


def tally_sparse(product: Any, row_of: Any, rows: Any, first: int, codes: Any, tally: Any) -> None:
    """The same of a sparse block: `product` its indptr, indices and data, `row_of` a row of zeros to unfold it in."""
    indptr, indices, data = product
    for place in range(len(rows)):
        start, end = indptr[place], indptr[place + 1]
        for entry in range(start, end):
            row_of[indices[entry]] = data[entry]
        scan_row(row_of, place, rows, first, codes, tally)
        row_of[:] = 0


def tally_pairs(first: Any, second: Any, similarities: Any, codes: Any, tally: Any) -> None:
    """Count and offer given pairs, `first` below `second`; `codes.group` says of each pair whether it is positive."""
    for place in range(len(first)):
        i, j = first[place], second[place]
        part = 4 * (codes.stratum[i] if (i + j) & 1 == 1 else codes.stratum[j])
        part += 2 * (codes.category[i] == codes.category[j]) + codes.group[place]
        fine = part * N_BINS + bin_of(similarities[place])
        tally.bins[fine, 0] += np.uint64(1)
        value = mixed(tally.seed + ((np.uint64(i) << _32) | np.uint64(j)) * GAMMA)
        if value <= tally.bins[fine, 1]:
            offer(tally, fine // FINE_PER_CELL, value, similarities[place])


def merge(tally: Any, other: Any) -> None:
    """Add to a tally what another one has counted and kept."""
    tally.bins[:, 0] += other.bins[:, 0]
    hashes, similarities, fill, room = tally.hashes, tally.similarities, tally.fill, tally.hashes.shape[1]
    for cell in range(len(other.fill)):
        for place in range(other.fill[cell]):
            if other.hashes[cell, place] <= tally.bins[cell * FINE_PER_CELL, 1]:
                hashes[cell, fill[cell]] = other.hashes[cell, place]  # `offer`, written out as in `scan`
                similarities[cell, fill[cell]] = other.similarities[cell, place]
                fill[cell] += 1
                if fill[cell] == room:
                    make_room(tally, cell)


def settle(tally: Any) -> None:
    """Leave the k lowest hashes in every cell: the sample."""
    k = (tally.hashes.shape[1] - _SPARE) // 2
    for cell in range(len(tally.fill)):
        if tally.fill[cell] > k:
            keep_lowest(tally.hashes[cell], tally.similarities[cell], tally.fill[cell], k)
            tally.fill[cell] = k


def unload(tally: Any, pairs: Any, similarities: Any, cells: Any) -> None:
    """Write the pairs kept in order of cell, then of their positions.

    Args:
        tally: Tally.
        pairs: uint64, shape (n kept,): becomes the lower position times 2^32 plus the higher.
        similarities: float32, the same shape.
        cells: int64, the same shape.
    """
    end = 0
    for cell in range(len(tally.fill)):
        start, end = end, end + tally.fill[cell]
        kept = np.empty(end - start, dtype=np.uint64)
        for place in range(end - start):
            kept[place] = (unmixed(tally.hashes[cell, place]) - tally.seed) * _GAMMA_INVERSE
        order = np.argsort(kept)
        for place in range(end - start):
            pairs[start + place] = kept[order[place]]
            similarities[start + place] = tally.similarities[cell, order[place]]
            cells[start + place] = cell


class Kernels(NamedTuple):
    """The functions of this module of the same names, as machine code."""

    tally_dense: Callable[..., None]
    tally_sparse: Callable[..., None]
    tally_pairs: Callable[..., None]
    merge: Callable[..., None]
    settle: Callable[..., None]
    unload: Callable[..., None]


_PARTS = (mixed, unmixed, bin_of, keep_lowest, make_room, offer, place_row, hash_row, scan, note_seen, scan_row)


@functools.cache
def compiled() -> Kernels:
    """Return the kernels as machine code, from the cache on disk where one is usable: seconds without, none with it."""
    try:
        return _tried(_built(cached=True))
    except (
        cache_faults()
    ) as error:  # whatever a damaged or forbidden cache makes of itself; a fault of ours comes again
        _log.warning("the cache of compiled kernels cannot be used (%s); they are compiled for this run alone", error)
        return _tried(_built(cached=False))


def cache_faults() -> tuple[type[Exception], ...]:
    """Return what numba raises where its cache is damaged or cannot be written."""
    from numba.core import caching

    reading = caching.pickle.UnpicklingError  # numba's own reader of its own files
    return (reading, OSError, EOFError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, ImportError)


def tally_bytes(n_strata: int, per_cell: int) -> int:
    """Return what a tally takes at most, if every cell is in use."""
    return n_strata * 4 * (N_CELLS * (2 * per_cell + _SPARE) * 12 + N_BINS * 16)


def new_tally(n_strata: int, per_cell: int, seed: int) -> Tally:
    """Return a tally of nothing.

    Args:
        n_strata: Strata.
        per_cell: Pairs sampled from each stratum, kind and cell of 0.01.
        seed: At least 0.
    """
    n_cells = n_strata * 4 * N_CELLS
    with np.errstate(over="ignore"):
        start = mixed(np.uint64(seed) + GAMMA)
    bins = np.zeros((n_strata * 4 * N_BINS, 2), dtype=np.uint64)
    bins[:, 1] = np.iinfo(np.uint64).max
    return Tally(
        bins=bins,
        seed=start,
        hashes=np.empty((n_cells, 2 * per_cell + _SPARE), dtype=np.uint64),  # pages are taken where pairs are kept
        similarities=np.empty((n_cells, 2 * per_cell + _SPARE), dtype=np.float32),
        fill=np.zeros(n_cells, dtype=np.int64),
        seen=np.zeros((0, 4 * N_CELLS), dtype=np.int64),
        at=np.empty(TILE, dtype=np.int32),
        of=np.empty(TILE, dtype=np.uint64),
    )


def _built(*, cached: bool) -> Kernels:
    from numba import njit
    from numba.extending import register_jitable

    for part in _PARTS:
        register_jitable(part)
    ready = njit(nogil=True, cache=cached)
    return Kernels(*(ready(part) for part in (tally_dense, tally_sparse, tally_pairs, merge, settle, unload)))


def _tried(kernels: Kernels) -> Kernels:
    """Run every kernel once on next to nothing: a cache that cannot be read shows here, before anything is counted."""
    zeros = np.zeros(2, dtype=np.int32)
    codes = Codes(zeros, zeros, zeros, np.zeros(0, dtype=np.uint8))
    tally, rows = new_tally(1, 1, 0), np.zeros(1, dtype=np.int64)
    ones, row_of = np.ones((1, 2), dtype=np.float32), np.zeros(2, dtype=np.float32)
    kernels.tally_dense(ones, rows, 0, codes, tally)
    kernels.tally_sparse((zeros, zeros[:0], ones[0, :0]), row_of, rows, 0, codes, tally)
    kernels.tally_pairs(zeros[:1], zeros[1:], row_of[:1], codes, tally)
    kernels.merge(tally, new_tally(1, 1, 0))
    kernels.settle(tally)
    n = int(tally.fill.sum())
    kernels.unload(tally, np.empty(n, np.uint64), np.empty(n, np.float32), np.empty(n, np.int64))
    return kernels

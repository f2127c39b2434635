"""Folds that share no record: what is learnt on one part of the pairs is tried on texts never seen.

Whole components of the pair graph go into one fold. Where one component holds most pairs (pairs drawn at random tie
nearly all records together) its records are dealt out one by one, and a pair across two folds is tried in neither.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_TOO_LARGE = 1.5  # folds' worth of pairs; a component beyond is dealt out record by record


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """The fold of either record of each pair.

    Attributes:
        first: Of sentence1's record, in [0, n_folds); shape (n_pairs,).
        second: Of sentence2's record; shape (n_pairs,).
        n_folds: Number of folds.
        whole: Whether every component lies in one fold, so that no pair is lost.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    n_folds: int
    whole: bool

    def held_out(self, fold: int) -> NDArray[np.intp]:
        """Return the pairs both of whose records lie in the fold, as row numbers."""
        return np.flatnonzero((self.first == fold) & (self.second == fold))

    def kept(self, fold: int) -> NDArray[np.intp]:
        """Return the pairs none of whose records lies in the fold, as row numbers."""
        return np.flatnonzero((self.first != fold) & (self.second != fold))


def record_codes(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Number the records: the code of either side of each pair, shapes (n_pairs,), and how many there are."""
    both = np.concatenate([np.asarray(first, dtype=str), np.asarray(second, dtype=str)])
    names, codes = np.unique(both, return_inverse=True)
    half = len(both) // 2
    return codes[:half], codes[half:], len(names)


def record_folds(first: ArrayLike, second: ArrayLike, *, n_folds: int, seed: int, smallest: int | None = None) -> Folds:
    """Deal the records of pairs into folds of about equally many pairs.

    Args:
        first: The record of sentence1; shape (n_pairs,).
        second: The record of sentence2; shape (n_pairs,).
        n_folds: Number of folds.
        seed: Of the order in which equally large parts are dealt.
        smallest: Pairs of the smaller of two sets whose pairs these are, so that neither lies in one fold alone.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    one, other, n_records = record_codes(first, second)
    graph = coo_matrix((np.ones(len(one), dtype=np.int8), (one, other)), shape=(n_records, n_records))
    component = connected_components(graph, directed=False)[1].astype(np.intp)
    sizes = np.bincount(component[one], minlength=int(component.max(initial=-1)) + 1)
    too_large = sizes > _TOO_LARGE * (len(one) if smallest is None else smallest) / n_folds
    alone = too_large[component]  # records that are dealt one by one
    unit = np.where(alone, len(sizes) + np.arange(n_records), component)
    degree = np.bincount(one, minlength=n_records) + np.bincount(other, minlength=n_records)
    fold_of_unit = _deal(unit, degree, n_folds, np.random.default_rng(seed))
    fold = fold_of_unit[unit]
    return Folds(fold[one], fold[other], n_folds, whole=not alone.any())


def _deal(unit: NDArray[np.intp], degree: NDArray[np.intp], n_folds: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Give each unit, the heaviest first, to the fold that is lightest so far; shape (n_unit_codes,)."""
    weight = np.bincount(unit, weights=degree)
    present = np.unique(unit)
    order = rng.permutation(present)
    order = order[np.argsort(-weight[order], kind="stable")]
    fold_of_unit = np.zeros(len(weight), dtype=np.intp)
    loads = [(0.0, fold) for fold in range(n_folds)]
    for each in order:
        load, fold = heapq.heappop(loads)
        fold_of_unit[each] = fold
        heapq.heappush(loads, (load + float(weight[each]), fold))
    return fold_of_unit

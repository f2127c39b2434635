"""Nearest neighbours in a whole space, exactly, and how far two spaces agree on them.

Pure numpy over vectors in blocks; no model, no file, no map: what a map shows of neighbourhoods is checked by this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

ENTRIES = 1 << 24  # distances held at a time: with their order some 300 MB


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Points and what distance means between them.

    Attributes:
        vectors: float32, shape (n, dim); dense, or sparse for TF-IDF. Rows of unit or zero length where the metric is
            cosine.
        metric: `cosine` is 1 - cosine similarity, in [0, 2]; `euclidean` the length of the difference.
    """

    vectors: NDArray[np.float32] | csr_matrix
    metric: Literal["cosine", "euclidean"]

    def __len__(self) -> int:
        return int(self.vectors.shape[0])

    def take(self, rows: NDArray[np.int64]) -> Space:
        """Return the space of some of the points."""
        return Space(self.vectors[rows], self.metric)

    def distances(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the distances of points start to stop from all points; shape (stop - start, n)."""
        some: Any = self.vectors[start:stop]
        products = some @ self.vectors.T
        if not isinstance(products, np.ndarray):
            products = products.toarray()
        if self.metric == "cosine":
            return np.asarray(np.maximum(1.0 - products, 0.0), dtype=np.float32)
        squares = np.einsum("ij,ij->i", self.vectors, self.vectors)
        squared = squares[start:stop, None] + squares[None, :] - 2.0 * products
        return np.asarray(np.sqrt(np.maximum(squared, 0.0)), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The k nearest other points of every point, nearest first.

    Attributes:
        places: Which points they are; int32, shape (n, k).
        distances: How far they are, ascending; float32, shape (n, k).
    """

    places: NDArray[np.int32]
    distances: NDArray[np.float32]

    def first(self, k: int) -> Neighbours:
        """Return the k nearest of them."""
        return Neighbours(self.places[:, :k], self.distances[:, :k])


def nearest(
    space: Space, k: int, progress: Callable[[int, int], None] | None = None, *, entries: int = ENTRIES
) -> Neighbours:
    """Find the k nearest other points of every point, by comparing all with all.

    Args:
        space: At least k + 1 points.
        k: How many neighbours.
        progress: Called with (points done, points to do).
        entries: Distances held at a time; the fewer, the less memory.

    Returns:
        The neighbours; of points equally far the one of the lower place comes first, but which of them are still among
        the k is arbitrary (and the same each time on one machine).
    """
    n = len(space)
    places, distances = np.empty((n, k), np.int32), np.empty((n, k), np.float32)
    n_rows = max(1, entries // n)
    for start in range(0, n, n_rows):
        stop = min(start + n_rows, n)
        block = space.distances(start, stop)
        block[np.arange(stop - start), np.arange(start, stop)] = np.inf
        chosen = np.sort(np.argpartition(block, k - 1, axis=1)[:, :k], axis=1)
        far = np.take_along_axis(block, chosen, axis=1)
        order = np.argsort(far, axis=1, kind="stable")
        places[start:stop] = np.take_along_axis(chosen, order, axis=1)
        distances[start:stop] = np.take_along_axis(far, order, axis=1)
        if progress:
            progress(stop, n)
    return Neighbours(places, distances)


def count_kept(first: Neighbours, second: Neighbours) -> NDArray[np.int8]:
    """Return how many of each point's k neighbours are the same in both spaces, 0 to k; shape (n,)."""
    same = first.places[:, :, None] == second.places[:, None, :]
    return same.any(axis=2).sum(axis=1).astype(np.int8)


def change_of(kept: NDArray[np.int8], k: int) -> NDArray[np.float32]:
    """Return each point's neighbourhood change, 1 - Jaccard similarity of its two neighbourhoods, in [0, 1].

    0 means the same k neighbours, 1 not one in common. Shape (n,).
    """
    shared = kept.astype(np.float32)
    return np.asarray(1.0 - shared / (2.0 * k - shared), dtype=np.float32)

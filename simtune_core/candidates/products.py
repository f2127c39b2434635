"""Similarities of records with one another, block by block: sparse by scipy, dense by numpy or on a GPU.

A block is some records in a row (a strip) times a tile of records. Which blocks there are depends on the number of
records alone, never on threads, so that a similarity is rounded the same way in every run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.candidates.kernels import TILE, Codes, Tally, compiled

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

STRIP = 256  # records that a block is high at most; one of float32 has 4 MB, a sparse one twice that
_PAIRS = 1 << 15  # multiplied one by one at once: 100 MB of vectors of 384 numbers


@dataclass(frozen=True, slots=True)
class Block:
    """Where a block lies.

    Attributes:
        rows: First and last + 1 of the strip, counted in the records whose pairs are looked at.
        tile: First and last + 1 of the records that they are multiplied with.
    """

    rows: tuple[int, int]
    tile: tuple[int, int]


@dataclass(frozen=True, eq=False)
class SparseProducts:
    """Blocks of sparse vectors.

    Attributes:
        left: Unit vectors of the records whose pairs are looked at, shape (n_rows, n_terms).
        right: Unit vectors of all records, shape (n_records, n_terms).
    """

    left: csr_matrix
    right: csr_matrix

    @cached_property
    def _tiles(self) -> list[csr_matrix]:
        n_records = self.right.shape[0]
        return [self.right[start : start + TILE].T.tocsr() for start in range(0, n_records, TILE)]

    def tally(self, block: Block, positions: NDArray[np.int64], codes: Codes, tally: Tally) -> None:
        """Count and offer the pairs of a block; `positions` are those of its rows among all records."""
        product = self.left[slice(*block.rows)] @ self._tile(*block.tile)
        row_of = np.zeros(product.shape[1], dtype=np.float32)
        parts = (product.indptr, product.indices, product.data)
        compiled().tally_sparse(parts, row_of, positions, block.tile[0], codes, tally)

    def prepare(self) -> None:
        """Do what is done once, before threads begin."""
        _ = self._tiles

    def _tile(self, start: int, stop: int) -> csr_matrix:
        """Return records as columns: whole tiles are kept, the part of one that a strip begins in is cut for it."""
        number, inside = divmod(start, TILE)
        return self.right[start:stop].T.tocsr() if inside else self._tiles[number]


@dataclass(frozen=True, eq=False)
class DenseProducts:
    """Blocks of dense vectors on the CPU; as `SparseProducts`, vectors of shape (n, dim)."""

    left: NDArray[np.float32]
    right: NDArray[np.float32]

    def tally(self, block: Block, positions: NDArray[np.int64], codes: Codes, tally: Tally) -> None:
        """Count and offer the pairs of a block."""
        compiled().tally_dense(self.rows(block), positions, block.tile[0], codes, tally)

    def rows(self, block: Block) -> NDArray[np.float32]:
        """Return the similarities of a block; shape (n_rows, n_tile)."""
        return self.left[slice(*block.rows)] @ self.right[slice(*block.tile)].T

    def prepare(self) -> None:
        """Do nothing; there is nothing to do once."""


@dataclass(frozen=True, eq=False)
class CudaProducts:
    """Blocks of dense vectors multiplied on a GPU in float32 and counted on the CPU; as `DenseProducts`."""

    left: NDArray[np.float32]
    right: NDArray[np.float32]

    @cached_property
    def _held(self) -> tuple[Any, Any]:
        import torch

        torch.set_float32_matmul_precision("highest")  # TensorFloat-32 keeps 10 bits: bins of 0.001 need more
        right = torch.from_numpy(self.right).cuda()
        return (right if self.left is self.right else torch.from_numpy(self.left).cuda()), right

    def tally(self, block: Block, positions: NDArray[np.int64], codes: Codes, tally: Tally) -> None:
        """Count and offer the pairs of a block."""
        compiled().tally_dense(self.rows(block), positions, block.tile[0], codes, tally)

    def rows(self, block: Block) -> NDArray[np.float32]:
        """Return the similarities of a block; shape (n_rows, n_tile)."""
        left, right = self._held
        product: NDArray[np.float32] = (left[slice(*block.rows)] @ right[slice(*block.tile)].T).cpu().numpy()
        return product

    def prepare(self) -> None:
        """Bring the vectors to the GPU."""
        _ = self._held


Products = SparseProducts | DenseProducts | CudaProducts


def products_of(vectors: Any, rows: NDArray[np.int64] | None = None, *, on_gpu: bool = False) -> Products:
    """Return the products of some records, or all, with all.

    Args:
        vectors: Rows of unit length, dense or sparse; shape (n_records, dim).
        rows: Positions of the records whose pairs are looked at; None is all.
        on_gpu: Multiply dense vectors on the first GPU.
    """
    if not isinstance(vectors, np.ndarray):
        sorted_ = vectors.tocsr()
        return SparseProducts(sorted_ if rows is None else sorted_[rows], sorted_)
    kind = CudaProducts if on_gpu else DenseProducts
    held = np.ascontiguousarray(vectors, dtype=np.float32)
    return kind(held if rows is None else held[rows], held)


def strips(n_rows: int) -> list[tuple[int, int]]:
    """Return first and last + 1 of every strip."""
    return [(start, min(start + STRIP, n_rows)) for start in range(0, n_rows, STRIP)]


def blocks_of(strip: tuple[int, int], n_records: int, *, from_strip_on: bool) -> Iterator[Block]:
    """Yield the blocks of a strip: with all records, or with those from its first on."""
    begin = strip[0] if from_strip_on else 0
    for start in range(begin - begin % TILE, n_records, TILE):
        yield Block(strip, (max(start, begin), min(start + TILE, n_records)))


def cosines(vectors: Any, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the cosine of each pair of rows, in [-1, 1]; shape (n_pairs,).

    Args:
        vectors: Rows of unit length, dense or sparse.
        first: Rows; shape (n_pairs,).
        second: Rows; the same shape.
    """
    found = np.empty(len(first), dtype=np.float32)
    for start in range(0, len(first), _PAIRS):
        part = slice(start, start + _PAIRS)
        left, right = vectors[first[part]], vectors[second[part]]
        dense = isinstance(left, np.ndarray)
        found[part] = np.einsum("ij,ij->i", left, right) if dense else left.multiply(right).sum(axis=1).A1
    return np.clip(found, -1.0, 1.0)

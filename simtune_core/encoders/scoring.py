"""Cosine similarity of the pairs of one or more pair sets in one encoder's space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.encoders.catalogue import Encoder
from simtune_core.encoders.config import Precision
from simtune_core.encoders.embedding import Progress, embed
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.pairs import PairSet
from simtune_core.workspace import Workspace


def score_pairs(
    workspace: Workspace,
    encoder: Encoder,
    pairs: Sequence[PairSet],
    *,
    precision: Precision = "auto",
    progress: Progress | None = None,
) -> list[NDArray[np.float32]]:
    """Score every pair of every set.

    Args:
        workspace: Whose cache is used.
        encoder: Any encoder; TF-IDF is fitted on all unique texts of the sets given.
        pairs: The sets.
        precision: Number format of a transformer; TF-IDF ignores it.
        progress: As in `embed`.

    Returns:
        Cosine similarities in [-1, 1], one array of shape (n_pairs,) per set.
    """
    texts = list(dict.fromkeys(text for each in pairs for text in each.unique_texts()))
    row = {text: index for index, text in enumerate(texts)}
    if encoder.kind == "tfidf":
        vectors: Any = tfidf_matrix(texts)
    else:
        vectors = embed(workspace, encoder, texts, precision=precision, progress=progress).vectors
    return [_cosines(vectors, _rows(each, "sentence1", row), _rows(each, "sentence2", row)) for each in pairs]


def _rows(pairs: PairSet, column: str, row: dict[str, int]) -> NDArray[np.int64]:
    return np.asarray(pairs.frame[column].map(row), dtype=np.int64)


def _cosines(vectors: Any, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float32]:
    if isinstance(vectors, np.ndarray):
        products = np.einsum("ij,ij->i", vectors[first], vectors[second])
    else:
        products = np.asarray(vectors[first].multiply(vectors[second]).sum(axis=1)).ravel()
    return np.clip(products, -1.0, 1.0).astype(np.float32)

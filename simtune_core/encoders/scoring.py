"""Cosine similarity of the pairs of one or more pair sets in one encoder's space, each set scored once.

Scores are kept in `data/cache/scores/<key>.npz`, known by what they follow from: the content of the set, the encoder,
the precision and, for TF-IDF, the content of every set it was fitted on. The cache may be deleted at any time; a
damaged file is computed again.
"""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.cache import keep_within_limit, mark_used
from simtune_core.encoders.catalogue import TFIDF, Encoder, resolve_encoder
from simtune_core.encoders.config import Precision
from simtune_core.encoders.embedding import Progress, embed
from simtune_core.encoders.imported import scores_of
from simtune_core.encoders.loading import precision_that_ran
from simtune_core.encoders.tfidf import SETTINGS, tfidf_matrix
from simtune_core.errors import WorkspaceError
from simtune_core.files import sha256_json, whole_file
from simtune_core.pairs import PairSet
from simtune_core.workspace import Workspace

GROUP = "scores"  # its folder in the cache
_ROWS = 1 << 15  # pairs multiplied at once: 100 MB of vectors of 384 numbers
_log = logging.getLogger(__name__)


def score_pairs(
    workspace: Workspace,
    encoder: Encoder,
    pairs: Sequence[PairSet],
    *,
    precision: Precision = "auto",
    progress: Progress | None = None,
) -> list[NDArray[np.float32]]:
    """Score every pair of every set, or read the scores that are there.

    Args:
        workspace: Whose cache is used.
        encoder: Any encoder; TF-IDF is fitted on all unique texts of the sets given.
        pairs: The sets.
        precision: Number format of a transformer; TF-IDF ignores it.
        progress: As in `embed`.

    Returns:
        Cosine similarities in [-1, 1], one array of shape (n_pairs,) per set.
    """
    if encoder.kind == "scores" and encoder.folder is not None:
        return [scores_of(encoder.name, encoder.folder, each) for each in pairs]
    places = [score_file(workspace, encoder, each, fitted_on=pairs, precision=precision) for each in pairs]
    held = [read_scores(place, len(each)) for place, each in zip(places, pairs, strict=True)]
    missing = [place for place, scores in enumerate(held) if scores is None]
    if missing:
        corpus = pairs if encoder.kind == TFIDF else [pairs[place] for place in missing]
        rows, vectors = _vectors(workspace, encoder, corpus, precision, progress)
        for place in missing:
            held[place] = scored = _score(pairs[place], rows, vectors)
            keep_scores(workspace, places[place], scored, n_texts=len(rows))
    elif progress:
        progress(1, 1, "all pairs were scored before")
    return [scores for scores in held if scores is not None]


def score_file(
    workspace: Workspace, encoder: Encoder, pairs: PairSet, *, fitted_on: Sequence[PairSet] = (), precision: Precision
) -> Path:
    """Return where the scores of a set are kept.

    Args:
        workspace: Whose cache.
        encoder: The space.
        pairs: The set that is scored.
        fitted_on: For TF-IDF the sets whose texts it is fitted on, in any order; other encoders ignore it.
        precision: Number format of a transformer; TF-IDF ignores it.
    """
    known = {"set": pairs.content_id, "encoder": encoder.fingerprint, "v": 1}
    if encoder.kind == TFIDF:
        known |= {"settings": SETTINGS, "fitted_on": sorted({each.content_id for each in fitted_on})}
    else:
        known |= {"precision": precision_that_ran([encoder], precision)}
    return workspace.cache / GROUP / f"{sha256_json(known)[:40]}.npz"


def read_scores(path: Path, n_pairs: int) -> NDArray[np.float32] | None:
    """Return kept scores, shape (n_pairs,); None where there are none that can be used."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            scores = kept["scores"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, IndexError, zipfile.BadZipFile):
        scores = np.zeros(0)
    if scores.dtype != np.float32 or scores.shape != (n_pairs,) or not np.isfinite(scores).all():
        _log.warning("the kept scores %s are damaged and ignored; they are computed again", path.name)
        path.unlink(missing_ok=True)
        return None
    mark_used(path)
    return np.asarray(scores)


def count_texts(workspace: Workspace, pairs: Sequence[PairSet]) -> int:
    """Return how many different texts sets hold together: what TF-IDF is fitted on.

    Noted with the scores of TF-IDF, because counting the texts of a million pairs takes longer than reading them.
    """
    tfidf = resolve_encoder(workspace, TFIDF)
    path = score_file(workspace, tfidf, pairs[0], fitted_on=pairs, precision="fp32")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return int(kept["n_texts"])
    except (OSError, ValueError, KeyError, EOFError, IndexError, zipfile.BadZipFile):
        sides = [each.frame[side] for each in pairs for side in ("sentence1", "sentence2")]
        return int(pd.concat(sides, ignore_index=True).nunique())


def keep_scores(workspace: Workspace, path: Path, scores: NDArray[np.float32], *, n_texts: int) -> None:
    """Keep scores in the cache and make room for them; a cache that is deleted meanwhile keeps nothing.

    Args:
        workspace: Whose cache.
        path: Where, as `score_file` says.
        scores: Shape (n_pairs,).
        n_texts: How many different texts were scored together.
    """
    try:
        with whole_file(path) as beside, beside.open("wb") as file:
            np.savez(file, scores=scores, n_texts=np.int64(n_texts))
    except WorkspaceError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        _log.warning("the cache was deleted while it was written; these scores are not kept in it")
    keep_within_limit(workspace)


def _vectors(
    workspace: Workspace, encoder: Encoder, pairs: Sequence[PairSet], precision: Precision, progress: Progress | None
) -> tuple[dict[str, int], Any]:
    """Return the row of each text, and the unit vectors of all: sparse for TF-IDF, else dense; (n_texts, dim)."""
    texts = list(dict.fromkeys(text for each in pairs for text in each.unique_texts()))
    row = {text: index for index, text in enumerate(texts)}
    if encoder.kind == TFIDF:
        return row, tfidf_matrix(texts)
    return row, embed(workspace, encoder, texts, precision=precision, progress=progress).vectors


def _score(pairs: PairSet, row: dict[str, int], vectors: Any) -> NDArray[np.float32]:
    first, second = (np.asarray(pairs.frame[side].map(row), dtype=np.int64) for side in ("sentence1", "sentence2"))
    scores = np.empty(len(pairs), dtype=np.float32)
    for start in range(0, len(pairs), _ROWS):
        part = slice(start, start + _ROWS)
        scores[part] = _cosines(vectors[first[part]], vectors[second[part]])
    return scores


def _cosines(first: Any, second: Any) -> NDArray[np.float32]:
    if isinstance(first, np.ndarray):
        products = np.einsum("ij,ij->i", first, second)
    else:
        products = np.asarray(first.multiply(second).sum(axis=1)).ravel()
    return np.clip(products, -1.0, 1.0).astype(np.float32)

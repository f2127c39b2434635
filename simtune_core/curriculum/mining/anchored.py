"""Negatives for anchors, chosen by rank, score and margin in one space: sentence-transformers' rules, on vectors.

Positions in, positions out: knows no text, no file, no encoder. `mine_hard_negatives` of sentence-transformers embeds
by itself, keeps nothing away but the positives it is given, and draws from an unseeded generator, so that its selection
is written here again; tests hold it against the original.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.curriculum.mining.config import AnchoredConfig

_BLOCK = 4_000_000  # similarities held at once: 16 MB
_LIMITS = ("absolute_margin", "relative_margin", "max_score", "min_score")

Progress = Callable[[int, int, str], None]
Veto = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]  # (anchors, rows of the corpus) -> dropped


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The candidates of each anchor, in the order in which they are to be taken.

    Attributes:
        positions: Row of each candidate in the corpus, -1 behind the last one; shape (n_anchors, width).
        scores: Cosine to the anchor, NaN behind the last one; same shape.
        dropped: Candidates of the first `range_max` that each limit left out, by the name of the setting.
    """

    positions: NDArray[np.int64]
    scores: NDArray[np.float32]
    dropped: dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The negatives taken, anchor by anchor in the order of preference.

    Attributes:
        anchors: Row of each negative's anchor among the anchors; shape (n_negatives,).
        positions: Its row in the corpus; same shape.
        scores: Cosine to the anchor.
        n_vetoed: Candidates that the second model dropped.
        n_repeated: Candidates that were a pair of the set already, from the other side.
    """

    anchors: NDArray[np.int64]
    positions: NDArray[np.int64]
    scores: NDArray[np.float32]
    n_vetoed: int
    n_repeated: int


def rank_candidates(
    anchors: Any,
    corpus: Any,
    barred: Sequence[NDArray[np.int64]],
    floor: NDArray[np.float32],
    config: AnchoredConfig,
    *,
    progress: Progress | None = None,
) -> Ranked:
    """Rank the candidates of every anchor and keep those that the settings allow.

    Args:
        anchors: Unit vectors of the anchors, dense float32 or sparse; shape (n_anchors, dim).
        corpus: Unit vectors that negatives are chosen from, of the same kind; shape (n_corpus, dim).
        barred: For each anchor the rows of the corpus that are no candidates: itself, its positives, what the label
            rule excludes.
        floor: Cosine of each anchor to its least similar positive, which the margins count from; shape (n_anchors,).
        config: Rank window, score band, margins, how to sample.
        progress: Called with (anchors done, anchors, what is being done).

    Source:
        sentence-transformers 6.2, util/hard_negatives.py `mine_hard_negatives`: of the `range_max` most similar
        candidates those that break a limit are left out, then the first `range_min` of the rest. We rank without the
        barred rows; there, one anchor's window grows by the positives that another one has more.
    """
    n, width = anchors.shape[0], min(config.range_max, corpus.shape[0])
    positions = np.full((n, width), -1, dtype=np.int64)
    scores = np.full((n, width), -np.inf, dtype=np.float32)
    rows_at_once = max(1, _BLOCK // corpus.shape[0])
    for start in range(0, n, rows_at_once):
        rows = slice(start, min(n, start + rows_at_once))
        product = anchors[rows] @ corpus.T
        block = product if isinstance(product, np.ndarray) else product.toarray()
        for row, out in enumerate(barred[rows]):
            block[row, out] = -np.inf
        positions[rows], scores[rows] = _most_similar(block, width)
        if progress:
            progress(rows.stop, n, "ranking candidates")
    dropped = _limit(scores, floor, config)
    rng = np.random.default_rng(config.seed)
    order = _preference(scores, config, rng)
    scores, positions = (np.take_along_axis(part, order, axis=1) for part in (scores, positions))
    gone = np.isneginf(scores)
    return Ranked(np.where(gone, -1, positions), np.where(gone, np.nan, scores).astype(np.float32), dropped)


def choose_negatives(
    ranked: Ranked,
    anchors: NDArray[np.int64],
    wanted: NDArray[np.int64],
    known: set[tuple[int, int]],
    *,
    veto: Veto | None = None,
) -> Chosen:
    """Take as many candidates of each anchor as are wanted; one that is vetoed or repeated makes room for the next.

    Args:
        ranked: The candidates.
        anchors: Row of each anchor in the corpus, or a number beyond it; shape (n_anchors,).
        wanted: Negatives wanted for each anchor; shape (n_anchors,).
        known: Pairs of such rows, the smaller first, that are in the set already.
        veto: Tells which pairs of (anchor, candidate) are dropped; asked only of what would be taken.
    """
    taken: list[tuple[int, int, float]] = []
    missing, cursor, seen = wanted.copy(), np.zeros(len(anchors), dtype=np.int64), set(known)
    last = (ranked.positions >= 0).sum(axis=1)
    n_vetoed = n_repeated = 0
    while True:
        rows, columns = _next(missing, cursor, last)
        if not len(rows):
            break
        found = ranked.positions[rows, columns]
        bad = veto(rows, found) if veto else np.zeros(len(rows), dtype=bool)
        for row, column, position, vetoed in zip(rows.tolist(), columns.tolist(), found.tolist(), bad, strict=True):
            cursor[row] = column + 1
            pair = (min(int(anchors[row]), position), max(int(anchors[row]), position))
            if vetoed or pair in seen:
                n_vetoed, n_repeated = n_vetoed + bool(vetoed), n_repeated + (not vetoed)
                continue
            seen.add(pair)
            missing[row] -= 1
            taken.append((row, position, float(ranked.scores[row, column])))
    taken.sort(key=lambda each: each[0])  # stable: within an anchor in the order of preference
    return Chosen(
        np.array([row for row, _, _ in taken], dtype=np.int64),
        np.array([position for _, position, _ in taken], dtype=np.int64),
        np.array([score for _, _, score in taken], dtype=np.float32),
        n_vetoed,
        n_repeated,
    )


def _most_similar(block: NDArray[np.float32], width: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the columns of the greatest values of each row, greatest first, and the values; equals by column."""
    top = np.argpartition(-block, width - 1, axis=1)[:, :width] if width < block.shape[1] else None
    columns = np.sort(top, axis=1) if top is not None else np.tile(np.arange(width), (len(block), 1))
    values = np.take_along_axis(block, columns, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1), np.take_along_axis(values, order, axis=1)


def _limit(scores: NDArray[np.float32], floor: NDArray[np.float32], config: AnchoredConfig) -> dict[str, int]:
    """Set what breaks a limit to minus infinity, in place, and count it for the first limit that it breaks."""
    lowest = floor[:, None]
    breaks = {
        "absolute_margin": lambda margin: scores + np.float32(margin) > lowest,
        "relative_margin": lambda margin: scores > lowest - np.abs(lowest) * np.float32(margin),
        "max_score": lambda limit: scores > np.float32(limit),
        "min_score": lambda limit: scores < np.float32(limit),
    }
    dropped = {}
    for name in _LIMITS:
        limit = getattr(config, name)
        if limit is not None:
            out = breaks[name](limit) & ~np.isneginf(scores)
            dropped[name] = int(out.sum())
            scores[out] = -np.inf
    return dropped


def _preference(scores: NDArray[np.float32], config: AnchoredConfig, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the order in which each row's candidates are taken, those not allowed last; sets the skipped to -inf."""
    ranks = np.argsort(-scores, axis=1, kind="stable")
    skipped = ranks[:, : config.range_min]
    np.put_along_axis(scores, skipped, -np.inf, axis=1)
    first = -scores if config.sampling_strategy == "top" else rng.random(scores.shape)
    return np.argsort(np.where(np.isneginf(scores), np.inf, first), axis=1, kind="stable")


def _next(
    missing: NDArray[np.int64], cursor: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the next candidates (row, column) of every anchor that lacks some, as many as it lacks."""
    n_next = np.minimum(missing, last - cursor).clip(0)
    rows = np.repeat(np.arange(len(missing)), n_next)
    starts = np.repeat(np.cumsum(n_next) - n_next, n_next)
    return rows, np.arange(len(rows)) - starts + cursor[rows]

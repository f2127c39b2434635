"""How likely every pair is positive, told by a probe that saw neither of its two records.

Where a pair's records lie in two folds, its probe is fitted without both; so no pair is lost, whatever the graph of
the pairs. The probe is the head of the preflight; its cosines become probabilities by a logistic curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simtune_core.curriculum.quality.config import NoiseConfig
from simtune_core.difficulty.preflight.folds import Folds, record_folds
from simtune_core.difficulty.preflight.probe import Progress, RecordIds, fit_probe, rows_of, sample_rows
from simtune_core.training.head import IndexedPairs, pair_cosines

Floats = NDArray[np.float64]
_WEAK_PENALTY = 100.0  # keeps the curve finite where the cosines separate the labels without an error


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """What probes say of pairs that they have not seen.

    Attributes:
        probabilities: P(label = 1) of each pair, NaN where too little was left to learn from; shape (n_pairs,).
        cosines: The probe's cosine of each pair, NaN likewise; shape (n_pairs,).
        n_fits: Probes fitted.
    """

    probabilities: Floats
    cosines: Floats
    n_fits: int

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Tell which pairs have a probability; shape (n_pairs,)."""
        return np.isfinite(self.probabilities)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Pairs whose records lie in the same two folds (or one), and the pairs that touch neither."""

    held_out: NDArray[np.intp]
    kept: NDArray[np.intp]


def score_out_of_fold(
    vectors: NDArray[np.float32],
    pairs: IndexedPairs,
    records: RecordIds,
    config: NoiseConfig,
    *,
    progress: Progress | None = None,
) -> OutOfFold:
    """Cross-validate a probe so that every pair is judged by one that saw neither of its records.

    Args:
        vectors: Unit embeddings; shape (n_texts, dim).
        pairs: The pairs with 0 / 1 labels.
        records: The record of each side; two arrays of shape (n_pairs,).
        config: Folds, sample sizes, penalties and seed.
        progress: Told after each probe.

    Returns:
        Probabilities and cosines of all pairs.

    Source:
        Platt 1999, "Probabilistic outputs for support vector machines": a logistic curve over scores of held-out
        examples; here over the out-of-fold cosines of the pairs that touch neither fold. (Their probes may have learnt
        from the pair that is judged; the two numbers of a curve give next to nothing of its label away.)
    """
    blocks = _blocks(record_folds(*records, n_folds=config.n_folds, seed=config.seed), config.n_folds)
    cosines = np.full(len(pairs.targets), np.nan)
    n_fits = 0
    for place, block in enumerate(blocks):
        if progress:
            progress(place, len(blocks), "probing held-out records")
        weight = _fitted(vectors, pairs, records, block.kept, config)
        if weight is not None:
            cosines[block.held_out] = pair_cosines(vectors, weight, rows_of(pairs, block.held_out))
            n_fits += 1
    probabilities = np.full(len(cosines), np.nan)
    for block in blocks:
        probabilities[block.held_out] = _calibrated(cosines, pairs.targets, block)
    return OutOfFold(probabilities, cosines, n_fits)


def _blocks(folds: Folds, n_folds: int) -> list[_Block]:
    low, high = np.minimum(folds.first, folds.second), np.maximum(folds.first, folds.second)
    found = []
    for first in range(n_folds):
        for second in range(first, n_folds):
            held_out = np.flatnonzero((low == first) & (high == second))
            if len(held_out):
                touches = np.isin(low, (first, second)) | np.isin(high, (first, second))
                found.append(_Block(held_out, np.flatnonzero(~touches)))
    return found


def _fitted(
    vectors: NDArray[np.float32],
    pairs: IndexedPairs,
    records: RecordIds,
    kept: NDArray[np.intp],
    config: NoiseConfig,
) -> NDArray[np.float32] | None:
    """Return the map of a probe of a sample of some pairs; None where they hold too little to learn from."""
    rows = kept[sample_rows(len(kept), config.fit_pairs, config.seed)]
    if len(np.unique(pairs.targets[rows])) < 2:
        return None
    probe = fit_probe(vectors, rows_of(pairs, rows), (records[0][rows], records[1][rows]), config.probing)
    return None if probe is None else probe.weight


def _calibrated(cosines: Floats, labels: Floats, block: _Block) -> Floats:
    """Return P(label = 1) of a block's pairs by a logistic curve over the cosines of pairs that touch no fold of it."""
    from sklearn.linear_model import LogisticRegression

    known = block.kept[np.isfinite(cosines[block.kept])]
    here = cosines[block.held_out]
    found = np.full(len(here), np.nan)
    judged = np.isfinite(here)
    if len(np.unique(labels[known])) < 2 or not judged.any():
        return found
    curve = LogisticRegression(C=_WEAK_PENALTY).fit(cosines[known, None], labels[known].astype(int))
    found[judged] = curve.predict_proba(here[judged, None])[:, 1]
    return found

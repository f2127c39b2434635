"""Shift: can a classifier tell the training from the test pairs, and by what? No file, no plotting.

Adversarial validation by gradient-boosted trees: unlike a linear model they see that two sets differ in spread (all
pairs very like or very unlike against all in between) though their means agree, and they take unknown categories as
they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.difficulty.preflight.folds import Folds, record_folds
from simtune_core.difficulty.scored import UNKNOWN, ScoredSet
from simtune_core.evaluation.metrics import roc_auc

Vectors = tuple[NDArray[np.float32], NDArray[np.float32]]  # of sentence1 and of sentence2; shapes (n_pairs, dim)


@dataclass(frozen=True, slots=True)
class Shift:
    """How different two pair sets look, labels left aside.

    Attributes:
        roc_auc: Cross-validated ROC-AUC of telling a training from a test pair, in [0, 1]; 0.5: they look alike. None
            where a fold holds pairs of one set only.
        importance: For each feature how much ROC-AUC falls when it is shuffled, in points, greatest first.
        wasserstein_positive: Distance of the two sets' similar pairs, in points of cosine; None where a set has none.
        wasserstein_negative: The same of the dissimilar pairs.
        n_train: Training pairs looked at.
        n_test: Test pairs looked at.
        n_judged: Pairs that were told apart on records not seen in the fitting.
    """

    roc_auc: float | None
    importance: tuple[tuple[str, float], ...]
    wasserstein_positive: float | None
    wasserstein_negative: float | None
    n_train: int
    n_test: int
    n_judged: int

    def as_json(self) -> dict[str, Any]:
        """Return the shift as JSON; see `shift_from_json`."""
        return asdict(self) | {"importance": [list(each) for each in self.importance]}


@dataclass(frozen=True, slots=True, eq=False)
class _Features:
    """Columns by feature; a feature may have several that are shuffled together."""

    names: tuple[str, ...]
    columns: tuple[NDArray[np.float64], ...]  # one matrix (n_pairs, n_columns) a feature

    def matrix(self) -> NDArray[np.float64]:
        return np.hstack(self.columns)

    def places(self, feature: int) -> slice:
        start = sum(each.shape[1] for each in self.columns[:feature])
        return slice(start, start + self.columns[feature].shape[1])


def measure_shift(
    train: ScoredSet, test: ScoredSet, vectors: tuple[Vectors, Vectors] | None, config: PreflightConfig
) -> Shift:
    """Tell training from test pairs by similarity, length, same category and direction of the difference.

    Args:
        train: The training pairs, at most as many as wanted (`sample_rows`).
        test: The test pairs.
        vectors: Unit vectors of both sides of each set's pairs; None in a space without vectors.
        config: Folds, principal components and seed.

    Source:
        Pan et al. 2020, "Adversarial validation approach to concept drift problem in user targeting automation systems
        at Uber", arXiv 2004.03045; folds that share no record are ours.
    """
    features = _features((train, test), vectors, config)
    is_test = np.repeat([0, 1], [len(train.pairs), len(test.pairs)])
    ids = [np.concatenate(side) for side in zip(train.pairs.record_ids(), test.pairs.record_ids(), strict=True)]
    smallest = min(len(train.pairs), len(test.pairs))
    folds = record_folds(*ids, n_folds=config.n_folds, seed=config.seed, smallest=smallest)
    value, importance, n_judged = _tell_apart(features, is_test, folds, config.seed)
    return Shift(
        roc_auc=value,
        importance=importance,
        wasserstein_positive=_distance(train, test, 1),
        wasserstein_negative=_distance(train, test, 0),
        n_train=len(train.pairs),
        n_test=len(test.pairs),
        n_judged=n_judged,
    )


def shift_from_json(value: dict[str, Any]) -> Shift:
    """Read a shift back from `Shift.as_json`."""
    return Shift(**{**value, "importance": tuple((name, drop) for name, drop in value["importance"])})


def _features(sets: Sequence[ScoredSet], vectors: tuple[Vectors, Vectors] | None, config: PreflightConfig) -> _Features:
    cosines, tfidf = (np.concatenate([getattr(each, name) for each in sets]) for name in ("cosines", "tfidf"))
    first, second = (
        np.concatenate([each.pairs.frame[column].str.len().to_numpy(np.float64) for each in sets])
        for column in ("sentence1", "sentence2")
    )
    found = {"cosine": cosines, "mean length": (first + second) / 2, "length difference": np.abs(first - second)}
    if not np.array_equal(cosines, tfidf):  # else TF-IDF is the space itself
        found["TF-IDF cosine"] = tfidf
    same = np.concatenate([each.same_category for each in sets]).astype(np.float64)
    if (same != UNKNOWN).any():
        found["same category"] = np.where(same == UNKNOWN, np.nan, same)
    columns = {name: np.asarray(values, dtype=np.float64)[:, None] for name, values in found.items()}
    if vectors is not None:
        columns["direction of the difference"] = _reduced(vectors, config)
    return _Features(tuple(columns), tuple(columns.values()))


def _reduced(vectors: tuple[Vectors, Vectors], config: PreflightConfig) -> NDArray[np.float64]:
    """Return the principal components of |u - v| of both sets together; shape (n_pairs, n_components)."""
    from sklearn.decomposition import PCA

    differences = np.concatenate([np.abs(first - second) for first, second in vectors])
    n_components = min(config.components, *differences.shape)
    reduced = PCA(n_components, svd_solver="randomized", random_state=config.seed).fit_transform(differences)
    return np.asarray(reduced, dtype=np.float64)


def _tell_apart(
    features: _Features, is_test: NDArray[np.intp], folds: Folds, seed: int
) -> tuple[float | None, tuple[tuple[str, float], ...], int]:
    """Return the mean ROC-AUC over the folds, each feature's loss of it when shuffled, and the pairs judged."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    matrix, rng = features.matrix(), np.random.default_rng(seed)
    values: list[float] = []
    drops: list[list[float]] = []
    weights: list[int] = []
    for fold in range(folds.n_folds):
        fitted, judged = folds.kept(fold), folds.held_out(fold)
        if len(np.unique(is_test[fitted])) < 2 or len(np.unique(is_test[judged])) < 2:
            continue
        model = HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=15, min_samples_leaf=20, class_weight="balanced", random_state=seed
        ).fit(matrix[fitted], is_test[fitted])
        whole = _auc(model, matrix[judged], is_test[judged])
        values.append(whole)
        weights.append(len(judged))
        drops.append([])
        for feature in range(len(features.names)):
            shuffled = matrix[judged].copy()
            places = features.places(feature)
            shuffled[:, places] = rng.permutation(shuffled[:, places])
            drops[-1].append(whole - _auc(model, shuffled, is_test[judged]))
    if not values:
        return None, (), 0
    losses = np.average(drops, axis=0, weights=weights)
    ranked = sorted(zip(features.names, losses.tolist(), strict=True), key=lambda each: -each[1])
    return float(np.average(values, weights=weights)), tuple(ranked), sum(weights)


def _auc(model: Any, matrix: NDArray[np.float64], is_test: NDArray[np.intp]) -> float:
    value = roc_auc(model.decision_function(matrix), is_test)
    assert value is not None  # both sets are in the fold
    return value


def _distance(train: ScoredSet, test: ScoredSet, label: int) -> float | None:
    from scipy.stats import wasserstein_distance

    one, other = (each.cosines[each.labels == label] for each in (train, test))
    return float(wasserstein_distance(one, other)) if len(one) and len(other) else None

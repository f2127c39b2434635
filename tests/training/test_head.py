"""The linear head on vectors whose answer is known."""

import numpy as np
import pytest

from simtune_core.errors import TrainingError
from simtune_core.training.config import TrainingConfig
from simtune_core.training.head import IndexedPairs, fit_head, pair_cosines

SHORT = TrainingConfig(method="head", max_epochs=4, per_device_train_batch_size=64, learning_rate=1e-2)


def hidden_category(seed, n_texts=200, dim=16, n_pairs=400):
    """Vectors whose first coordinate tells the class and whose others are loud noise; pairs alike = same class."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 2, n_texts)
    vectors = rng.standard_normal((n_texts, dim)).astype(np.float32)
    vectors[:, 0] = np.where(classes, 1.5, -1.5)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    first, second = rng.integers(0, n_texts, (2, n_pairs))
    return vectors, IndexedPairs(first, second, (classes[first] == classes[second]).astype(float))


def halves(pairs):
    middle = len(pairs.targets) // 2
    parts = (slice(None, middle), slice(middle, None))
    return [IndexedPairs(pairs.first[part], pairs.second[part], pairs.targets[part]) for part in parts]


def test_the_head_finds_the_direction_that_decides():
    vectors, pairs = hidden_category(0)
    train, dev = halves(pairs)
    fit = fit_head(vectors, train, dev, SHORT)
    assert fit.trained
    assert fit.metric == "roc_auc"
    assert fit.dev_metric > fit.baseline_dev_metric + 0.02
    assert fit.dev_metric == max(entry.dev_metric for entry in fit.history)
    assert abs(fit.weight[0, 0]) > np.abs(np.diag(fit.weight)[1:]).max()


def test_on_dev_it_cannot_lose_even_when_train_teaches_the_opposite():
    vectors, pairs = hidden_category(1)
    train, dev = halves(pairs)
    opposite = IndexedPairs(train.first, train.second, 1 - train.targets)
    fit = fit_head(vectors, opposite, dev, SHORT)
    assert fit.dev_metric == fit.baseline_dev_metric
    assert not fit.trained
    assert np.array_equal(fit.weight, np.eye(16, dtype=np.float32))


def test_the_same_seed_gives_the_same_map_and_another_one_does_not():
    vectors, pairs = hidden_category(2)
    train, dev = halves(pairs)
    first, again = (fit_head(vectors, train, dev, SHORT) for _ in range(2))
    other = fit_head(vectors, train, dev, SHORT.model_copy(update={"seed": 7}))
    assert np.array_equal(first.weight, again.weight)
    assert not np.array_equal(first.weight, other.weight)


def test_a_strong_penalty_keeps_the_map_near_the_identity():
    vectors, pairs = hidden_category(3)
    train, dev = halves(pairs)
    free, bound = (fit_head(vectors, train, dev, SHORT, penalties=(penalty,)) for penalty in (0.0, 10.0))
    identity = np.eye(16)
    assert np.linalg.norm(bound.weight - identity) < np.linalg.norm(free.weight - identity) / 5


def test_graded_dev_pairs_are_compared_by_spearman():
    vectors, pairs = hidden_category(4)
    graded = IndexedPairs(pairs.first, pairs.second, np.clip(pairs.targets * 0.8 + 0.1, 0, 1))
    train, dev = halves(graded)
    assert fit_head(vectors, train, dev, SHORT).metric == "spearman_cosine"


def test_a_set_of_one_class_is_refused_with_its_size():
    vectors, pairs = hidden_category(5)
    train, dev = halves(pairs)
    alike = IndexedPairs(train.first, train.second, np.ones(len(train.targets)))
    with pytest.raises(TrainingError, match=r"training set must hold both, got 200 pairs"):
        fit_head(vectors, alike, dev, SHORT)
    with pytest.raises(TrainingError, match=r"Dev pairs must hold"):
        fit_head(vectors, train, alike, SHORT)


def test_it_ends_with_the_best_map_when_asked_to_stop():
    vectors, pairs = hidden_category(6)
    train, dev = halves(pairs)
    fit = fit_head(vectors, train, dev, SHORT, on_epoch=lambda done: done.step == 2)
    assert fit.stopped
    assert len(fit.history) == 2


def test_cosines_are_those_of_the_mapped_vectors():
    # W = diag(1, 0) maps (0.6, 0.8) to (0.6, 0) and (1, 0) to (1, 0): cosine 1, before it was 0.6
    vectors = np.array([[0.6, 0.8], [1.0, 0.0]], dtype=np.float32)
    pair = IndexedPairs(np.array([0]), np.array([1]), np.array([1.0]))
    assert pair_cosines(vectors, np.diag([1.0, 0.0]).astype(np.float32), pair)[0] == pytest.approx(1.0)
    assert pair_cosines(vectors, np.eye(2, dtype=np.float32), pair)[0] == pytest.approx(0.6)

"""Whether two sets can be told apart, and by what."""

import numpy as np
import pytest

from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.difficulty.preflight.shift import measure_shift, shift_from_json
from tests.difficulty.sets import scored_set

CONFIG = PreflightConfig(n_folds=3)


def some(seed, n, *, spread=0.1, middle=0.5, ref="a@v0001", category="x"):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    cosines = np.clip(middle + spread * rng.normal(size=n), -1, 1)
    names = [f"{ref}{row}" for row in range(n)]
    return scored_set(
        cosines, labels, tfidf=rng.uniform(size=n), ref=ref, id1=names, id2=[f"{name}b" for name in names],
        category1=[category] * n, category2=["x"] * n,
    )  # fmt: skip


def test_sets_of_one_kind_are_not_told_apart():
    found = measure_shift(some(0, 400), some(1, 400, ref="b@v0001"), None, CONFIG)

    assert abs(found.roc_auc - 0.5) < 0.08
    assert (found.n_train, found.n_test, found.n_judged) == (400, 400, 800)
    assert found.wasserstein_positive < 0.03


def test_another_spread_of_equal_means_is_seen_and_named():
    found = measure_shift(some(0, 400, spread=0.02), some(1, 400, spread=0.3, ref="b@v0001"), None, CONFIG)

    assert found.roc_auc > 0.85
    assert found.importance[0][0] == "cosine"
    assert found.importance[0][1] > 0.2
    assert shift_from_json(found.as_json()) == found


def test_the_distance_of_the_similarities_is_in_points_of_cosine():
    train, test = scored_set([0.5, 0.6, 0.1, 0.2], [1, 1, 0, 0]), scored_set([0.7, 0.8], [1, 1], ref="b@v0001")

    found = measure_shift(train, test, None, CONFIG)

    assert found.wasserstein_positive == pytest.approx(0.2)
    assert found.wasserstein_negative is None


def test_the_direction_of_the_difference_is_a_feature_where_there_are_vectors():
    rng = np.random.default_rng(3)
    train, test = some(0, 300), some(1, 300, ref="b@v0001")
    here, there = rng.normal(size=(2, 300, 8)).astype(np.float32), rng.normal(size=(2, 300, 8)).astype(np.float32)
    there[0][:, 0] += 4.0  # the test pairs differ in one direction

    found = measure_shift(train, test, ((here[0], here[1]), (there[0], there[1])), CONFIG)

    assert found.importance[0][0] == "direction of the difference"
    assert found.roc_auc > 0.8


def test_a_record_in_both_sets_gives_nothing_away():
    same = some(0, 300)

    assert measure_shift(same, same, None, CONFIG).roc_auc == pytest.approx(0.5, abs=0.1)

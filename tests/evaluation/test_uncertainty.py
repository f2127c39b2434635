"""Tests of simtune_core.evaluation.uncertainty: rows replicated, by hand, by property."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.errors import DataFaultError
from simtune_core.evaluation.config import EvaluationConfig
from simtune_core.evaluation.metrics import roc_auc, spearman
from simtune_core.evaluation.uncertainty import (
    Interval,
    _pair_weights,
    _weighted_roc_auc,
    _weighted_spearman,
    resample_records,
    verdict,
)

FEW = EvaluationConfig(n_resamples=200)
ROWS = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(0, 1), st.integers(0, 3)),  # score, label, weight
    min_size=3,
    max_size=30,
)


def pair_set(n_pairs=500, n_records=200, gain=0.2, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n_pairs)
    scores = rng.normal(gain * labels, 0.2)
    ids = rng.integers(n_records, size=(2, n_pairs)).astype(str)
    return scores, labels, (ids[0], ids[1])


@settings(max_examples=80, deadline=None)
@given(ROWS)
def test_a_weight_is_a_row_replicated(rows):
    scores, labels, weights = map(np.array, zip(*rows, strict=True))
    replicated = np.repeat(np.arange(len(rows)), weights)
    for weighted, plain in ((_weighted_roc_auc, roc_auc), (_weighted_spearman, spearman)):
        value = weighted(scores.astype(float), labels.astype(float))(weights[None].astype(float))[0]

        expected = plain(scores[replicated], labels[replicated]) if len(replicated) else None
        if expected is None:
            assert np.isnan(value)
        else:
            assert value == pytest.approx(expected, abs=1e-12)


def test_weighted_roc_auc_equals_scikit_learn_on_replicated_rows():
    from sklearn.metrics import roc_auc_score

    scores, labels, _ = pair_set()
    weights = np.random.default_rng(1).integers(0, 4, len(scores))

    ours = _weighted_roc_auc(scores, labels.astype(float))(weights[None].astype(float))[0]

    assert ours == pytest.approx(roc_auc_score(np.repeat(labels, weights), np.repeat(scores, weights)), abs=1e-12)


def test_weighted_spearman_equals_scipy_on_replicated_rows():
    from scipy.stats import spearmanr

    scores, _, _ = pair_set()
    targets = np.random.default_rng(2).integers(0, 6, len(scores)) / 5
    weights = np.random.default_rng(1).integers(0, 4, len(scores))

    ours = _weighted_spearman(scores.round(1), targets)(weights[None].astype(float))[0]

    replicated = spearmanr(np.repeat(scores.round(1), weights), np.repeat(targets, weights)).statistic
    assert ours == pytest.approx(replicated, abs=1e-12)


def test_a_pair_weighs_the_product_of_its_two_records():
    first, second = np.array([0, 0, 2]), np.array([1, 2, 2])

    weights = _pair_weights(np.random.default_rng(3), first, second, n_records=3, n_resamples=50)

    drawn = np.random.default_rng(3).integers(3, size=(50, 3))
    times = np.stack([(drawn == record).sum(axis=1) for record in range(3)], axis=1)
    assert (weights[:, 0] == times[:, 0] * times[:, 1]).all()
    assert (weights[:, 1] == times[:, 0] * times[:, 2]).all()
    assert (weights[:, 2] == times[:, 2]).all()  # a record with itself is drawn once, not squared


def test_a_model_compared_with_itself_is_a_tie_at_exactly_zero():
    scores, labels, ids = pair_set()

    difference = resample_records("roc_auc", [scores, scores], labels, ids, FEW).difference(1, 0, level=0.95)

    assert (difference.estimate, difference.low, difference.high) == (0.0, 0.0, 0.0)
    assert verdict(difference, 0.0) == "TIE"


def test_a_much_better_model_wins_and_the_other_way_round_loses():
    scores, labels, ids = pair_set()
    better = scores + 2 * labels

    resampled = resample_records("roc_auc", [scores, better], labels, ids, FEW)

    assert verdict(resampled.difference(1, 0, level=0.95), 0.01) == "WIN"
    assert verdict(resampled.difference(0, 1, level=0.95), 0.01) == "LOSS"
    assert resampled.difference(1, 0, level=0.95).estimate == pytest.approx(1 - roc_auc(scores, labels))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.01, 0.01, "TIE"),
        (0.001, 0.009, "TIE"),  # it excludes 0, but does not matter
        (0.001, 0.02, "WIN"),
        (-0.02, -0.001, "LOSS"),
        (-0.02, 0.02, "CANNOT TELL"),
        (0.0, 0.02, "CANNOT TELL"),
    ],
)
def test_the_verdict_is_the_contract(low, high, expected):
    assert verdict(Interval(0.0, low, high, 2000, 10, 0), 0.01) == expected


def test_without_an_interval_nobody_can_tell():
    assert verdict(None, 0.01) == "CANNOT TELL"


@pytest.mark.parametrize("metric", ["roc_auc", "spearman_cosine"])
def test_one_class_has_no_interval(metric):
    resampled = resample_records(metric, [[0.1, 0.2, 0.3]], [1, 1, 1], (["a", "b", "c"], ["d", "e", "f"]), FEW)

    assert resampled.interval(0, level=0.95) is None


def test_resamples_without_a_value_are_counted():
    # both records of the only negative are drawn in (1 - (3/4)^4)-like shares of the resamples, so many lack it
    resampled = resample_records("roc_auc", [[0.9, 0.1]], [1, 0], (["a", "c"], ["b", "d"]), FEW)
    interval = resampled.interval(0, level=0.95)

    assert (interval.estimate, interval.low, interval.high, interval.n_records) == (1.0, 1.0, 1.0, 4)
    assert 100 < interval.n_undefined < 200
    assert interval.n_undefined == int(np.isnan(resampled.values).sum())


def test_the_same_seed_gives_the_same_interval_whatever_the_number_of_models():
    scores, labels, ids = pair_set()
    alone = resample_records("roc_auc", [scores], labels, ids, FEW)

    together = resample_records("roc_auc", [scores, -scores], labels, ids, FEW)

    assert np.array_equal(alone.values[0], together.values[0])


def test_pairs_that_share_no_record_get_three_times_the_variance():
    # The weight of a pair is a product of two counts of mean 1 and second moment 2: variance 2 * 2 - 1 = 3, not 1.
    scores, labels, _ = pair_set(n_pairs=2000)
    apart = np.arange(4000).astype(str)
    config = EvaluationConfig(n_resamples=1000)

    by_records = resample_records("roc_auc", [scores], labels, (apart[:2000], apart[2000:]), config).values.var()
    itself = (apart[:2000], apart[:2000])  # a pair of a record with itself is resampled like a plain row
    by_pairs = resample_records("roc_auc", [scores], labels, itself, config).values.var()

    assert by_records / by_pairs == pytest.approx(3.0, rel=0.25)


def test_rejects_ids_of_other_length_than_the_pairs():
    with pytest.raises(DataFaultError, match="two record ids for every pair, got 1 for 2 pairs"):
        resample_records("roc_auc", [[0.1, 0.2]], [0, 1], (["a"], ["b"]), FEW)


@pytest.mark.parametrize("metric", ["roc_auc", "spearman_cosine"])
def test_two_thousand_pairs_take_seconds(metric):
    scores, labels, ids = pair_set(n_pairs=2000, n_records=1500)
    started = time.perf_counter()

    resample_records(metric, [scores, -scores], labels, ids, EvaluationConfig())

    assert time.perf_counter() - started < 8.0

"""Differences of two sets and their intervals: against rows written out, scikit-learn and the plain bootstrap."""

import json

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from simtune_core.difficulty import mismatch, resampling
from simtune_core.difficulty.config import DifficultyConfig, MismatchConfig
from simtune_core.difficulty.job import measure_part
from simtune_core.difficulty.mismatch import compare_sets
from simtune_core.difficulty.resampling import MEASURES, code_records, draw_records, sort_into_levels
from simtune_core.difficulty.separability import measure_side
from simtune_core.evaluation.config import EvaluationConfig
from simtune_core.evaluation.uncertainty import resample_records
from tests.difficulty.sets import random_set, scored_set

GREY = DifficultyConfig()
CONFIG = MismatchConfig(n_resamples=200, seed=3)


def prepared(scored, *, exact=True):
    codes = code_records([scored.pairs])
    return sort_into_levels(scored, codes.first[0], codes.second[0], GREY, exact=exact), codes


def on_rows(scored, rows):
    """Measure the rows of a set, written out, with the functions that measure a set."""
    side = measure_side(
        scored.cosines[rows],
        scored.labels[rows],
        scored.pairs.targets()[rows],
        same_category=scored.same_category[rows],
    )
    values = {name: getattr(side, name) for name in MEASURES if name != "grey_share"}
    values["grey_share"] = side.grey_share(GREY.grey_low, GREY.grey_high)
    return [np.nan if values[name] is None else values[name] for name in MEASURES]


def drawn_weights(scored, times, names):
    first, second = (np.array([times[names.index(name)] for name in ids]) for ids in scored.pairs.record_ids())
    same = np.array([a == b for a, b in zip(*scored.pairs.record_ids(), strict=True)])
    return np.where(same, first, first * second)


def compare(first, second, config=CONFIG):
    return compare_sets([first, second], [measure_part(first), measure_part(second)], config, grey=GREY)


@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_every_measure_of_a_resample_is_that_of_its_rows_written_out(seed, graded):
    scored = random_set(seed, 120, n_records=25, graded=graded)
    levels, codes = prepared(scored)
    times = draw_records(np.random.default_rng(seed), codes)
    names = list(dict.fromkeys([name for ids in scored.pairs.record_ids() for name in ids]))
    weights = drawn_weights(scored, times, names)

    assert times.sum() == len(names) == codes.n_all
    np.testing.assert_allclose(
        levels.measure(levels.weights(times)),
        on_rows(scored, np.repeat(np.arange(120), weights.astype(int))),
        atol=1e-9,
    )


def test_a_resample_agrees_with_scikit_learn_and_scipy():
    scored = random_set(1, 300, n_records=40, graded=True)
    levels, codes = prepared(scored)
    times = draw_records(np.random.default_rng(0), codes)
    found = dict(zip(MEASURES, levels.measure(levels.weights(times)), strict=True))
    names = list(dict.fromkeys([name for ids in scored.pairs.record_ids() for name in ids]))
    weights = drawn_weights(scored, times, names)
    rows = np.repeat(np.arange(300), weights.astype(int))

    expected = roc_auc_score(scored.labels, scored.cosines, sample_weight=weights)
    assert found["roc_auc"] == pytest.approx(expected, abs=1e-12)
    expected = spearmanr(scored.cosines[rows], scored.pairs.targets()[rows]).statistic
    assert found["spearman_cosine"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("graded", [False, True])
def test_bins_give_what_distinct_similarities_give_within_a_bin(graded):
    scored = random_set(2, 400, n_records=60, graded=graded)
    exact, codes = prepared(scored)
    binned, _ = prepared(scored, exact=False)
    times = draw_records(np.random.default_rng(0), codes)

    # similarities of two decimals: every bin holds one distinct value, only the quantile between two of them may move
    np.testing.assert_allclose(exact.measure(exact.weights(times)), binned.measure(binned.weights(times)), atol=0.01)


def test_an_unweighted_set_has_the_measures_of_the_set():
    scored = random_set(4, 200, n_records=30)
    levels, codes = prepared(scored)

    ones = levels.weights(np.ones(codes.n_all, dtype=np.float32))
    np.testing.assert_allclose(levels.measure(ones), on_rows(scored, np.arange(200)), atol=1e-12)


def test_a_class_that_a_resample_lacks_leaves_its_measures_undefined():
    levels, _ = prepared(scored_set([0.9, 0.1], [1, 0], id1=["a", "b"], id2=["a", "b"]))
    found = dict(zip(MEASURES, levels.measure(levels.weights(np.array([2, 0], dtype=np.float32))), strict=True))

    assert found["prevalence"] == 1.0
    assert np.isnan([found[name] for name in ("separability", "overlap", "roc_auc", "spearman_cosine")]).all()
    assert np.isnan(found["same_category_share"])


def test_sets_without_common_records_are_drawn_apart_and_others_from_one_pool():
    apart = code_records([random_set(0, 50, n_records=20).pairs, random_set(1, 50, n_records=20, names="s").pairs])
    shared = code_records([random_set(0, 50, n_records=20).pairs, random_set(1, 90, n_records=20).pairs])
    rng = np.random.default_rng(0)
    totals = [draw_records(rng, apart)[: apart.n_records[0]].sum() for _ in range(20)]

    assert apart.n_shared == 0 and set(totals) == {apart.n_records[0]}
    assert shared.n_shared > 0 and shared.n_all == 20
    assert draw_records(rng, shared).sum() == 20


def test_equal_sets_differ_by_exactly_nothing_in_every_resample():
    one = random_set(5, 150, n_records=30)
    found = compare(one, one)

    for name in MEASURES:
        interval = found.differences[name]
        assert (interval.estimate, interval.low, interval.high) == (0.0, 0.0, 0.0)


def test_the_interval_of_one_set_is_that_of_the_paired_bootstrap():
    scored, other = random_set(6, 300, n_records=80), random_set(7, 300, n_records=80, names="s")
    config = MismatchConfig(n_resamples=1500, seed=1)
    found = compare(scored, other, config).intervals[0]["roc_auc"]
    plain = resample_records(
        "roc_auc", scored.cosines, scored.labels, scored.pairs.record_ids(), EvaluationConfig(n_resamples=1500)
    ).interval(0, level=0.95)

    assert found.estimate == pytest.approx(plain.estimate, abs=1e-12)
    assert (found.low, found.high) == (pytest.approx(plain.low, abs=0.01), pytest.approx(plain.high, abs=0.01))


def test_large_sets_are_resampled_in_bins_with_nearly_the_same_intervals(monkeypatch):
    first, second = random_set(8, 500, n_records=80), random_set(9, 400, n_records=60, names="s")
    exact = compare(first, second)
    monkeypatch.setattr(mismatch, "EXACT_UP_TO", 100)
    binned = compare(first, second)

    assert (exact.method, binned.method) == ("exact", "bins")
    for name in MEASURES:
        a, b = exact.differences[name], binned.differences[name]
        assert a.estimate == b.estimate  # estimates never come from bins
        assert (b.low, b.high) == (pytest.approx(a.low, abs=0.01), pytest.approx(a.high, abs=0.01))


def test_the_seed_decides_the_intervals_and_the_number_of_threads_does_not(monkeypatch):
    first, second = random_set(8, 200, n_records=40), random_set(9, 200, n_records=40)
    once = compare(first, second)
    monkeypatch.setattr(mismatch, "_THREADS", 1)

    assert compare(first, second).differences == once.differences
    assert compare(first, second, MismatchConfig(n_resamples=200, seed=4)).differences != once.differences


def test_missing_ids_are_told_apart_by_text_and_never_taken_for_an_id():
    named = scored_set([0.5, 0.4], [1, 0], id1=["x", "y"], id2=["y", "z"])
    nameless = scored_set([0.5, 0.4], [1, 0], ref="b@v0001")
    codes = code_records([named.pairs, nameless.pairs])

    assert (codes.n_records, codes.n_shared) == ([3, 4], 0)
    assert resampling.code_records([nameless.pairs, nameless.pairs]).n_shared == 4


def test_what_is_not_defined_in_one_set_has_no_difference():
    found = compare(scored_set([0.9, 0.8], [1, 1]), random_set(1, 50, n_records=10))

    assert found.differences["separability"] is None
    assert found.differences["prevalence"].estimate > 0
    assert json.dumps({name: each and each.low for name, each in found.differences.items()}, allow_nan=False)

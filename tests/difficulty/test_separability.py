"""Tests of simtune_core.difficulty.separability: by hand, by property, against the story's definitions."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.difficulty.overlap import overlap_coefficient
from simtune_core.difficulty.separability import QUANTILES, measure_side, side_from_json, side_to_json
from simtune_core.errors import DataFaultError
from simtune_core.evaluation.metrics import spearman_ceiling

PAIRS = st.lists(st.tuples(st.integers(-1000, 1000), st.integers(0, 1)), min_size=1, max_size=50)


def test_measures_a_hand_computed_pair_set():
    side = measure_side([0.9, 0.5, 0.6, 0.1], [1, 1, 0, 0])

    # positives 0.9, 0.5 (mean 0.7); negatives 0.6, 0.1 (mean 0.35); 0.5 and 0.6 lie between 0.5 and 0.6; 3 of 4 won
    assert (side.n_pairs, side.n_positive, side.n_negative, side.prevalence) == (4, 2, 2, 0.5)
    assert (side.positive_mean, side.negative_mean) == (pytest.approx(0.7), pytest.approx(0.35))
    assert side.separability == pytest.approx(0.35)
    assert (side.lowest_positive, side.highest_negative, side.overlap, side.roc_auc) == (0.5, 0.6, 0.5, 0.75)
    # ranks 4, 2, 3, 1 against 3.5, 3.5, 1.5, 1.5: 2 / sqrt(5 * 4); ceiling sqrt(1 - 12 / 60)
    assert side.spearman_cosine == pytest.approx(2 / np.sqrt(20))
    assert side.spearman_share == pytest.approx(2 / np.sqrt(20) / np.sqrt(0.8))


def test_nothing_overlaps_when_every_positive_is_above_every_negative():
    side = measure_side([0.9, 0.8, 0.3, 0.2], [1, 1, 0, 0])

    assert (side.overlap, side.roc_auc) == (0.0, 1.0)


def test_one_class_has_no_separability_no_overlap_and_no_roc_auc():
    side = measure_side([0.9, 0.8], [1, 1])

    assert (side.separability, side.overlap, side.roc_auc, side.spearman_cosine) == (None, None, None, None)
    assert (side.positive_mean, side.negative_mean, side.highest_negative) == (pytest.approx(0.85), None, None)
    assert (side.negative_sd, side.negative_quantiles, side.overlap_robust) == (None, None, None)
    assert (side.overlap_coefficient, side.positive_quantiles[3]) == (None, pytest.approx(0.85))


def test_spearman_of_graded_pairs_compares_with_the_scores_not_with_the_labels():
    side = measure_side([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1], targets=[0.1, 0.3, 0.7, 0.9])

    assert (side.spearman_cosine, side.spearman_ceiling) == (pytest.approx(1.0), 1.0)


def test_sd_and_quantiles_are_numpys():
    rng = np.random.default_rng(0)
    scores, labels = rng.uniform(-0.1, 1, 301), np.arange(301) % 3 == 0
    side = measure_side(scores, labels)

    for kind, values in (("positive", scores[labels]), ("negative", scores[~labels])):
        assert getattr(side, f"{kind}_mean") == pytest.approx(values.mean(), abs=1e-12)
        assert getattr(side, f"{kind}_sd") == pytest.approx(values.std(), abs=1e-12)
        assert getattr(side, f"{kind}_quantiles") == pytest.approx(np.quantile(values, QUANTILES), abs=1e-12)


def test_the_robust_overlap_leaves_a_stray_pair_of_each_class_out():
    # 100 positives from 0.60 on, 100 negatives up to 0.40, and one of each on the other's side
    positive, negative = np.linspace(0.6, 0.9, 100), np.linspace(0.1, 0.4, 100)
    scores = np.concatenate([positive, [0.05], negative, [0.95]])
    side = measure_side(scores, [1] * 101 + [0] * 101)

    assert side.overlap == 1.0  # from the stray positive to the stray negative lie all pairs
    # the 1 % quantile of 101 positives is the second lowest, 0.6; the 99 % quantile of the negatives 0.4: none between
    assert side.overlap_robust == 0.0


def test_the_overlapping_coefficient_is_the_common_area_of_the_two_histograms():
    # bins of 0.02: positives 1/4 in [0.40, 0.42), 3/4 in [0.60, 0.62); negatives 1/2 and 1/2 in [0.20, 0.22)
    side = measure_side([0.41, 0.60, 0.605, 0.61, 0.40, 0.419, 0.2, 0.21], [1, 1, 1, 1, 0, 0, 0, 0])

    assert side.overlap_coefficient == pytest.approx(0.25)
    assert overlap_coefficient(side.positive_counts, side.positive_counts) == pytest.approx(1.0)
    assert overlap_coefficient(side.positive_counts, 0 * side.positive_counts) is None


@pytest.mark.parametrize(
    ("low", "high", "share"), [(0.4, 0.6, 0.5), (0.4, 0.601, 0.75), (0.61, 0.9, 0.0), (0.9, 1.0, 0.25)]
)
def test_the_grey_zone_holds_its_lower_end_and_its_upper_one_at_1_alone(low, high, share):
    assert measure_side([0.4, 0.599, 0.6, 1.0], [0, 1, 0, 1]).grey_share(low, high) == share


def test_same_category_shares_count_known_categories_only():
    same = np.array([1, 1, 0, -1, 0, -1], dtype=np.int8)
    side = measure_side([0.9, 0.8, 0.7, 0.3, 0.2, 0.1], [1, 1, 1, 0, 0, 0], same_category=same)

    assert (side.n_category_known, side.same_category_share, side.same_category_share_negative) == (4, 0.5, 0.0)
    unknown = measure_side([0.9, 0.1], [1, 0])
    assert (unknown.n_category_known, unknown.same_category_share) == (0, None)


def test_the_ceiling_of_labels_is_the_formula_of_their_prevalence():
    rng = np.random.default_rng(0)
    labels = np.arange(9000) % 3 == 0
    side = measure_side(rng.random(9000), labels)

    assert side.spearman_ceiling == pytest.approx(spearman_ceiling(1 / 3), abs=1e-7)  # sqrt(3 / 3 * 2 / 3) = 0.816
    assert side.spearman_share == pytest.approx(2 * side.roc_auc - 1, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_a_side_survives_json_and_its_bins_hold_every_pair(rows):
    scores, labels = np.array([score for score, _ in rows]) / 1000, np.array([label for _, label in rows])
    side = measure_side(scores, labels)

    back = side_from_json(json.loads(json.dumps(side_to_json(side), allow_nan=False)))

    assert side_to_json(back) == side_to_json(side)
    assert (side.positive_counts.sum(), side.negative_counts.sum()) == (side.n_positive, side.n_negative)
    if side.overlap is not None:
        inside = [side.lowest_positive <= score <= side.highest_negative for score in scores]
        assert side.overlap == pytest.approx(sum(inside) / len(inside))


def test_rejects_a_score_that_is_no_number():
    with pytest.raises(DataFaultError, match="finite numbers; 1 are not"):
        measure_side([0.1, float("nan")], [0, 1])

"""Tests of simtune_core.difficulty.separability: by hand, by property, against the story's definitions."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.difficulty.separability import measure_side, side_from_json, side_to_json
from simtune_core.errors import DataFaultError

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


def test_spearman_of_graded_pairs_compares_with_the_scores_not_with_the_labels():
    side = measure_side([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1], targets=[0.1, 0.3, 0.7, 0.9])

    assert (side.spearman_cosine, side.spearman_ceiling) == (pytest.approx(1.0), 1.0)


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

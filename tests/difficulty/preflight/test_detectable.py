"""What a test set can show, before there is a second model."""

import numpy as np
import pytest

from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.difficulty.preflight.detectable import detectable_from_json, reference_scores, smallest_detectable
from simtune_core.evaluation.metrics import roc_auc
from tests.difficulty.sets import random_set, scored_set

CONFIG = PreflightConfig()


def test_the_imagined_model_is_as_good_and_correlates_as_stated():
    scored = random_set(0, 4000, n_records=3000)
    labels = scored.labels

    second = reference_scores(scored.cosines, labels, correlation=0.9, seed=1)

    assert roc_auc(second, labels) == pytest.approx(roc_auc(scored.cosines, labels), abs=0.01)
    for label in (0, 1):
        own = labels == label
        assert np.corrcoef(scored.cosines[own], second[own])[0, 1] == pytest.approx(0.9, abs=0.01)


def test_it_is_two_point_eight_standard_errors_of_the_paired_difference():
    found = smallest_detectable(random_set(0, 1000, n_records=800), "roc_auc", CONFIG)

    assert found.difference == pytest.approx((1.959964 + 0.841621) * found.standard_error, rel=1e-6)
    assert 0.01 < found.difference < 0.06  # FACTS 3: a thousand pairs show two or three points of Spearman
    assert found.n_pairs_needed == pytest.approx(1000 * (found.difference / 0.01) ** 2, rel=1e-3)
    assert detectable_from_json(found.as_json()) == found


def test_four_times_the_pairs_and_records_show_half_the_difference():
    small = smallest_detectable(random_set(1, 500, n_records=500), "roc_auc", CONFIG)
    large = smallest_detectable(random_set(1, 2000, n_records=2000), "roc_auc", CONFIG)

    assert large.difference == pytest.approx(small.difference / 2, rel=0.25)


def test_graded_pairs_are_measured_in_spearman_and_one_class_not_at_all():
    graded = smallest_detectable(random_set(2, 600, n_records=500, graded=True), "spearman_cosine", CONFIG)

    assert graded.metric == "spearman_cosine"
    assert 0.0 < graded.difference < 0.2
    assert smallest_detectable(scored_set([0.1, 0.5], [1, 1]), "roc_auc", CONFIG) is None

"""How the baseline stands on a set, by hand."""

import pytest

from simtune_core.difficulty.preflight.headroom import measure_standing, standing_from_json
from tests.difficulty.sets import scored_set


def test_a_labelled_set_is_judged_by_roc_auc_with_its_room_above():
    # of the four positive-negative comparisons three are won: 0.75
    standing = measure_standing(scored_set([0.8, 0.4, 0.5, 0.1], [1, 1, 0, 0], tfidf=[0.9, 0.8, 0.1, 0.2]))

    assert (standing.metric, standing.value, standing.room) == ("roc_auc", 0.75, 0.25)
    assert standing.separability == pytest.approx(0.3)
    assert standing.tfidf_roc_auc == 1.0
    assert standing_from_json(standing.as_json()) == standing


def test_a_graded_set_is_judged_by_spearman():
    standing = measure_standing(scored_set([0.1, 0.2, 0.4, 0.3], [None] * 4, score=[0.0, 0.3, 0.8, 0.9]))

    assert standing.metric == "spearman_cosine"
    assert standing.value == pytest.approx(0.8)  # one neighbouring swap: 1 - 6 * 2 / (4 * 15)


def test_one_class_has_no_value():
    standing = measure_standing(scored_set([0.1, 0.2], [1, 1]))

    assert standing.one_class
    assert (standing.value, standing.room) == (None, None)

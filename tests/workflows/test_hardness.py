"""What the difficulty page shows is what the measurement holds: all numbers, all pairs."""

import numpy as np
import pytest

from simtune_core.workflows.hardness import number_rows, set_bins


def test_the_bins_of_a_set_hold_every_pair(walked):
    result = walked.said["difficulty"]["result"]
    train, test = set_bins(result)

    for side, drawn in zip(result["sides"], (train, test), strict=True):
        assert drawn.bins.positive.sum() == side["n_positive"]
        assert drawn.bins.negative.sum() == side["n_negative"]
        assert drawn.bins.positive.sum() + drawn.bins.negative.sum() == side["n_pairs"]
        assert drawn.name == side["ref"]
    assert np.array_equal(train.bins.edges, test.bins.edges)  # one axis for both
    assert np.diff(train.bins.edges) == pytest.approx(0.02)


def test_the_overlap_drawn_is_the_overlap_measured(walked):
    result = walked.said["difficulty"]["result"]
    for side, drawn in zip(result["sides"], set_bins(result), strict=True):
        assert drawn.overlap == (side["lowest_positive"], side["highest_negative"])


def test_sets_that_do_not_overlap_have_no_overlap_to_draw(walked):
    result = walked.said["difficulty"]["result"]
    side = result["sides"][0] | {"lowest_positive": 0.9, "highest_negative": 0.1}
    (drawn,) = set_bins({"sides": [side]})
    assert drawn.overlap is None


def test_every_number_row_has_one_value_a_set(walked):
    result = walked.said["difficulty"]["result"]
    rows = {row.name: row.values for row in number_rows(result)}

    for name, values in rows.items():
        assert list(values) == [side[name] for side in result["sides"]]
    assert {"n_pairs", "separability", "overlap", "roc_auc", "spearman_cosine", "tfidf_roc_auc"} <= set(rows)

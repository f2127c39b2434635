"""Tests of simtune_core.curriculum.cells: against scikit-learn, scipy and the measures of real pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance
from sklearn.metrics import roc_auc_score

from simtune_core.curriculum.cells import cell_of, in_band, overlap_of, roc_auc_of_cells, wasserstein_of
from simtune_core.difficulty.separability import measure_side

histogram = st.lists(st.integers(0, 9), min_size=8, max_size=8).map(np.array)


def test_bands_are_half_open_and_hold_the_end_at_one():
    assert (cell_of(-1.0), cell_of(0.0), cell_of(0.52), cell_of(1.0)) == (0, 100, 152, 200)
    assert np.flatnonzero(in_band(0.52, 0.55)).tolist() == [152, 153, 154]
    assert np.flatnonzero(in_band(0.98, 1.0)).tolist() == [198, 199]


@given(histogram, histogram)
def test_the_roc_auc_is_scikit_learns_on_rounded_similarities(positive, negative):
    found = roc_auc_of_cells(positive, negative)

    if not positive.any() or not negative.any():
        assert found is None
        return
    values = np.concatenate([np.repeat(np.arange(8), positive), np.repeat(np.arange(8), negative)])
    labels = np.repeat([1, 0], [positive.sum(), negative.sum()])
    assert found == pytest.approx(roc_auc_score(labels, values))


@given(histogram, histogram)
def test_the_overlap_is_that_of_rounded_similarities(positive, negative):
    found = overlap_of(positive, negative)

    if not positive.any() or not negative.any():
        assert found is None
        return
    values = np.concatenate([np.repeat(np.arange(8), positive), np.repeat(np.arange(8), negative)]) / 10
    labels = np.repeat([1, 0], [positive.sum(), negative.sum()])
    assert found == pytest.approx(measure_side(values, labels).overlap)


@given(histogram, histogram)
def test_the_distance_of_histograms_is_scipys(first, second):
    found = wasserstein_of(first, second, 0.01)

    if not first.any() or not second.any():
        assert found is None
        return
    places = np.arange(8) * 0.01
    assert found == pytest.approx(wasserstein_distance(places, places, first, second), abs=1e-12)

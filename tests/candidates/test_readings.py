"""What an encoder makes of sampled candidates, and the ROC-AUC that follows for a plan."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from simtune_core.candidates.counted import N_CELLS
from simtune_core.candidates.readings import (
    READING_BINS,
    READINGS,
    count_readings,
    load_readings,
    load_scores,
    roc_auc_of,
    save_readings,
)
from simtune_core.errors import WorkspaceError


def sample_of(n, seed=0):
    rng = np.random.default_rng(seed)
    similarity = rng.uniform(-0.2, 0.9, n).astype(np.float32)
    kinds = rng.integers(0, 2, (2, n)).astype(bool)
    frame = pd.DataFrame({"similarity": similarity, "same_category": kinds[0], "known": kinds[1]})
    return frame, np.clip(similarity + rng.normal(0, 0.2, n), -1, 1).astype(np.float32)


def quotas_of(sample, chosen):
    """Return how many of the chosen rows lie in each (stratum, same category, known, cell)."""
    counted = np.zeros((1, 2, 2, N_CELLS), dtype=np.int64)
    cell = np.floor(sample["similarity"].to_numpy(np.float64) * 100 + 1e-5).astype(int) + 100
    np.add.at(counted, (0, sample["same_category"].astype(int), sample["known"].astype(int), cell), chosen)
    return counted


def test_readings_are_counted_by_kind_cell_and_bin():
    sample = pd.DataFrame(
        {"similarity": np.float32([0.305, 0.309, -1.0]), "same_category": [True, True, False], "known": [False] * 3}
    )
    counted = count_readings(sample, np.float32([0.55, 1.0, -1.0]))

    # cell of 0.305 is (0.305 + 1) / 0.01 = 130; bin of 0.55 is (0.55 + 1) / 0.02 = 77, 1.0 is in the last, closed one
    found = {tuple(map(int, place)): int(counted[tuple(place)]) for place in np.argwhere(counted)}
    assert found == {(1, 0, 130, 77): 1, (1, 0, 130, 99): 1, (0, 0, 0, 0): 1}


def test_readings_come_back_as_they_were_saved(tmp_path):
    sample, scores = sample_of(200)
    save_readings(tmp_path / READINGS, encoder="some", title="Some", scores=scores, sample=sample)
    readings = load_readings(tmp_path)

    assert (readings.encoder, readings.title, readings.path) == ("some", "Some", tmp_path / READINGS)
    np.testing.assert_array_equal(readings.by_cell, count_readings(sample, scores))
    np.testing.assert_array_equal(load_scores(readings.path), scores)


def test_a_damaged_file_of_readings_is_a_sentence(tmp_path):
    (tmp_path / READINGS).write_bytes(b"PK no archive")

    with pytest.raises(WorkspaceError, match="read the candidates again"):
        load_readings(tmp_path)


def test_the_expected_roc_auc_is_that_of_scikit_learn_where_every_pair_of_a_cell_is_drawn(tmp_path):
    sample, scores = sample_of(4000)
    save_readings(tmp_path / READINGS, encoder="some", title="Some", scores=scores, sample=sample)
    positive = sample["known"].to_numpy()
    phase = SimpleNamespace(positive=quotas_of(sample, positive), negative=quotas_of(sample, ~positive))

    in_bins = np.floor(
        np.minimum(scores.astype(np.float64), 0.999) * 50 + 1e-5
    )  # ties within 0.02, as the readings have
    assert roc_auc_of(phase, load_readings(tmp_path)) == pytest.approx(roc_auc_score(positive, in_bins), abs=1e-12)
    assert roc_auc_of(phase, load_readings(tmp_path)) == pytest.approx(roc_auc_score(positive, scores), abs=0.002)


def test_a_plan_with_one_class_has_no_roc_auc(tmp_path):
    sample, scores = sample_of(50)
    save_readings(tmp_path / READINGS, encoder="some", title="Some", scores=scores, sample=sample)
    nothing = np.zeros((1, 2, 2, N_CELLS), dtype=np.int64)
    phase = SimpleNamespace(positive=quotas_of(sample, np.ones(50, bool)), negative=nothing)

    assert load_readings(tmp_path).by_cell.shape == (2, 2, N_CELLS, READING_BINS)
    assert roc_auc_of(phase, load_readings(tmp_path)) is None

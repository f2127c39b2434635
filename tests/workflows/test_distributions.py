"""Facets, thresholds and bands of a measurement: counts from bins are those of the pairs; a band holds its pairs."""

import numpy as np
import pytest

from simtune_core.difficulty.banding import SCORES, Band
from simtune_core.difficulty.separability import measure_side
from simtune_core.errors import DataFaultError, JobError
from simtune_core.evaluation.thresholds import threshold_table
from simtune_core.jobs.launcher import read_job
from simtune_core.workflows.distributions import (
    PAGE_ROWS,
    band_of_cell,
    confusion_curve,
    facets_of,
    pairs_in_band,
    thresholds_of,
)


def test_the_sets_come_first_and_the_phases_add_up_to_their_set(measured):
    result = measured.result
    facets = facets_of(result)

    assert [facet.name for facet in facets[:2]] == ["some@v0001:train", "some@v0001:test"]
    assert {facet.name for facet in facets[2:4]} == {"some@v0001:train · easy", "some@v0001:train · hard"}
    for place in (0, 1):
        counts = [facet.side.positive_counts for facet in facets[2:] if facet.place == place]
        assert np.array_equal(sum(counts), facets[place].side.positive_counts)


def test_counts_from_bins_are_those_of_the_sorted_scores():
    rng = np.random.default_rng(0)
    scores, labels = rng.uniform(-0.2, 1, 500).astype(np.float32), rng.integers(0, 2, 500)
    side = measure_side(scores, labels)
    thresholds = thresholds_of([side])
    curve, expected = confusion_curve(side, thresholds), threshold_table(scores, labels).confusions_at(thresholds)

    assert (thresholds[0], thresholds[-1]) == (-0.2, 1.0)
    assert np.diff(thresholds) == pytest.approx(0.005)
    for cell in ("tn", "fp", "fn", "tp"):
        assert np.array_equal(getattr(curve, cell), getattr(expected, cell)), cell


def test_thresholds_begin_at_zero_where_no_similarity_is_below():
    assert thresholds_of([measure_side([0.3, 0.6], [0, 1])])[0] == 0.0


def test_a_band_holds_the_pairs_of_its_similarity_label_and_phase(measured):
    workspace, job, result, frame = measured.workspace, measured.job, measured.result, measured.frame
    rows = frame[(frame["split"] == "test") & (frame["phase"] == "hard") & (frame["label"] == 0)]
    found = pairs_in_band(workspace, job, result, 1, Band(-1.0, 1.0, "negative", "hard"))

    assert found.n_found == len(rows) == len(found.frame)
    assert set(found.frame["sentence1"]) == set(rows["sentence1"])
    assert set(found.frame["label"]) == {"different"} and set(found.frame["phase"]) == {"hard"}
    assert found.frame["similarity"].is_monotonic_decreasing  # the hardest negatives first


def test_a_row_shows_the_similarity_of_its_own_two_texts(measured):
    workspace, job, result, frame = measured.workspace, measured.job, measured.result, measured.frame
    found = pairs_in_band(workspace, job, result, 0, Band(0.2, 0.4, "positive")).frame
    shared = [
        bool(set(a.split()) & set(b.split())) for a, b in zip(found["sentence1"], found["sentence2"], strict=True)
    ]
    pairs = set(zip(frame["sentence1"], frame["sentence2"], strict=True))

    assert found["similarity"].is_monotonic_increasing  # the hardest positives first
    assert found["similarity"].between(0.2, 0.4).all() and len(found) > 3
    assert all(shared)  # TF-IDF above 0 needs a common word
    assert set(zip(found["sentence1"], found["sentence2"], strict=True)) <= pairs


@pytest.mark.parametrize("cell", ["tn", "fp", "fn", "tp"])
def test_the_band_of_a_cell_holds_as_many_pairs_as_the_cell_counts(measured, cell):
    workspace, job, result = measured.workspace, measured.job, measured.result
    facet = facets_of(result)[0]
    thresholds = thresholds_of([facet.side])
    place = int(np.abs(thresholds - 0.1).argmin())
    found = pairs_in_band(workspace, job, result, 0, band_of_cell(cell, float(thresholds[place])))

    assert found.n_found == getattr(confusion_curve(facet.side, thresholds), cell)[place] > 0


def test_pages_hold_every_pair_once(measured):
    workspace, job, result = measured.workspace, measured.job, measured.result
    pages = [pairs_in_band(workspace, job, result, 0, Band(-1.0, 1.0), page=page) for page in range(1, 6)]

    assert pages[0].n_pages == -(-pages[0].n_found // PAGE_ROWS)
    seen = [text for page in pages[: pages[0].n_pages] for text in page.frame["sentence1"]]
    assert len(seen) == len(set(seen)) == pages[0].n_found == result["sides"][0]["n_pairs"]
    assert pages[4].frame.equals(pages[pages[0].n_pages - 1].frame)  # beyond the last is the last


def test_an_empty_band_and_an_unknown_phase_are_told_apart(measured):
    workspace, job, result = measured.workspace, measured.job, measured.result

    assert pairs_in_band(workspace, job, result, 0, Band(0.999, 1.0)).n_found == 0
    with pytest.raises(DataFaultError, match=r"has .*easy.*; got 'medium'"):
        pairs_in_band(workspace, job, result, 0, Band(0.0, 1.0, phase="medium"))


def test_scores_that_are_gone_or_damaged_are_a_sentence(measured):
    workspace, job, result = measured.workspace, measured.job, measured.result
    path = read_job(workspace, job).folder / SCORES
    content = path.read_bytes()
    try:
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(JobError, match=r"cannot be read .*measure again"):
            pairs_in_band(workspace, job, result, 0, Band(0.0, 1.0))
        path.unlink()
        with pytest.raises(JobError, match=r"are gone; .*measure again"):
            pairs_in_band(workspace, job, result, 0, Band(0.0, 1.0))
    finally:
        path.write_bytes(content)
    assert pairs_in_band(workspace, job, result, 0, Band(0.0, 1.0)).n_found > 0

"""What the evaluation page looks up agrees with scikit-learn at every threshold, the chosen ones included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from simtune_core.pairs import PairSet, with_pair_columns
from simtune_core.workflows.judging import CELL_NAMES, Judged, read_judged
from tests.workflows.frames import pairs_frame

POSITION = {"tn": (0, 0), "fp": (0, 1), "fn": (1, 0), "tp": (1, 1)}


def judged(scores, labels, chosen=None):
    """Return an evaluation of one model, `m`, on made-up scores."""
    frame = with_pair_columns(pairs_frame(len(scores)))
    result = {"models": [{"encoder": "m", "threshold": chosen}]}
    scores = {"m": np.asarray(scores, dtype=np.float32)}
    return Judged(result, np.asarray(labels, dtype=np.int8), scores, PairSet(frame, "made@v0001", "0"))


def counts(evaluation, threshold):
    """Return the confusion matrix as scikit-learn counts it: similar if score >= threshold, in full precision."""
    called = evaluation.scores["m"].astype(np.float64) >= threshold
    return confusion_matrix(evaluation.labels, called, labels=[0, 1])


@given(
    st.lists(st.tuples(st.integers(-100, 100), st.integers(0, 1)), min_size=1, max_size=60),
    st.lists(st.integers(-100, 100), min_size=1, max_size=5),
)
@settings(max_examples=60, deadline=None)
def test_counts_and_pairs_of_every_cell_are_scikit_learns(rows, hundredths):
    evaluation = judged([score / 100 for score, _ in rows], [label for _, label in rows])

    for threshold in (hundredth / 100 for hundredth in hundredths):  # often exactly a score
        expected = counts(evaluation, threshold)
        confusion = evaluation.table("m").confusion_at(threshold)
        for cell, position in POSITION.items():
            assert getattr(confusion, cell) == expected[position]
            assert len(evaluation.in_cell("m", cell, threshold)) == expected[position]


def test_a_pair_one_rounding_below_the_threshold_is_below_it():
    # 0.7 as float32 is 0.69999998...: below 0.7, though 0.7 rounded to float32 equals it.
    evaluation = judged([0.7, 0.8], [1, 1])
    assert evaluation.table("m").confusion_at(0.7).tp == 1
    assert evaluation.in_cell("m", "tp", 0.7)["score"].tolist() == [pytest.approx(0.8)]
    assert evaluation.in_cell("m", "fn", 0.7)["score"].tolist() == [pytest.approx(0.7)]


def test_the_chosen_threshold_is_among_the_explorers_exactly():
    chosen = 0.123456789
    evaluation = judged([0.1, 0.2, -0.31], [0, 1, 1], chosen)
    thresholds = evaluation.thresholds(["m"])

    assert chosen in thresholds.tolist()
    assert (thresholds[0], thresholds[-1]) == (pytest.approx(-0.32), 1.0)  # the least score, rounded down to 0.01
    assert (np.diff(thresholds) > 0).all()
    curve = evaluation.curve("m", ["m"])
    place = thresholds.tolist().index(chosen)
    found = [[curve.tn[place], curve.fp[place]], [curve.fn[place], curve.tp[place]]]
    assert found == counts(evaluation, chosen).tolist()


def test_a_cell_lists_the_most_wrong_or_most_certain_pairs_first():
    evaluation = judged([0.9, 0.8, 0.7, 0.1, 0.2, 0.3], [0, 0, 1, 1, 1, 0])

    assert evaluation.in_cell("m", "fp", 0.5)["row"].tolist() == [0, 1]
    assert evaluation.in_cell("m", "fn", 0.5)["row"].tolist() == [3, 4]
    assert evaluation.in_cell("m", "tp", 0.5)["row"].tolist() == [2]
    assert evaluation.in_cell("m", "tn", 0.5)["row"].tolist() == [5]
    assert evaluation.in_cell("m", "tn", -1.0).empty
    assert set(CELL_NAMES) == set(POSITION)


@given(st.lists(st.tuples(st.floats(-1, 1, width=32), st.integers(0, 1)), min_size=1, max_size=60))
@settings(max_examples=50, deadline=None)
def test_every_pair_is_in_one_bin_of_the_histogram(rows):
    evaluation = judged([score for score, _ in rows], [label for _, label in rows])
    bins = evaluation.bins("m", ["m"])

    assert (int(bins.negative.sum()), int(bins.positive.sum())) == (
        int((evaluation.labels == 0).sum()), int((evaluation.labels == 1).sum()),
    )  # fmt: skip
    assert len(bins.edges) == len(bins.negative) + 1


def test_a_finished_evaluation_is_read_back_with_the_counts_of_its_result(walked):
    result = walked.said["evaluate"]["result"]
    evaluation = read_judged(walked.workspace, result["job"])
    names = [model["encoder"] for model in result["models"]]

    assert len(evaluation.labels) == len(evaluation.pairs) == result["n"]
    for model in result["models"]:
        name, threshold = model["encoder"], model["threshold"]
        assert threshold in evaluation.thresholds(names).tolist()
        for cell in POSITION:
            assert len(evaluation.in_cell(name, cell, threshold)) == model["test"][cell]

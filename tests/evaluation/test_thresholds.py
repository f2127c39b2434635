"""Tests of simtune_core.evaluation.thresholds: by hand, against scikit-learn and sentence-transformers, by property."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.evaluation.config import EvaluationConfig
from simtune_core.evaluation.thresholds import Confusion, choose_threshold, threshold_table

SCORES = [0.9, 0.8, 0.6, 0.4, 0.2]
LABELS = [1, 1, 0, 1, 0]
PAIRS = st.lists(st.tuples(st.integers(-10, 10), st.integers(0, 1)), min_size=1, max_size=40)


def rule(name, **values):
    return EvaluationConfig(threshold_rule=name, **values)


def test_a_score_at_the_threshold_counts_as_similar():
    table = threshold_table(SCORES, LABELS)

    assert table.confusion_at(0.6) == Confusion(tn=1, fp=1, fn=1, tp=2)
    assert table.confusion_at(0.61) == Confusion(tn=2, fp=0, fn=1, tp=2)


def test_the_metrics_of_the_story_are_reproduced():
    story = Confusion(tn=118, fp=382, fn=1, tp=499)

    assert story.precision == pytest.approx(0.566, abs=5e-4)
    assert story.recall == pytest.approx(0.998, abs=5e-4)
    assert story.accuracy == pytest.approx(0.617, abs=5e-4)
    assert story.f1 == pytest.approx(0.7227, abs=5e-5)
    assert story.fpr == pytest.approx(0.764, abs=5e-4)


def test_metrics_without_a_value_are_none():
    nothing_called_similar = Confusion(tn=3, fp=0, fn=2, tp=0)
    one_class = Confusion(tn=0, fp=0, fn=1, tp=1)

    assert (nothing_called_similar.precision, nothing_called_similar.mcc) == (None, None)
    assert (nothing_called_similar.recall, nothing_called_similar.f1, nothing_called_similar.fpr) == (0.0, 0.0, 0.0)
    assert (one_class.fpr, one_class.mcc) == (None, None)
    assert Confusion(0, 0, 0, 0).accuracy is None


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.integers(-11, 11))
def test_every_threshold_equals_scikit_learn(rows, threshold):
    from sklearn import metrics

    scores, labels = map(np.array, zip(*rows, strict=True))
    called = scores >= threshold

    confusion = threshold_table(scores, labels).confusion_at(threshold)

    counts = metrics.confusion_matrix(labels, called, labels=[0, 1]).ravel().tolist()
    assert [confusion.tn, confusion.fp, confusion.fn, confusion.tp] == counts
    if confusion.mcc is not None:
        assert confusion.mcc == pytest.approx(metrics.matthews_corrcoef(labels, called), abs=1e-9)
    if confusion.f1 is not None:
        assert confusion.f1 == pytest.approx(metrics.f1_score(labels, called, zero_division=0), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_the_best_f1_is_that_of_sentence_transformers(rows):
    from sentence_transformers.sentence_transformer.evaluation import BinaryClassificationEvaluator

    scores, labels = map(np.array, zip(*rows, strict=True))
    scores = scores / 10
    table = threshold_table(scores, labels)
    chosen = choose_threshold(table, rule("best_f1"))
    if labels.all() or not labels.any():
        assert chosen is None
        return

    f1, precision, recall, threshold = BinaryClassificationEvaluator.find_best_f1_and_threshold(scores, labels, True)
    ours, theirs = table.confusion_at(chosen), table.confusion_at(threshold)
    assert (ours.f1, theirs.f1) == (pytest.approx(f1), pytest.approx(f1))  # equally good thresholds may differ
    assert (theirs.precision, theirs.recall) == (pytest.approx(precision), pytest.approx(recall))


def test_each_rule_chooses_the_threshold_worked_out_by_hand():
    table = threshold_table(SCORES, LABELS)

    # above 0.7: tp 2, fp 0 -> MCC .667, Youden .667; above 0.3: tp 3, fp 1 -> F1 .857, MCC .612, Youden .5
    assert choose_threshold(table, rule("best_mcc")) == pytest.approx(0.7)
    assert choose_threshold(table, rule("best_f1")) == pytest.approx(0.3)
    assert choose_threshold(table, rule("youden")) == pytest.approx(0.7)
    assert choose_threshold(table, rule("fpr_at_most", max_fpr=0.4)) == pytest.approx(0.7)
    assert choose_threshold(table, rule("fpr_at_most", max_fpr=0.5)) == pytest.approx(0.3)
    assert choose_threshold(table, rule("precision_at_least", min_precision=0.7)) == pytest.approx(0.3)


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.sampled_from(["best_mcc", "best_f1", "youden"]))
def test_no_threshold_is_better_than_the_chosen_one(rows, name):
    scores, labels = map(np.array, zip(*rows, strict=True))
    table = threshold_table(scores, labels)
    chosen = choose_threshold(table, rule(name))
    if chosen is None:
        return

    def value(threshold):
        at = table.confusion_at(threshold)
        values = {"best_mcc": at.mcc, "best_f1": at.f1, "youden": at.recall - at.fpr}
        return -2.0 if values[name] is None else values[name]

    assert all(value(other) <= value(chosen) + 1e-12 for other in np.arange(-11, 12, 0.5))


def test_a_promise_that_only_silence_keeps_calls_nothing_similar():
    table = threshold_table([0.9, 0.5], [0, 1])

    chosen = choose_threshold(table, rule("fpr_at_most", max_fpr=0.0))

    assert table.confusion_at(chosen) == Confusion(tn=1, fp=0, fn=1, tp=0)
    assert choose_threshold(table, rule("precision_at_least", min_precision=0.9)) is None


@pytest.mark.parametrize("name", ["best_mcc", "best_f1", "youden", "fpr_at_most"])
def test_one_class_has_no_threshold(name):
    assert choose_threshold(threshold_table([0.2, 0.3], [0, 0]), rule(name)) is None


def test_neighbouring_floats_are_still_told_apart():
    upper = np.nextafter(0.5, 1)

    chosen = choose_threshold(threshold_table([upper, 0.5], [1, 0]), rule("best_mcc"))

    assert 0.5 < chosen <= upper


def test_the_grid_covers_zero_to_one_and_begins_lower_only_for_negative_scores():
    assert threshold_table(SCORES, LABELS).grid().thresholds[[0, 1, -1]].tolist() == pytest.approx([0.0, 0.005, 1.0])
    below = threshold_table([-0.123, 0.5], [0, 1]).grid()

    assert (below.thresholds[0], below.tn[0], below.fp[0]) == (pytest.approx(-0.13), 0, 1)
    assert below.metric("precision")[-1] != below.metric("precision")[-1]  # NaN: nothing is called similar at 1


def test_the_grid_of_half_a_million_pairs_takes_milliseconds():
    rng = np.random.default_rng(0)
    table = threshold_table(rng.random(500_000), rng.integers(0, 2, 500_000))

    started = time.perf_counter()
    for threshold in np.linspace(0, 1, 100):
        table.confusion_at(threshold)

    assert time.perf_counter() - started < 0.5

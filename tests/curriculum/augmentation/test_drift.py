"""Tests of the drift report: by hand, and the founding story's augmentation, which made its data easier unnoticed."""

import json

import numpy as np
import pytest

from simtune_core.curriculum.augmentation.config import DriftConfig
from simtune_core.curriculum.augmentation.drift import (
    Augmented,
    BandPair,
    Strays,
    drift_from_json,
    drift_to_json,
    measure_drift,
)
from simtune_core.curriculum.augmentation.findings import check_bands, check_easier, check_harder, check_labels
from simtune_core.errors import DataFaultError

CONFIG = DriftConfig()
# phase: similarity of its positives and of its negatives, the story's means
MEANS = {"easy": (0.66, 0.29), "medium": (0.60, 0.33), "hard": (0.54, 0.35)}


def augmented(before, children, *, baseline=None):
    """Return pairs from lists of (score, label, phase)."""
    rows = [*before, *children]
    scores, labels, phases = zip(*rows, strict=True)
    return Augmented(
        np.array(scores, np.float32), np.array(labels, np.int8), np.array(phases, object), len(before), baseline
    )


def story(cells):
    """Return pairs of the story's phases: {(phase, label): n}."""
    return [(MEANS[phase][1 - label], label, phase) for (phase, label), n in cells.items() for _ in range(n)]


def codes(*findings):
    return {each["code"] for each in findings if each is not None}


def test_before_children_and_after_by_hand():
    drift = measure_drift(
        augmented(
            [(0.8, 1, "easy"), (0.2, 0, "easy"), (0.6, 1, "hard"), (0.4, 0, "hard")],
            [(0.9, 1, "easy"), (0.3, 0, "easy")],
            baseline=np.array([0.9, 0.1, 0.2, 0.5, 0.7, 0.3], np.float32),
        )
    )

    assert drift.before.side.separability == pytest.approx((0.8 + 0.6) / 2 - (0.2 + 0.4) / 2)  # 0.4
    assert drift.children.side.separability == pytest.approx(0.6)
    assert drift.after.side.separability == pytest.approx((0.8 + 0.6 + 0.9) / 3 - (0.2 + 0.4 + 0.3) / 3)
    assert drift.separability_change == pytest.approx(7 / 15 - 0.4, abs=1e-6)
    assert drift.easiest == "easy"  # 0.6 against 0.2
    assert [part.phases for part in (drift.before, drift.children)] == [{"easy": 2, "hard": 2}, {"easy": 2}]
    assert drift.phase_change("easy") == pytest.approx(4 / 6 - 1 / 2)
    # before: positives .9 .2, negatives .1 .5: 3 of 4 in order; the children are in order
    assert (drift.before.baseline_roc_auc, drift.children.baseline_roc_auc) == (0.75, 1.0)


def test_strays_are_counted_against_the_bands_with_both_ends_as_promised():
    pairs = augmented(
        [(0.52, 1, "easy"), (1.0, 1, "easy"), (0.20, 0, "easy"), (0.36, 0, "easy")],  # [0.20, 0.36) leaves 0.36 out
        [(0.51, 1, "easy"), (0.99, 1, "easy"), (0.30, 0, "easy")],
    )
    drift = measure_drift(pairs, {"easy": BandPair((0.20, 0.36), (0.52, 1.0))})

    assert drift.strays == (Strays("negative", 2, 1, 1, 0), Strays("positive", 2, 0, 2, 1))
    assert drift.strays[1].share_children == 0.5
    found = check_bands(drift, "tfidf", "the bands of their phases", CONFIG)
    assert found["code"] == "augmentation_left_band"
    assert found["message"].startswith(
        "1 of 2 positive children (50%; 0% before) lie outside the bands of their phases (tfidf cosine)"
    )


def test_without_bands_a_pair_strays_from_the_range_of_its_label_and_phase():
    drift = measure_drift(
        augmented(
            [(0.5, 1, "a"), (0.7, 1, "a"), (0.3, 1, "b"), (0.1, 0, "a"), (0.2, 0, "a")],
            [(0.5, 1, "a"), (0.7, 1, "a"), (0.71, 1, "a"), (0.5, 1, "b"), (0.15, 0, "a")],
        )
    )

    assert drift.strays == (Strays("negative", 2, 0, 1, 0), Strays("positive", 3, 0, 4, 2))


def test_the_storys_augmentation_is_reported_as_easier_and_more_positive():
    # 15,000 pairs in hundredths: a third easy, two thirds positive; then 64,000: easy 39 %, positives 77 %
    before = story(
        {("easy", 1): 33, ("easy", 0): 17, ("medium", 1): 34, ("medium", 0): 16, ("hard", 1): 33, ("hard", 0): 17}
    )
    after = {
        ("easy", 1): 201,
        ("easy", 0): 48,
        ("medium", 1): 145,
        ("medium", 0): 50,
        ("hard", 1): 147,
        ("hard", 0): 49,
    }
    held = {("easy", 1): 33, ("easy", 0): 17, ("medium", 1): 34, ("medium", 0): 16, ("hard", 1): 33, ("hard", 0): 17}
    children = story({cell: n - held[cell] for cell, n in after.items()})
    drift = measure_drift(augmented(before, children))

    assert len(before) / 150 * 15_000 == 15_000
    assert len(before + children) / 150 * 15_000 == 64_000
    shares = [
        (round(part.phase_share("easy"), 2), round(part.side.prevalence, 2)) for part in (drift.before, drift.after)
    ]
    assert shares == [(0.33, 0.67), (0.39, 0.77)]
    easier, more = check_easier(drift, "tfidf", CONFIG), check_labels(drift, CONFIG)
    assert codes(easier, more) == {"augmentation_easier", "augmentation_more_positive"}
    assert "the share of the easiest phase, easy, 33.3% to 38.9%" in easier["message"]
    assert "66.7% of the pairs were positive and 77.0% are" in more["message"]


def test_an_augmentation_that_changes_nothing_is_not_reported():
    before = story({("easy", 1): 20, ("easy", 0): 10, ("hard", 1): 20, ("hard", 0): 10})
    drift = measure_drift(augmented(before, before * 3))

    assert drift.separability_change == pytest.approx(0.0, abs=1e-6)
    assert (
        codes(
            check_easier(drift, "s", CONFIG),
            check_harder(drift, "s", CONFIG),
            check_labels(drift, CONFIG),
            check_bands(drift, "s", "b", CONFIG),
        )
        == set()
    )


def test_directions_are_told_apart():
    before = story({("easy", 1): 20, ("easy", 0): 20})
    harder = measure_drift(augmented(before, [(0.4, 1, "easy")] * 10 + [(0.35, 0, "easy")] * 10))
    negative = measure_drift(augmented(before, [(0.29, 0, "easy")] * 20))

    assert codes(check_harder(harder, "s", CONFIG), check_easier(harder, "s", CONFIG)) == {"augmentation_harder"}
    assert codes(check_labels(negative, CONFIG)) == {"augmentation_more_negative"}


def test_one_label_alone_has_no_separability_and_nothing_breaks():
    drift = measure_drift(augmented([(0.5, 1, "")] * 3, [(0.6, 1, "")]))

    assert (drift.separability_change, drift.easiest, drift.after.phases) == (None, None, {})
    assert codes(check_easier(drift, "s", CONFIG), check_labels(drift, CONFIG)) == set()


def test_a_drift_survives_json():
    drift = measure_drift(augmented(story({("easy", 1): 3, ("hard", 0): 2}), story({("easy", 1): 1})))
    told = drift_to_json(drift)

    assert drift_to_json(drift_from_json(json.loads(json.dumps(told, allow_nan=False)))) == told
    assert drift_from_json(told).strays == drift.strays


def test_a_drift_needs_pairs_before_and_children():
    with pytest.raises(DataFaultError, match="got 2 and 0"):
        measure_drift(augmented([(0.5, 1, ""), (0.1, 0, "")], []))

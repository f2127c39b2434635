"""The verdict on mined pairs: each warning fires, and stays silent where it must."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from simtune_core.curriculum.mining.measuring import FalseNegatives, measure_mined, weighted_median


def codes(measured):
    return [found["code"] for found in measured.findings()]


def scored(n_positive, n_negative, positive, negative, seed=0):
    rng = np.random.default_rng(seed)
    scores = np.concatenate([rng.normal(positive, 0.1, n_positive), rng.normal(negative, 0.1, n_negative)])
    return np.clip(scores, -1, 1), np.repeat([1, 0], [n_positive, n_negative])


def test_the_roc_auc_is_that_of_scikit_learn_and_the_share_is_counted():
    scores, labels = scored(300, 200, 0.5, 0.4)
    measured = measure_mined(scores, labels, title="some")

    assert measured.side.roc_auc == pytest.approx(roc_auc_score(labels, scores))
    assert measured.side.prevalence == 0.6
    assert codes(measured) == []


def test_what_the_model_tells_apart_already_is_too_easy():
    assert codes(measure_mined(*scored(200, 200, 0.6, 0.3), title="some")) == ["too_easy"]


def test_one_class_at_chance_cannot_be_learned():
    scores, labels = np.append(np.linspace(0.4, 0.6, 9), np.linspace(0.4, 0.6, 501)), np.repeat([1, 0], [9, 501])

    assert codes(measure_mined(scores, labels, title="some", known=np.array([0.9]))) == ["not_learnable"]


def test_one_class_worse_than_chance_cannot_be_learned_either():
    found = codes(measure_mined(*scored(8, 500, 0.2, 0.6), title="some", known=np.array([0.9])))

    assert found == ["not_learnable"]


def test_at_chance_with_both_classes_is_hard_and_no_more():
    assert codes(measure_mined(*scored(250, 250, 0.5, 0.5), title="some", known=np.array([0.9]))) == []


def test_negatives_like_the_known_positives_are_likely_false():
    # 3 of 4 negatives reach 0.5, the median of what the model gives to known positives
    like = np.array([0.2, 0.5, 0.8])
    measured = measure_mined(
        [0.6, 0.6, 0.7, 0.5, 0.4], [1, 0, 0, 0, 0], title="some", known=like, positives="known ones"
    )

    assert measured.false_negatives == FalseNegatives(share=0.75, n=3, bound=0.5, positives="known ones")
    assert "half of known ones" in measured.false_negatives.words
    assert "likely_false_negatives" in codes(measured)


def test_the_median_of_known_positives_counts_each_by_its_weight():
    # 0.1 stands for 8 of 10 pairs, so half of the weight is reached at it
    assert weighted_median(np.array([0.9, 0.1, 0.5]), [1, 8, 1]) == 0.1
    assert weighted_median(np.array([0.3, 0.1, 0.2]), [1, 1, 1]) == 0.2
    assert weighted_median(np.zeros(0), []) is None


def test_one_class_alone_is_said_and_has_no_roc_auc():
    measured = measure_mined([0.5, 0.6], [1, 1], title="some")

    assert measured.side.roc_auc is None
    assert measured.as_json()["false_negatives"] is None
    assert codes(measured) == ["one_class"]

"""Training pairs that are solved, too easy, or not learnable: the three minings of the founding story."""

import numpy as np
import pytest

from simtune_core.difficulty.audits.config import AuditConfig
from simtune_core.difficulty.audits.learnability import audit_learnability
from tests.difficulty.audits.clean import by_code, clean_set, pair, scored

CONFIG = AuditConfig()


def audits(train, test=None):
    return by_code(audit_learnability(train, test, CONFIG))


def mined(n_positive, n_negative, gap, *, seed=0, ref="mined@v0001"):
    """Return pairs whose classes are `gap` standard deviations apart."""
    rng = np.random.default_rng(seed)
    labels = np.r_[np.ones(n_positive, int), np.zeros(n_negative, int)]
    rows = [pair(f"a{row}", f"b{row}", label) for row, label in enumerate(labels)]
    return scored(rows, 0.5 + 0.1 * (rng.normal(size=len(labels)) + gap * labels), ref=ref)


def test_clean_sets_leave_something_to_learn():
    found = audits(clean_set(1, "a@v0001"), clean_set(2, "b@v0001"))
    assert {audit.status for audit in found.values()} == {"clear"}


@pytest.mark.parametrize("gap", [2.05, 2.4])  # ROC-AUC 0.926 of the story's phase 1, 0.95 of its random mining
def test_pairs_that_the_baseline_separates_are_too_easy(gap):
    audit = audits(mined(500, 500, gap))["too_easy"]
    assert (audit.status, audit.severity) == ("found", "warning")


def test_one_class_in_a_hundred_at_chance_is_not_learnable():
    found = audits(mined(45, 14955, 0.0, seed=4))  # ranked mining of the story: ROC-AUC 0.51, 99.7 % negatives
    assert found["not_learnable"].status == "found"
    assert "99.7% of mined@v0001 are dissimilar" in found["not_learnable"].message
    assert found["too_easy"].status == "clear"


def test_a_rare_class_that_the_encoder_tells_is_learnable():
    assert audits(mined(45, 14955, 1.0))["not_learnable"].status == "clear"


def test_one_class_can_be_neither_easy_nor_hopeless():
    found = audits(mined(20, 0, 0.0), clean_set(2, "b@v0001"))
    assert found["too_easy"].status == found["not_learnable"].status == "not_applicable"


def test_pairs_beyond_all_test_pairs_of_the_other_class_are_solved():
    # The test's negatives end at .60, its positives begin at .40. Beyond: positives .7 .8, negatives .1 .3; the
    # positive at .5 and the negative at .45 are in doubt.
    test = scored(
        [pair(f"a{i}", f"b{i}", int(i > 100)) for i in range(202)],
        [*np.linspace(0, 0.6, 101), *np.linspace(0.4, 1, 101)],
    )
    rows = [pair(f"c{i}", f"d{i}", label) for i, label in enumerate((1, 1, 1, 0, 0, 0))]
    train = scored(rows, [0.7, 0.8, 0.5, 0.1, 0.3, 0.45], ref="train@v0001")
    audit = audits(train, test)["solved_pairs"]
    assert (audit.status, audit.n_found) == ("found", 4)
    assert [(row["label"], row["cosine"]) for row in audit.evidence] == [(1, 0.7), (1, 0.8), (0, 0.1), (0, 0.3)]
    assert "4 of 6" in audit.message


def test_without_test_pairs_of_both_classes_nothing_is_called_solved():
    train = clean_set(1, "a@v0001")
    assert audits(train)["solved_pairs"].status == "not_applicable"
    assert audits(train, mined(20, 0, 0.0))["solved_pairs"].status == "not_applicable"

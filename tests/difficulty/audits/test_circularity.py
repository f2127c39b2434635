"""Shortcuts: word overlap, category, lengths, and what the encoder adds when they are held fixed."""

import numpy as np
import pytest

from simtune_core.difficulty.audits.circularity import audit_circularity, cells_of, held_fixed
from simtune_core.difficulty.audits.config import AuditConfig
from tests.difficulty.audits.clean import by_code, clean_set, pair, scored

CODES = ("tfidf_separates", "category_separates", "length_separates", "little_beside_shortcuts")


def audits(one):
    return by_code(audit_circularity(one, AuditConfig()))


def made(n=400, *, categories=None, cosines=None, tfidf=None, lengths=(20, 20), space="MiniLM"):
    """Return a set of alternating labels; `lengths` are those of the second text of dissimilar and similar pairs."""
    labels = np.arange(n) % 2
    rows = [
        pair("x" * 20, "y" * lengths[label], label, **(categories(row, label) if categories else {}))
        for row, label in enumerate(labels)
    ]
    rng = np.random.default_rng(0)
    values = rng.random(n) if cosines is None else cosines(labels, rng)
    return scored(rows, values, tfidf=rng.random(n) if tfidf is None else tfidf(labels, rng), space=space)


def test_on_a_clean_set_nothing_separates_the_labels_alone():
    found = audits(clean_set(1, "a@v0001"))
    assert set(found) == set(CODES)
    assert {audit.status for audit in found.values()} == {"clear"}


def test_one_class_can_be_separated_by_nothing():
    found = audits(scored([pair("a", "b"), pair("c", "d")]))
    assert {audit.status for audit in found.values()} == {"not_applicable"}


def test_labels_cut_from_word_overlap_are_found():
    audit = audits(made(tfidf=lambda labels, rng: 0.3 * labels + 0.4 * rng.random(len(labels))))["tfidf_separates"]
    assert (audit.status, audit.severity) == ("found", "warning")
    assert "ROC-AUC 0.9" in audit.message


@pytest.mark.parametrize(("similar", "words"), [(True, "similar pairs share"), (False, "dissimilar pairs share")])
def test_labels_that_follow_the_category_either_way_are_found(similar, words):
    def categories(row, label):
        return {"category1": "a", "category2": "a" if bool(label) == similar else "b"}

    audit = audits(made(categories=categories))["category_separates"]
    assert audit.status == "found"
    assert words in audit.message


def test_without_categories_the_category_is_not_asked():
    found = audits(made())
    assert found["category_separates"].status == "not_applicable"


def test_the_lengths_alone_give_labels_away():
    audit = audits(made(lengths=(90, 21)))["length_separates"]
    assert audit.status == "found"
    assert "ROC-AUC 1.000" in audit.message
    assert "similar pairs are of like length" in audit.message


def test_an_encoder_that_knows_word_overlap_only_is_found_with_its_cells():
    def overlap(labels, rng):
        return 0.2 * labels + rng.random(len(labels))

    rng = np.random.default_rng(1)
    base = made(2000, tfidf=overlap)
    copied = scored(base.pairs.frame, base.tfidf + 0.02 * rng.normal(size=2000), tfidf=base.tfidf)
    audit = audits(copied)["little_beside_shortcuts"]
    assert (audit.status, audit.severity) == ("found", "warning")
    assert {"TF-IDF from", "to", "category", "negatives", "positives", "ROC-AUC"} == set(audit.evidence[0])
    assert sum(row["negatives"] + row["positives"] for row in audit.evidence) <= 2000


def test_an_encoder_that_knows_more_is_clear_and_tf_idf_beside_itself_is_not_asked():
    knows = made(2000, cosines=lambda labels, rng: 0.5 * labels + rng.random(len(labels)))
    assert audits(knows)["little_beside_shortcuts"].status == "clear"
    itself = scored(knows.pairs.frame, knows.tfidf, tfidf=knows.tfidf, space="TF-IDF")
    assert audits(itself)["little_beside_shortcuts"].status == "not_applicable"


def test_where_the_shortcuts_tell_every_label_nothing_is_left_to_compare():
    def categories(row, label):
        return {"category1": "a", "category2": "a" if label else "b"}

    assert audits(made(categories=categories))["little_beside_shortcuts"].status == "not_applicable"


def test_what_is_left_is_the_mean_over_cells_weighted_by_their_comparisons():
    # Two TF-IDF bins. Low: negatives .1 .4, positives .3: it beats one of two, 2 comparisons, ROC-AUC 1/2.
    # High: negative .2, positives .5 .6 .1: it is beaten by two of three, 3 comparisons, ROC-AUC 2/3.
    rows = [pair("a", "b", label) for label in (0, 0, 1, 0, 1, 1, 1)]
    one = scored(rows, [0.1, 0.4, 0.3, 0.2, 0.5, 0.6, 0.1], tfidf=[0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9])
    cells = cells_of(one, 2)
    assert [(cell.n_negative, cell.n_positive, cell.roc_auc) for cell in cells] == [(2, 1, 0.5), (1, 3, 2 / 3)]
    assert {cell.category for cell in cells} == {"unknown"}
    assert held_fixed(cells) == pytest.approx((2 * 0.5 + 3 * 2 / 3) / 5)
    assert held_fixed([]) is None

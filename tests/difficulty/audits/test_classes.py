"""Classes: missing, rare, one-sided by category, and shares that differ between the sets."""

import numpy as np

from simtune_core.difficulty.audits.classes import audit_classes, audit_prevalence
from simtune_core.difficulty.audits.config import AuditConfig
from tests.difficulty.audits.clean import by_code, clean_set, pair, scored, with_rows


def audits(one):
    return by_code(audit_classes(one, AuditConfig()))


def labelled(n_positive, n_negative, ref="a@v0001"):
    rows = [pair(f"a{row}", f"b{row}", int(row < n_positive)) for row in range(n_positive + n_negative)]
    return scored(rows, ref=ref)


def test_a_clean_set_has_both_classes_everywhere():
    assert {audit.status for audit in audits(clean_set(1, "a@v0001")).values()} == {"clear"}


def test_one_class_is_found_and_the_rest_cannot_be_asked():
    found = audits(labelled(30, 0))
    assert (found["one_class"].status, found["one_class"].n_found) == ("found", 30)
    assert "All 30 pairs of a@v0001 are similar" in found["one_class"].message
    assert "not defined" in found["one_class"].message
    assert found["rare_class"].status == found["one_sided_categories"].status == "not_applicable"


def test_a_set_without_pairs_has_no_classes():
    nothing = scored(labelled(1, 0).pairs.frame.iloc[:0])
    assert audits(nothing)["one_class"].status == "found"


def test_a_class_of_one_pair_is_named():
    audit = audits(labelled(1, 400))["rare_class"]
    assert (audit.status, audit.severity, audit.n_found) == ("found", "warning", 1)
    assert "1 similar pair of 401" in audit.message
    assert audits(labelled(10, 400))["rare_class"].status == "clear"


def test_a_category_with_one_class_only_is_found_if_it_is_in_enough_pairs():
    base = clean_set(1, "a@v0001")
    rows = [pair(f"a{i}", f"b{i}", 0, category1="phones", category2="network") for i in range(12)]
    rows += [pair(f"c{i}", f"d{i}", 1, category1="rare", category2="rare") for i in range(5)]
    audit = audits(with_rows(base, rows))["one_sided_categories"]
    assert (audit.status, audit.n_found) == ("found", 1)
    assert audit.evidence == ({"category": "phones", "pairs": 12, "class": "dissimilar"},)
    assert "1 of 4 categories" in audit.message


def test_without_categories_they_are_not_asked():
    assert audits(labelled(20, 20))["one_sided_categories"].status == "not_applicable"


def test_shares_of_similar_pairs_are_compared_where_both_sets_have_labels():
    config = AuditConfig()
    half, few = labelled(50, 50), labelled(10, 90, ref="b@v0001")
    found = audit_prevalence(half, few, config)
    assert (found.status, found.severity) == ("found", "info")
    assert "50.0% of a@v0001 and 10.0% of b@v0001" in found.message
    assert audit_prevalence(half, labelled(48, 52), config).status == "clear"
    graded = scored([pair("a", "b", None, score=score) for score in np.linspace(0, 1, 20)])
    assert audit_prevalence(half, graded, config).status == "not_applicable"
    assert audit_prevalence(half, scored(half.pairs.frame.iloc[:0]), config).status == "not_applicable"

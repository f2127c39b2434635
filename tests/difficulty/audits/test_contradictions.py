"""Contradictions: two labels, two scores, triangles; silent and not applicable where they should be."""

import numpy as np

from simtune_core.difficulty.audits.config import AuditConfig
from simtune_core.difficulty.audits.contradictions import audit_contradictions
from tests.difficulty.audits.clean import by_code, clean_set, corpus_of, pair, scored, with_rows, words


def audits(*sets, config=None):
    config = config or AuditConfig()
    return by_code(audit_contradictions(sets, corpus_of(*sets, config=config), config))


def test_a_clean_set_contradicts_itself_nowhere():
    found = audits(clean_set(1, "a@v0001"), clean_set(2, "b@v0001"))
    assert found["contradicting_pairs"].status == found["contradicting_triangles"].status == "clear"
    assert found["contradicting_scores"].status == "not_applicable"


def test_one_pair_with_two_labels_is_found_whatever_its_order_and_case():
    base = clean_set(1, "a@v0001")
    row = base.pairs.frame.iloc[0]
    twisted = pair(row["sentence2"].upper(), f"{row['sentence1']}.", 1 - row["label"], id1="x", id2="y")
    audit = audits(with_rows(base, [twisted]))["contradicting_pairs"]
    assert (audit.status, audit.severity, audit.n_found) == ("found", "warning", 1)
    assert [each["label"] for each in audit.evidence] == [row["label"], 1 - row["label"]]
    assert audit.evidence[1]["sentence1"] == twisted["sentence1"]


def test_the_same_pair_labelled_otherwise_in_the_other_set_is_a_contradiction():
    base = clean_set(1, "a@v0001")
    row = base.pairs.frame.iloc[0]
    other = with_rows(clean_set(2, "b@v0001"), [pair(row["sentence1"], row["sentence2"], 1 - row["label"])])
    audit = audits(base, other)["contradicting_pairs"]
    assert audit.n_found == 1
    assert [each["in"] for each in audit.evidence] == ["a@v0001", "b@v0001"]


def test_scores_of_one_pair_may_differ_by_the_bound_and_no_more():
    rng = np.random.default_rng(0)
    near, far, single = (words(rng), words(rng)), (words(rng), words(rng)), (words(rng), words(rng))
    rows = [(near, 0.5), (near, 0.7), (far, 0.2), (far[::-1], 0.9), (single, 0.1)]
    graded = scored([pair(*texts, None, score=score) for texts, score in rows])
    found = audits(graded)
    assert found["contradicting_scores"].n_found == 1
    assert "the farthest by 0.70" in found["contradicting_scores"].message
    assert [each["score"] for each in found["contradicting_scores"].evidence] == [0.2, 0.9]
    assert audits(graded, config=AuditConfig(score_spread=0.7))["contradicting_scores"].status == "clear"
    assert found["contradicting_pairs"].status == found["contradicting_triangles"].status == "not_applicable"


def test_similar_to_the_same_text_yet_not_similar_is_a_triangle_and_longer_chains_are_counted_apart():
    a, b, c, d, e = ("ana lopu", "beto misu", "caro nitu", "dido puve", "elo ratu")
    rows = [pair(a, b), pair(c, b), pair(c, d), pair(a, c, 0), pair(a, d, 0), pair(a, e, 0)]
    audit = audits(scored(rows))["contradicting_triangles"]
    assert (audit.status, audit.severity, audit.n_found) == ("found", "warning", 2)
    assert "(a ~ b, b ~ c, but a !~ c): 1 pair of a@v0001; 1 more, joined by a longer chain" in audit.message
    first, second = audit.evidence
    assert (first["sentence1"], first["sentence2"], first["similar to both"]) == (a, c, b)
    assert (second["sentence2"], second["chain"], second["similar to both"]) == (d, "longer", "")


def test_longer_chains_alone_are_told_without_a_warning():
    a, b, c, d = ("ana lopu", "beto misu", "caro nitu", "dido puve")
    audit = audits(scored([pair(a, b), pair(b, c), pair(c, d), pair(d, a, 0)]))["contradicting_triangles"]
    assert (audit.status, audit.severity, audit.n_found) == ("found", "info", 1)


def test_a_pair_with_two_labels_is_no_triangle_of_itself():
    found = audits(scored([pair("ana lopu", "beto misu", 1), pair("ana lopu", "beto misu", 0)]))
    assert found["contradicting_pairs"].n_found == 1
    assert found["contradicting_triangles"].status == "clear"

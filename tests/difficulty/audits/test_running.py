"""All audits together: silent on clean sets, every planted fault found, the same order every time."""

import json

import numpy as np
import pandas as pd
import pytest

from simtune_core.difficulty.audits.running import AuditConfig, Reading, audit_sets
from simtune_core.difficulty.scoring import score_sets
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.findings import audit_from_json, findings_of
from tests.difficulty.audits.clean import clean_set, pair, scored, with_rows, words

CONFIG = AuditConfig()


@pytest.fixture(scope="module")
def sets():
    return [clean_set(1, "tickets@v0001:train"), clean_set(2, "tickets@v0001:test")]


def reading(one):
    return Reading(len(one.pairs.unique_texts()), 256, (), None)


def found_codes(audits):
    return {audit.code for audit in audits if audit.status == "found"}


def test_clean_sets_give_no_finding(sets):
    dev = clean_set(3, "tickets@v0001:dev")
    audits = audit_sets(sets, config=CONFIG, siblings={dev.ref: dev.pairs}, readings=[reading(each) for each in sets])
    assert findings_of(audits) == []
    assert {audit.status for audit in audits} == {"clear", "not_applicable"}


def test_one_clean_set_gives_no_finding(sets):
    audits = audit_sets(sets[:1], config=CONFIG)
    assert found_codes(audits) == set()
    assert {audit.code for audit in audits} == {audit.code for audit in audit_sets(sets, config=CONFIG)}


def test_every_planted_fault_is_found(sets):
    rng = np.random.default_rng(0)
    train, test = sets
    row = train.pairs.frame.iloc[0]
    wrong = "Das Gerät läuft nicht".encode().decode("latin-1")
    planted = [
        pair(row["sentence1"], words(rng), id1=row["id1"], id2="P-1"),  # a record
        pair(train.pairs.frame["sentence1"][11], words(rng), id1="P-2", id2="P-3"),  # a text
        pair(f"{train.pairs.frame['sentence2'][20]} again", words(rng), id1="P-4", id2="P-5"),  # a near-duplicate
        pair(wrong, words(rng), id1="P-6", id2="P-7"),
    ]
    first = test.pairs.frame.iloc[0]
    planted.append(pair(first["sentence2"], first["sentence1"], 1 - first["label"], id1="P-8", id2="P-9"))
    audits = audit_sets([train, with_rows(test, planted)], config=CONFIG)
    assert found_codes(audits) == {
        "leaked_records", "leaked_texts", "leaked_near_duplicates", "leaked_components", "mojibake",
        "contradicting_pairs", "repeated_pairs",
    }  # fmt: skip
    assert len({audit.code for audit in audits if audit.severity == "error"}) == 2


def test_an_imported_split_that_leaks_into_another_is_told(sets):
    train = sets[0]
    other = scored([pair(train.pairs.frame["sentence1"][0], "a text of the test")], ref="tickets@v0001:test")
    audits = audit_sets([train], config=CONFIG, siblings={other.ref: other.pairs})
    leak = next(audit for audit in audits if audit.code == "leaked_texts")
    assert (leak.status, leak.severity) == ("found", "warning")
    assert leak.evidence[0]["in"] == "tickets@v0001:test"
    assert leak.evidence[0]["also in"] == "tickets@v0001:train"


def test_the_splits_of_another_dataset_are_not_compared(sets):
    text = sets[0].pairs.frame["sentence1"][0]
    stranger = scored([pair(text, "another")], ref="others@v0001:test")
    audits = audit_sets(sets[:1], config=CONFIG, siblings={stranger.ref: stranger.pairs})
    assert next(audit for audit in audits if audit.code == "leaked_texts").status == "not_applicable"


def test_the_order_is_fixed_and_the_answers_survive_json(sets):
    first, again = (audit_sets(sets, config=CONFIG) for _ in range(2))
    assert first == again
    assert [audit_from_json(json.loads(json.dumps(audit.as_json(), allow_nan=False))) for audit in first] == first


def test_progress_is_told(sets):
    seen = []
    audit_sets(sets, config=CONFIG, progress=lambda done, total, text: seen.append((done, total, text)))
    assert seen[-1] == (480, 480, "looking for near-duplicates")


def test_of_a_huge_text_the_beginning_is_evidence():
    huge = "printer " * 5000
    audits = audit_sets([scored([pair(huge, huge), pair("a text", "another", 0)])], config=CONFIG)
    row = next(audit for audit in audits if audit.code == "self_pairs").evidence[0]
    assert len(row["sentence1"]) == 2000
    assert row["sentence1"].endswith("…")


def test_the_founding_sets_are_seen_through(real_data, workspace):
    """Two sets of one table, cut from TF-IDF bands: no record leaks, and the labels are word overlap."""
    names = {"text_a": "sentence1", "text_b": "sentence2", "id_a": "id1", "id_b": "id2"}
    names |= {"category_a": "category1", "category_b": "category2"}
    easy = pd.read_parquet(real_data("itsm10k_easy_train_pairs")).rename(columns=names)
    test = pd.read_parquet(real_data("itsm10k_founding_pairs")).rename(columns=names).query("split == 'test'")
    pairs = [scored(easy, ref="easy@v0001").pairs, scored(test, ref="founding@v0001:test").pairs]
    tfidf = resolve_encoder(workspace, "tfidf")
    audits = audit_sets(score_sets(workspace, tfidf, pairs, precision="fp32", cut=0.6), config=CONFIG)
    circular = [audit for audit in audits if audit.code == "tfidf_separates"]
    assert [audit.status for audit in circular] == ["found", "found"]
    near = next(audit for audit in audits if audit.code == "leaked_near_duplicates")
    assert "48 of 1,124 (4.3%) texts of founding@v0001:test" in near.message
    assert {"too_easy", "solved_pairs", "contradicting_triangles"} <= found_codes(audits)
    assert not {audit.code for audit in audits if audit.severity == "error"}

"""Leaks: by record, text, near-duplicate, through other pairs; silent on clean sets; named when not applicable."""

import numpy as np
import pytest

from simtune_core.difficulty.audits.config import AuditConfig
from simtune_core.difficulty.audits.leakage import CHECKS, audit_leakage
from tests.difficulty.audits.clean import by_code, clean_set, corpus_of, pair, scored, with_rows, words


@pytest.fixture(scope="module")
def train():
    return clean_set(1, "tickets@v0001:train")


@pytest.fixture(scope="module")
def test_set():
    return clean_set(2, "tickets@v0001:test")


def audits(train, test, *others, comparisons=((0, 1),), config=None):
    corpus = corpus_of(train, test, *others, config=config or AuditConfig())
    return by_code(audit_leakage(corpus, list(comparisons), n_asked=2))


def test_clean_sets_have_nothing_in_common(train, test_set):
    found = audits(train, test_set)
    assert {audit.status for audit in found.values()} == {"clear"}
    assert found["leaked_texts"].evidence == ()


def test_without_a_second_set_no_leak_can_be_looked_for(train):
    found = audit_leakage(corpus_of(train), [], n_asked=1)
    assert [audit.code for audit in found] == [check.code for check in CHECKS]
    assert {audit.status for audit in found} == {"not_applicable"}


def test_a_record_of_both_sets_is_an_error_and_no_second_finding(train, test_set):
    leaked = train.pairs.frame.iloc[3]
    rng = np.random.default_rng(0)
    row = pair(leaked["sentence1"], words(rng), id1=leaked["id1"], id2="T-new")
    found = audits(train, with_rows(test_set, [row]))
    audit = found["leaked_records"]
    assert (audit.status, audit.severity, audit.n_found) == ("found", "error", 1)
    assert audit.evidence[0]["id"] == leaked["id1"]
    assert audit.evidence[0]["text there"] == leaked["sentence1"]
    assert "1 of 241" in audit.message and "1 of 241 (0.4%) of its pairs" in audit.message
    assert found["leaked_texts"].status == found["leaked_near_duplicates"].status == "clear"
    assert found["leaked_components"].severity == "info"  # the record tells it already
    assert audit.fix.page == "data"


def test_a_text_under_another_id_is_an_error(train, test_set):
    rng = np.random.default_rng(0)
    text = train.pairs.frame["sentence1"][5]
    found = audits(train, with_rows(test_set, [pair(f"  {text.upper()}!! ", words(rng), id1="T-1", id2="T-2")]))
    assert (found["leaked_texts"].severity, found["leaked_texts"].n_found) == ("error", 1)
    assert found["leaked_texts"].evidence[0]["text there"] == text
    assert found["leaked_texts"].evidence[0]["id"] == "T-1"
    assert found["leaked_records"].status == "clear"


def test_a_near_duplicate_text_is_a_warning_with_its_likeness(train, test_set):
    rng = np.random.default_rng(0)
    text = train.pairs.frame["sentence1"][5]
    found = audits(train, with_rows(test_set, [pair(f"{text} again", words(rng), id1="T-1", id2="T-2")]))
    audit = found["leaked_near_duplicates"]
    assert (audit.severity, audit.n_found) == ("warning", 1)
    assert audit.evidence[0]["text there"] == text
    assert 0.8 <= audit.evidence[0]["jaccard"] < 1
    assert found["leaked_texts"].status == "clear"


def test_sets_without_ids_are_compared_by_text():
    rng = np.random.default_rng(0)
    shared = words(rng)
    first = scored([pair(shared, words(rng))], ref="a@v0001")
    second = scored([pair(words(rng), shared)], ref="b@v0001")
    found = audits(first, second)
    assert found["leaked_records"].status == "not_applicable"
    assert found["leaked_texts"].n_found == 1


def test_two_numberings_are_no_leak_of_records():
    rng = np.random.default_rng(0)
    first = scored([pair(words(rng), words(rng), id1=str(i), id2=str(i + 50)) for i in range(20)], ref="a@v0001")
    second = scored([pair(words(rng), words(rng), id1=str(i), id2=str(i + 50)) for i in range(20)], ref="b@v0001")
    found = audits(first, second)
    assert {audit.status for audit in found.values()} == {"clear"}
    assert "The ids of b coincide with others but stand for other texts" in found["leaked_records"].message


def test_an_edited_record_of_one_dataset_is_still_the_same_record(train, test_set):
    rng = np.random.default_rng(0)
    identity = train.pairs.frame["id1"][3]
    found = audits(train, with_rows(test_set, [pair(words(rng), words(rng), id1=identity, id2="T-new")]))
    assert found["leaked_records"].n_found == 1


def test_a_leak_through_the_pairs_of_a_third_split_is_found(train, test_set):
    rng = np.random.default_rng(0)
    bridge = scored(
        [pair(train.pairs.frame["sentence1"][0], test_set.pairs.frame["sentence1"][0])], ref="tickets@v0001:dev"
    )
    found = audits(train, test_set, bridge)
    assert found["leaked_texts"].status == found["leaked_near_duplicates"].status == "clear"
    audit = found["leaked_components"]
    assert (audit.status, audit.severity, audit.n_found) == ("found", "warning", 1)
    assert audit.evidence[0]["in"] == test_set.ref
    apart = scored([pair(words(rng), test_set.pairs.frame["sentence1"][0])], ref="tickets@v0001:dev")
    assert audits(train, test_set, apart)["leaked_components"].status == "clear"


def test_a_common_category_joins_nothing(train, test_set):
    assert set(train.pairs.frame["category1"]) == set(test_set.pairs.frame["category1"])
    assert audits(train, test_set)["leaked_components"].status == "clear"


def test_a_leak_into_a_split_that_is_not_judged_by_is_a_warning(train, test_set):
    dev = scored([pair(train.pairs.frame["sentence1"][0], "a dev text")], ref="tickets@v0001:dev")
    found = audits(train, test_set, dev, comparisons=((0, 1), (0, 2)))
    assert (found["leaked_texts"].severity, found["leaked_texts"].n_found) == ("warning", 1)
    assert found["leaked_texts"].evidence[0]["in"] == "tickets@v0001:dev"


def test_a_sample_is_stated_and_the_smaller_set_is_looked_at_whole(test_set):
    large = clean_set(3, "large@v0001", n=1200)
    text = test_set.pairs.frame["sentence1"][0]
    train = with_rows(large, [pair(f"{text} again", "another text", id1="L-1", id2="L-2")])
    config = AuditConfig(max_texts=1000)
    found = audits(train, test_set, config=config)["leaked_near_duplicates"]
    corpus = corpus_of(train, test_set, config=config)
    assert (corpus.n_looked, corpus.n_keys) == (1000, 1442)
    assert "among 1,000 of 1,442 texts, the smaller sets first" in found.message
    looked = set(corpus.parts[1].groups.ravel().tolist())
    assert looked <= set(range(1000))  # of the small set every text has a group that was looked for

"""Who the anchors are, and which records may never be their negatives."""

import pandas as pd
import pytest

from simtune_core.curriculum.mining.neighbourhood import anchors_of, barred_rows, corpus_of, resolve_allowed
from simtune_core.errors import ConfigError, DataFaultError
from simtune_core.pairs import PairSet, with_pair_columns
from simtune_core.records import with_record_columns

RECORDS = with_record_columns(
    pd.DataFrame(
        {
            "id": list("abcdef"),
            "text": ["anchor", "positive", "same group", "same category", "other", "nothing known"],
            "category": ["vpn", "vpn", "mail", "vpn", "mail", None],
            "duplicate_group": ["1", "1", "1", None, "2", None],
        }
    )
)


def pairs_of(rows, **columns):
    frame = pd.DataFrame(rows, columns=["sentence1", "sentence2", "label"]).assign(**columns)
    return PairSet(with_pair_columns(frame), "some@v0001", "0")


PAIRS = pairs_of([("anchor", "positive", 1), ("other", "anchor", 1), ("anchor", "same category", 0)])


def barred(exclusion, records=RECORDS, pairs=PAIRS):
    corpus = corpus_of(records, pairs)
    rows = barred_rows(anchors_of(pairs, corpus), corpus, pairs, exclusion)
    return [{corpus.texts[row] for row in each} for each in rows]


def test_an_anchor_is_never_paired_with_itself_or_a_known_positive_of_either_direction():
    assert barred("known")[0] == {"anchor", "positive", "other"}


def test_its_duplicate_group_is_barred_too():
    assert barred("duplicate_group")[0] == {"anchor", "positive", "other", "same group"}


def test_its_category_is_barred_and_what_has_none():
    assert barred("category")[0] == {"anchor", "positive", "other", "same category", "nothing known"}


def test_a_text_that_two_records_share_is_barred_when_one_of_them_is():
    twice = pd.concat([RECORDS, RECORDS.iloc[[4]].assign(id="g", duplicate_group="1")], ignore_index=True)
    elsewhere = pairs_of([("anchor", "positive", 1)])

    assert "other" in barred("duplicate_group", twice, elsewhere)[0]
    assert "other" not in barred("duplicate_group", RECORDS, elsewhere)[0]


def test_an_anchor_without_a_category_has_no_negative_by_category():
    records = RECORDS.assign(category=[None, "vpn", "mail", "vpn", "mail", None])

    assert barred("category", records, pairs_of([("anchor", "positive", 1)]))[0] == set(RECORDS["text"])


def test_the_category_that_the_pair_set_names_counts_where_the_record_is_not_there():
    pairs = pairs_of([("a new text", "positive", 1)], category1="vpn")

    assert barred("category", RECORDS, pairs)[0] == {"anchor", "positive", "same category", "nothing known"}


def test_a_positive_stands_once_whichever_way_round():
    pairs = pairs_of([("anchor", "positive", 1), ("positive", "anchor", 1), ("other", "other", 1)])
    anchors = anchors_of(pairs, corpus_of(RECORDS, pairs))

    assert anchors.positives["source"].tolist() == [0]
    assert anchors.n_repeated == 2


def test_auto_means_the_first_of_groups_categories_and_positives_that_is_known():
    without = RECORDS.assign(duplicate_group=None)

    assert resolve_allowed(corpus_of(RECORDS, PAIRS), "auto") == "duplicate_group"
    assert resolve_allowed(corpus_of(without, PAIRS), "auto") == "category"
    assert resolve_allowed(corpus_of(without.assign(category=None), PAIRS), "auto") == "known"
    with pytest.raises(ConfigError, match="duplicate groups"):
        resolve_allowed(corpus_of(without, PAIRS), "duplicate_group")


def test_several_splits_and_no_positives_are_refused():
    mixed = pairs_of([("anchor", "positive", 1), ("other", "anchor", 1)], split=["train", "test"])
    with pytest.raises(DataFaultError, match="some@v0001:train"):
        anchors_of(mixed, corpus_of(RECORDS, mixed))
    negative = pairs_of([("anchor", "positive", 0)])
    with pytest.raises(DataFaultError, match="must have positive pairs"):
        anchors_of(negative, corpus_of(RECORDS, negative))

"""What is paired and what is kept apart."""

import pandas as pd
import pytest

from simtune_core.candidates.gathering import gather
from simtune_core.datasets import save_pairs, save_records
from simtune_core.errors import DataFaultError, WorkspaceError
from simtune_core.pairs import with_pair_columns

LONG = "the printer on the second floor has a paper jam again and needs help"


@pytest.fixture
def held(workspace):
    """Six records and a test set that holds one by id, one by text and two nearly."""
    rows = [
        ("r1", "mail is down"),
        ("r2", "vpn is slow"),
        ("r3", LONG),
        ("r4", LONG.upper() + "!"),
        ("r5", "badge"),
        ("r6", "disk"),
    ]
    save_records(workspace, "tickets", pd.DataFrame(rows, columns=["id", "text"]), provenance={})
    pairs = [("something else", "vpn is slow", 1, "r1", "x9"), (LONG + " now", "nothing", 0, None, None)]
    frame = pd.DataFrame(pairs, columns=["sentence1", "sentence2", "label", "id1", "id2"])
    save_pairs(workspace, "exam", with_pair_columns(frame), provenance={})
    return workspace


def test_records_of_a_set_kept_apart_are_left_out_by_id_by_text_and_by_near_duplicate(held):
    gathered = gather(held, "tickets", ["exam"])

    assert gathered.frame["id"].tolist() == ["r5", "r6"]
    assert (gathered.n_apart_records, gathered.n_apart_near, gathered.n_left_out) == (2, 2, 4)
    assert [each["message"] for each in gathered.findings] == [
        "4 of 6 records were left out to stay apart from exam@v0001: 2 are in it, 2 are near-duplicates of its texts "
        "(Jaccard similarity 0.8 or more)."
    ]


def test_nothing_left_out_is_said_too(held):
    frame = pd.DataFrame({"sentence1": ["wholly"], "sentence2": ["different"], "label": [1]})
    save_pairs(held, "other", with_pair_columns(frame), provenance={})

    gathered = gather(held, "tickets", ["other"])

    assert (len(gathered.frame), gathered.n_left_out) == (6, 0)
    assert gathered.findings[0]["message"] == "No record had to be left out to stay apart from other@v0001."


def test_pairs_of_a_set_lose_those_with_a_record_that_is_kept_apart(held):
    rows = [("mail is down", "badge", 1), ("badge", "disk", 0), ("vpn is slow", "disk", 0)]
    frame = pd.DataFrame(rows, columns=["sentence1", "sentence2", "label"])
    save_pairs(held, "made", with_pair_columns(frame), provenance={})

    gathered = gather(held, "made", ["exam"])

    assert (gathered.source, gathered.has_known) == ("pairs", True)
    assert gathered.frame["text"].tolist() == ["mail is down", "badge", "disk"]
    assert gathered.given.pairs.tolist() == [[0, 1], [1, 2]]
    assert gathered.given.positive.tolist() == [True, False]


def test_splits_in_one_table_and_repeated_texts_are_findings(workspace):
    rows = [("1", "a", "train"), ("2", "a", "test"), ("3", "b", "train")]
    save_records(workspace, "mixed", pd.DataFrame(rows, columns=["id", "text", "split"]), provenance={})

    found = {each["code"]: each["message"] for each in gather(workspace, "mixed", []).findings}

    assert set(found) == {"splits_mixed", "identical_texts"}
    assert "Count the candidates of one split, such as mixed@v0001:train." in found["splits_mixed"]
    assert found["identical_texts"].startswith("1 records repeat the text of another")
    assert gather(workspace, "mixed:train", []).findings == ()


def test_what_leaves_nothing_to_pair_is_refused_with_a_sentence(held):
    save_records(held, "two", pd.DataFrame({"id": ["r1", "z"], "text": ["mail is down", "new"]}), provenance={})

    with pytest.raises(DataFaultError, match="at least two records to pair, got 1 after 1 records were kept apart"):
        gather(held, "two", ["exam"])
    with pytest.raises(DataFaultError, match="at least one pair of two records, got 0 after 4 records were kept apart"):
        gather(held, "exam", ["exam"])
    with pytest.raises(WorkspaceError, match="holds records, and pairs are needed"):
        gather(held, "two", ["tickets"])

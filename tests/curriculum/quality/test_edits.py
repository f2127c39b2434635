"""Edits: what they name, what they do, what follows a parent, and that nothing else changes."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simtune_core.curriculum.quality.edits import Edit, edit_from_json, edited, last_of_each, pair_keys
from simtune_core.errors import DataFaultError
from simtune_core.pairs import PairSet, with_pair_columns

ROWS = (("a", "b", 1), ("c", "d", 0), ("b", "a", 1), ("e", "f", 1), ("e f", "f", 1))


def pair_set(rows=ROWS, **more):
    frame = pd.DataFrame(rows, columns=["sentence1", "sentence2", "label"]).assign(**more)
    return PairSet(with_pair_columns(frame), "some@v0001", "content")


def keys(pairs):
    return pair_keys(pairs.frame).tolist()


def test_a_pair_is_named_by_its_texts_in_either_order_and_its_second_occurrence_apart():
    found = keys(pair_set())

    assert found[2] == f"{found[0]}#2"
    assert len(set(found)) == 5
    assert keys(pair_set([("b", "a", 0)])) == found[:1]


def test_dropped_pairs_are_gone_relabelled_ones_changed_and_all_others_as_they_were():
    pairs = pair_set()
    names = keys(pairs)

    found = edited(pairs, [Edit(names[1], "relabel", 1), Edit(names[2], "drop"), Edit(names[3], "keep")])

    expected = pair_set([("a", "b", 1), ("c", "d", 1), ("e", "f", 1), ("e f", "f", 1)]).frame
    pd.testing.assert_frame_equal(found.frame, expected)
    assert (found.details, found.n_dropped, found.n_relabelled, found.n_children) == (None, 1, 1, 0)


def test_the_last_edit_of_a_pair_counts():
    pairs = pair_set()
    one = keys(pairs)[0]

    assert last_of_each([Edit(one, "drop"), Edit(one, "relabel", 0)]) == (Edit(one, "relabel", 0),)
    assert edited(pairs, [Edit(one, "drop"), Edit(one, "keep")]).n_dropped == 0


def test_a_label_that_a_pair_has_already_changes_nothing():
    pairs = pair_set()

    assert edited(pairs, [Edit(keys(pairs)[0], "relabel", 1)]).n_relabelled == 0


def test_children_go_with_their_parent_unless_they_were_decided_on_themselves():
    pairs = pair_set()  # row 3 was made of row 0, row 4 of row 3, row 2 of row 1
    details = pd.DataFrame(
        {
            "similarity": [0.1, 0.2, 0.3, 0.4, 0.5],
            "role": ["positive", "other_category", "positive", "positive", "positive"],
            "parent": pd.array([None, None, 1, 0, 3], dtype="Int64"),
            "change": [None, None, "swap", "typo", "case"],
        }
    )
    names = keys(pairs)

    dropped = edited(pairs, [Edit(names[0], "drop")], details)
    assert dropped.frame["sentence1"].tolist() == ["c", "b"]
    assert dropped.details["parent"].tolist() == [pd.NA, 0]
    assert dropped.details["similarity"].tolist() == [0.2, 0.3]
    assert (dropped.n_dropped, dropped.n_children) == (3, 2)

    decided = edited(pairs, [Edit(names[0], "relabel", 0), Edit(names[3], "keep"), Edit(names[1], "drop")], details)
    assert decided.frame["label"].tolist() == [0.0, 1.0, 1.0]
    assert decided.details["role"].tolist() == ["other_category", "positive", "positive"]
    assert decided.details["parent"].tolist() == [pd.NA, 0, 1]


def test_what_a_relabelled_pair_is_follows_from_its_categories():
    pairs = pair_set(category1=["x", "x", "x", "x", None], category2=["x", "x", "y", "y", "y"])
    details = pd.DataFrame({"similarity": 0.5, "role": "old", "parent": None, "change": None}, index=range(5))
    flip = [Edit(name, "relabel", 1 - int(label)) for name, label in zip(keys(pairs), pairs.labels(), strict=True)]

    found = edited(pairs, flip, details)

    assert found.details["role"].tolist() == [
        "same_category", "positive", "other_category", "other_category", "other_category",
    ]  # fmt: skip


def test_edits_of_another_set_of_graded_pairs_or_of_every_pair_are_refused():
    pairs = pair_set()
    names = keys(pairs)

    with pytest.raises(DataFaultError, match="1 of 2 do not, such as zz"):
        edited(pairs, [Edit(names[0], "drop"), Edit("zz", "drop")])
    with pytest.raises(DataFaultError, match="can be removed and not relabelled"):
        edited(pair_set(score=0.5), [Edit(names[0], "relabel", 0)])
    with pytest.raises(DataFaultError, match="must stay; all 5"):
        edited(pairs, [Edit(name, "drop") for name in names])


@pytest.mark.parametrize(
    "value",
    [
        {"pair": "p", "action": "burn"},
        {"pair": 3, "action": "drop"},
        {"pair": "p", "action": "relabel"},
        {"pair": "p", "action": "relabel", "label": 2},
        {"pair": "p", "action": "drop", "label": 1},
    ],
)
def test_what_is_no_edit_is_refused(value):
    with pytest.raises(DataFaultError, match="An edit must be"):
        edit_from_json(value)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(0, 1)), min_size=2, max_size=9))
def test_edits_are_the_same_whichever_text_comes_first_and_whatever_way_they_are_stored(rows):
    pairs, turned = pair_set(rows), pair_set([(second, first, label) for first, second, label in rows])
    names = keys(pairs)
    edits = [Edit(names[0], "drop"), Edit(names[-1], "relabel", 0)]

    assert names == keys(turned)
    assert len(set(names)) == len(rows)
    assert [edit_from_json(edit.as_json()) for edit in edits] == edits
    assert edited(pairs, edits).frame["label"].tolist() == edited(turned, edits).frame["label"].tolist()

"""A pair set taken apart: by hand."""

import numpy as np
import pandas as pd

from simtune_core.candidates.given_pairs import take_apart
from simtune_core.pairs import PairSet, with_pair_columns


def pair_set(rows, columns=("sentence1", "sentence2", "label")):
    return PairSet(with_pair_columns(pd.DataFrame(rows, columns=list(columns))), "set@v0001", "x")


def words(found):
    return {each["code"]: each["message"] for each in found}


def test_records_are_numbered_first_sides_first_and_each_pair_counts_once():
    taken = take_apart(pair_set([("a", "b", 1), ("c", "a", 0), ("b", "a", 1), ("d", "c", 0)]))

    assert taken.frame["text"].tolist() == ["a", "c", "b", "d"]
    assert taken.given.pairs.tolist() == [[0, 1], [0, 2], [1, 3]]
    assert taken.given.positive.tolist() == [False, True, False]
    assert words(taken.findings) == {
        "repeated_pairs": "In set@v0001 1 rows repeat a pair, in either order, and were counted once."
    }


def test_a_contradiction_a_pair_with_itself_and_a_second_category_are_said():
    taken = take_apart(
        pair_set(
            [("a", "b", 1, "x", "y"), ("b", "a", 0, "y", "x"), ("c", "c", 1, "x", "x"), ("a", "c", 1, "z", None)],
            ("sentence1", "sentence2", "label", "category1", "category2"),
        )
    )

    assert taken.given.pairs.tolist() == [[0, 2]]
    assert dict(zip(taken.frame["text"], taken.frame["category"], strict=True)) == {"a": "x", "b": "y", "c": "x"}
    assert words(taken.findings) == {
        "self_pairs": "In set@v0001 1 pairs have the same record on both sides and were left out.",
        "contradicting_pairs": "In set@v0001 1 pairs are labelled both positive and negative and were left out.",
        "categories_disagree": "In set@v0001 1 records have more than one category; the first one counts.",
    }


def test_records_with_one_text_and_two_ids_are_two():
    taken = take_apart(pair_set([("a", "a", 1, "1", "2")], ("sentence1", "sentence2", "label", "id1", "id2")))

    assert taken.frame[["id", "text"]].to_numpy().tolist() == [["1", "a"], ["2", "a"]]
    assert taken.given.pairs.tolist() == [[0, 1]]


def test_a_graded_set_is_cut_and_says_where():
    taken = take_apart(pair_set([("a", "b", 0.6), ("c", "d", 0.59)], ("sentence1", "sentence2", "score")))

    assert taken.given.positive.tolist() == [True, False]
    assert words(taken.findings) == {"score_cut": "set@v0001 is graded; a pair counts as positive from 0.6 on."}


def test_pairs_among_the_records_that_are_kept_have_their_new_positions():
    given = take_apart(pair_set([("a", "b", 1), ("c", "d", 0), ("a", "d", 1)])).given  # records: a c b d

    left = given.among(np.array([True, False, True, True]))

    assert (left.pairs.tolist(), left.positive.tolist()) == ([[0, 1], [0, 2]], [True, True])

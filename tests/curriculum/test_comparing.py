"""Two pair sets compared: a small case by hand, and the same whichever way round texts and rows stand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simtune_core.curriculum.comparing import PhasedSet, SettingDifference, compare_sets, differing_settings
from simtune_core.difficulty.job import measure_part
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.errors import DataFaultError
from simtune_core.pairs import PairSet, with_pair_columns

# sentence1, sentence2, label, similarity, phase; the records of a and b are of category x, those of c and d of y
LEFT = [
    ("a", "b", 1, 0.9, "easy"),
    ("a", "c", 0, 0.1, "easy"),
    ("b", "c", 0, 0.3, "hard"),
    ("c", "d", 1, 0.5, "hard"),
]
RIGHT = [
    ("b", "a", 1, 0.9, "easy"),  # as in left, the other way round
    ("c", "b", 1, 0.3, "easy"),  # in left in another phase and with another label
    ("c", "e", 0, 0.2, "last"),  # e has no category
]
CATEGORIES = {"a": "x", "b": "x", "c": "y", "d": "y"}


def phased(ref, rows):
    frame = pd.DataFrame(rows, columns=["sentence1", "sentence2", "label", "similarity", "phase"])
    for side in ("1", "2"):
        frame[f"category{side}"] = frame[f"sentence{side}"].map(CATEGORIES)
    cosines = frame["similarity"].to_numpy(np.float32)
    scored = ScoredSet(PairSet(with_pair_columns(frame), ref, ref), cosines, cosines, "cosine")
    return PhasedSet(
        scored.pairs, measure_part(scored), {name: measure_part(scored, rows) for name, rows in scored.phases.items()}
    )


def test_each_phase_is_measured_in_both_sets_and_what_they_share_is_counted():
    found = compare_sets(phased("left", LEFT), phased("right", RIGHT))

    shared = {
        phase.phase: (phase.n_shared, phase.n_left_elsewhere, phase.n_right_elsewhere, phase.n_shared_texts)
        for phase in found.phases
    }
    assert [phase.n_shared_records for phase in found.phases] == [3, 3, 0, 0], "without ids a text is its record"
    assert shared == {
        None: (2, 1, 1, 3),  # ab and bc are in both, bc in different phases; texts a, b, c
        "easy": (1, 0, 1, 3),  # ab; bc is in easy of right alone; a, b, c are in easy of both
        "hard": (0, 1, 0, 0),  # bc of left's hard is in easy of right, which has no phase hard
        "last": (0, 0, 0, 0),
    }
    easy_left, easy_right = found.phases[1].left, found.phases[1].right
    assert easy_left.side.separability == pytest.approx(0.9 - 0.1)
    assert (easy_left.side.roc_auc, easy_left.side.overlap) == (1.0, 0.0)
    assert (easy_right.side.n_positive, easy_right.side.separability) == (2, None)
    assert [(phase.left is None, phase.right is None) for phase in found.phases] == [
        (False, False), (False, False), (False, True), (True, False),
    ]  # fmt: skip


def test_categories_are_counted_by_the_places_of_their_records():
    found = compare_sets(phased("left", LEFT), phased("right", RIGHT))

    # left: a, b | a, c | b, c | c, d -> x 4, y 4; right: b, a | c, b | c, e -> x 3, y 2, e in none
    assert found.categories.to_dict("records") == [
        {"category": "x", "left": 4, "right": 3}, {"category": "y", "left": 4, "right": 2},
    ]  # fmt: skip
    whole = found.whole
    assert (whole.left.n_categories, whole.left.largest_category, whole.left.largest_share) == (2, "x", 0.5)
    assert (whole.right.n_categories, whole.right.largest_category, whole.right.largest_share) == (2, "x", 0.6)
    assert found.phases[3].right.largest_share == 1.0


def test_record_ids_are_counted_beside_texts():
    rows = [("a", "b", 1, 0.9, "easy"), ("a", "c", 0, 0.1, "easy")]
    left, right = phased("left", rows), phased("right", [("b", "x", 1, 0.8, "easy"), ("y", "x", 0, 0.2, "easy")])
    for each, ids in ((left, [("1", "2"), ("1", "3")]), (right, [("2", "3"), ("9", "3")])):
        each.pairs.frame[["id1", "id2"]] = ids

    whole = compare_sets(left, right).whole
    assert (whole.n_shared_texts, whole.n_shared_records) == (1, 2)  # b; 2 and 3, which is c here and x there


def test_shared_pairs_of_another_label_are_listed():
    found = compare_sets(phased("left", LEFT), phased("right", [*RIGHT, ("a", "b", 0, 0.9, "easy")]))

    assert found.n_disagreeing == 2
    assert found.disagreements.to_dict("records") == [
        {"sentence1": "a", "sentence2": "b", "left": "1", "right": "0 and 1"},  # right contradicts itself
        {"sentence1": "b", "sentence2": "c", "left": "0", "right": "1"},
    ]


def test_sets_without_phases_or_categories_are_compared_as_wholes():
    rows = [(*row[:4], None) for row in LEFT]
    bare = phased("bare", [(one.upper(), two.upper(), *rest) for one, two, *rest in rows])
    found = compare_sets(bare, phased("right", RIGHT))

    assert [phase.phase for phase in found.phases] == [None, "easy", "last"]
    assert (found.whole.left.n_categories, found.whole.left.largest_share) == (0, None)
    assert (found.whole.n_shared, found.n_disagreeing, len(found.disagreements)) == (0, 0, 0)
    same = compare_sets(phased("bare", rows), phased("left", LEFT)).whole
    assert (same.n_shared, same.n_left_elsewhere, same.n_right_elsewhere) == (4, 0, 0), "no phase is not another phase"


def test_a_set_is_not_compared_with_itself():
    with pytest.raises(DataFaultError, match="needs two pair sets; both are left"):
        compare_sets(phased("left", LEFT), phased("left", LEFT))


@given(st.permutations(RIGHT), st.lists(st.booleans(), min_size=3, max_size=3))
def test_neither_the_order_of_rows_nor_that_of_texts_matters(rows, turned):
    rows = [(row[1], row[0], *row[2:]) if turn else row for row, turn in zip(rows, turned, strict=True)]
    left = phased("left", LEFT)
    expected, found = compare_sets(left, phased("right", RIGHT)), compare_sets(left, phased("right", rows))

    def counts(compared):
        return {
            each.phase: (each.n_shared, each.n_left_elsewhere, each.n_right_elsewhere, each.n_shared_records)
            for each in compared.phases
        }

    assert counts(found) == counts(expected)
    pd.testing.assert_frame_equal(found.disagreements, expected.disagreements)
    pd.testing.assert_frame_equal(found.categories, expected.categories)


def test_turning_the_comparison_round_turns_its_numbers_round():
    there = compare_sets(phased("left", LEFT), phased("right", RIGHT))
    back = compare_sets(phased("right", RIGHT), phased("left", LEFT))

    names = {phase.phase: phase for phase in back.phases}
    for phase in there.phases:
        other = names[phase.phase]
        assert (phase.n_shared, phase.n_shared_records) == (other.n_shared, other.n_shared_records)
        assert (phase.n_left_elsewhere, phase.n_right_elsewhere) == (other.n_right_elsewhere, other.n_left_elsewhere)


def test_settings_that_differ_are_told_by_their_paths():
    left = {"curriculum": {"encoder": "tfidf", "config": {"seed": 0, "phases": [{"name": "easy", "pos_min": 0.52}]}}}
    right = {
        "curriculum": {"encoder": "tfidf", "config": {"seed": 1, "phases": [{"name": "easy", "pos_min": 0.5}]}},
        "augment": {"config": {"sides": ["one", "both"]}},
    }
    right["curriculum"]["config"]["phases"].append({"name": "hard", "pos_min": 0.3})

    assert differing_settings(left, left) == ()
    assert differing_settings(left, right) == (
        SettingDifference("curriculum.config.seed", "0", "1"),
        SettingDifference("curriculum.config.phases.easy.pos_min", "0.52", "0.5"),
        SettingDifference("curriculum.config.phases.hard", None, '{"name": "hard", "pos_min": 0.3}'),
        SettingDifference("augment", None, '{"config": {"sides": ["one", "both"]}}'),
    )

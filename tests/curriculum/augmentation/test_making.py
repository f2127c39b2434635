"""Tests of making children: who gets some, what they keep of their parents, what is not made and counted."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.curriculum.augmentation.config import OPERATIONS, AugmentConfig
from simtune_core.curriculum.augmentation.making import Loss, drafts_of, make_children, parents_of
from simtune_core.errors import ConfigError, DataFaultError
from simtune_core.pairs import text_id, with_pair_columns
from tests.curriculum.augmentation.sets import frame_of, pairs_of, shares

CELLS = {("easy", 1): 20, ("easy", 0): 10, ("hard", 1): 5, ("hard", 0): 15}
ROWS = [
    {"sentence1": "the mail server is down", "sentence2": "mail does not work", "label": 1},
    {"sentence1": "printer out of paper", "sentence2": "the vpn is slow today", "label": 0},
]


def texts(frame):
    return set(zip(frame["sentence1"], frame["sentence2"], strict=True))


def by_reason(children):
    lost = Counter()
    for loss in children.losses:
        lost[loss.reason] += loss.n
    return dict(lost)


def test_children_keep_everything_of_their_parents_but_the_texts():
    frame = with_pair_columns(frame_of(CELLS).assign(category1="mail", category2=None, split="train"))
    children = make_children(pairs_of(frame), AugmentConfig())

    assert (children.n_parents, len(children.frame), children.n_lost) == (50, 150, 0)
    assert np.bincount(children.parents).tolist() == [3] * 50
    assert Counter(children.changes) == Counter({"deletion": 50, "swap": 50, "duplication": 50})
    kept = ["label", "score", "id1", "id2", "category1", "category2", "phase", "split"]
    pd.testing.assert_frame_equal(children.frame[kept], frame.iloc[children.parents][kept].reset_index(drop=True))
    assert not texts(children.frame) & texts(frame)


def test_a_parent_without_ids_names_its_children_as_its_own_texts_are_named():
    pairs = pairs_of(pd.DataFrame(ROWS))
    children = make_children(pairs, AugmentConfig(n_children=1))

    first, second = pairs.record_ids()
    assert children.frame["id1"].tolist() == first.tolist() == [f"text:{text_id(row['sentence1'])}" for row in ROWS]
    assert children.frame["id2"].tolist() == second.tolist()


def test_the_order_of_the_rows_decides_nothing():
    frame = frame_of(CELLS)
    shuffled = frame.sample(frac=1.0, random_state=1)
    config = AugmentConfig(share=0.5, operations=OPERATIONS, seed=3)

    one, other = (make_children(pairs_of(each), config) for each in (frame, shuffled))
    assert texts(one.frame) == texts(other.frame)
    assert one.losses == other.losses
    assert texts(make_children(pairs_of(frame), AugmentConfig(share=0.5, seed=4)).frame) != texts(one.frame)


def test_fifteen_thousand_pairs_would_become_about_sixty_four_thousand():
    pairs = pairs_of(frame_of({("easy", 1): 100, ("hard", 0): 50}, n_words=40))
    children = make_children(pairs, AugmentConfig(n_children=4, share=0.82))

    # round(0.82 * 100) + round(0.82 * 50) = 82 + 41 = 123 parents; 123 * 4 = 492 children; 642 of 150 = 4.28 times
    assert (children.n_parents, len(children.frame)) == (123, 492)
    assert len(pairs.frame) + len(children.frame) == pytest.approx(150 * 64_000 / 15_000, rel=0.01)


def test_one_side_changes_one_text_of_each_pair():
    frame = frame_of({("easy", 1): 40})
    children = make_children(pairs_of(frame), AugmentConfig(sides="one", n_children=1, operations=("deletion",)))

    parents = frame.iloc[children.parents]
    changed = [
        (children.frame[side].to_numpy() != parents[side].to_numpy()).sum() for side in ("sentence1", "sentence2")
    ]
    assert sum(changed) == 40
    assert min(changed) > 5


def test_what_is_not_made_is_counted_by_operation_and_reason():
    rows = [
        {"sentence1": "サーバー", "sentence2": "プリンター", "label": 1},  # one word each: nothing to swap
        {"sentence1": "paper jam", "sentence2": "jam paper", "label": 1},  # swapped on both sides: its own mirror
        {"sentence1": "screen dark", "sentence2": "dark screen x", "label": 0},
    ]
    config = AugmentConfig(operations=("swap",), n_children=2, keep_shares=False)
    children = make_children(pairs_of(pd.DataFrame(rows)), config)

    assert children.parents.tolist() in ([2], [2, 2])
    lost = by_reason(children)
    assert lost["unchanged"] == 2
    assert lost["repeated"] == 2 + (2 - len(children.frame))  # both mirrors; the third pair's two may be equal
    assert all(loss.operation == "swap" for loss in children.losses)


def test_a_child_whose_two_texts_became_equal_is_not_made():
    rows = [{"sentence1": "paper jam", "sentence2": "jam paper", "label": 1}, *ROWS]
    config = AugmentConfig(operations=("swap",), sides="one", n_children=1, keep_shares=False)

    assert make_children(pairs_of(pd.DataFrame(rows)), config).losses == (Loss("swap", "alike", 1),)


def test_training_pairs_alone_get_children_and_none_with_a_text_of_another_split():
    rows = [
        {"sentence1": "paper jam", "sentence2": "x", "label": 1, "split": "train"},
        {"sentence1": "jam paper", "sentence2": "y", "label": 0, "split": "test"},  # what the swap would make
        {"sentence1": "screen dark", "sentence2": "z", "label": 0, "split": "train"},
    ]
    pairs = pairs_of(pd.DataFrame(rows))
    config = AugmentConfig(operations=("swap",), n_children=1, keep_shares=False)
    children = make_children(pairs, config)

    assert children.parents.tolist() == [2]
    assert children.losses == (Loss("swap", "other_split", 1),)
    assert parents_of(pairs, config.model_copy(update={"splits": "all"})).tolist() == [0, 1, 2]
    with pytest.raises(DataFaultError, match=r"some@v0001 has none in train \(it has: test\)"):
        make_children(pairs_of(pd.DataFrame(rows[1:2])), config)


@settings(max_examples=25)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["easy", "medium", "hard"]), st.sampled_from([0, 1])), st.integers(1, 30), min_size=1
    ),
    st.integers(0, 9),
    st.floats(0.1, 1.0),
)
def test_labels_and_phases_keep_their_shares_within_one_pair_even_where_children_fail(cells, seed, share):
    frame = frame_of(cells, seed=seed)
    poor = frame["phase"].eq("hard") & frame["label"].eq(1)  # one word: no word operation can make a child
    frame.loc[poor, "sentence1"] = [f"word{row}" for row in np.flatnonzero(poor)]
    frame.loc[poor, "sentence2"] = [f"other{row}" for row in np.flatnonzero(poor)]
    try:
        children = make_children(pairs_of(frame), AugmentConfig(seed=seed, share=share))
    except DataFaultError as error:
        assert "Not one child" in str(error)  # nothing can be made without moving the shares
        return

    before, made = frame.value_counts(["phase", "label"]), children.frame.value_counts(["phase", "label"])
    ratio = len(children.frame) / len(frame)
    assert all(abs(made.get(cell, 0) - ratio * n) <= 1.5 for cell, n in before.items())
    assert not poor.iloc[children.parents].any()


def test_without_keeping_shares_children_of_unequal_rates_move_them():
    frame = frame_of({("easy", 1): 40, ("hard", 0): 40})
    frame.loc[frame["label"] == 0, ["sentence1", "sentence2"]] = [[f"w{row}", f"v{row}"] for row in range(40)]

    moved = make_children(pairs_of(frame), AugmentConfig(keep_shares=False))
    assert shares(moved.frame) == {("easy", 1): 1.0}
    kept = make_children(pairs_of(frame), AugmentConfig())
    assert len(kept.frame) == 1  # within one pair of nothing
    assert by_reason(kept) == {"unchanged": 120, "shares": 119}


def test_children_have_no_children():
    frame = frame_of(CELLS)
    known = np.arange(len(frame)) < 30

    rows = parents_of(pairs_of(frame), AugmentConfig(), children=known)
    assert rows.tolist() == list(range(30, 50))
    with pytest.raises(DataFaultError, match="children of an earlier augmentation get none"):
        parents_of(pairs_of(frame), AugmentConfig(), children=np.ones(50, dtype=bool))


def test_labels_and_phases_choose_the_parents_and_unknown_phases_are_refused():
    frame = frame_of(CELLS)
    chosen = AugmentConfig(labels="positive", phases=("hard",), keep_shares=False)

    assert shares(frame.iloc[parents_of(pairs_of(frame), chosen)]) == {("hard", 1): 1.0}
    with pytest.raises(DataFaultError, match="no phase 'late' to augment; it has: easy, hard"):
        parents_of(pairs_of(frame), AugmentConfig(phases=("late",), keep_shares=False))


def test_settings_that_contradict_each_other_say_so():
    with pytest.raises(ConfigError, match="cannot be kept when only positive pairs get children"):
        AugmentConfig(labels="positive")
    with pytest.raises(ConfigError, match="must be named once each"):
        AugmentConfig(operations=("swap", "swap"))
    with pytest.raises(ConfigError, match="deletion_rate"):
        AugmentConfig(deletion_rate=0.6)


def test_an_example_is_what_the_set_gets():
    frame = frame_of(CELLS)
    config = AugmentConfig(operations=OPERATIONS, n_children=6)
    children = make_children(pairs_of(frame), config)

    shown = {child.texts for child in drafts_of(frame.iloc[7].to_dict(), config)}
    assert texts(children.frame[children.parents == 7]) == shown

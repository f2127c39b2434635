"""Tests of simtune_core.curriculum.allotting: by hand and by property."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simtune_core.curriculum.allotting import in_proportion, share_out, whole_numbers

many = st.lists(st.integers(0, 40), min_size=1, max_size=9)


def test_categories_get_the_same_and_share_what_one_lacks():
    # 10 wanted: 3 each, but the first has 1; the 2 it lacks and the 1 that is over go to the others
    assert share_out(np.array([1, 50, 50]), 10).tolist() == [1, 5, 4]
    assert share_out(np.array([5, 5]), 100).tolist() == [5, 5]
    assert share_out(np.array([5, 5]), 0).tolist() == [0, 0]


def test_whoever_has_least_gets_first():
    # levels 4, 0, 2 and 6 more: the second rises to the third's 2, both to 4 -> 2 + 2 + 2 = 6
    assert share_out(np.array([9, 9, 9]), 6, levels=np.array([4, 0, 2])).tolist() == [0, 4, 2]


@given(many, st.integers(0, 400), st.data())
def test_a_fair_share_never_takes_more_than_there_is(available, wanted, data):
    levels = np.array(data.draw(st.lists(st.integers(0, 20), min_size=len(available), max_size=len(available))))

    taken = share_out(np.array(available), wanted, levels)

    assert taken.sum() == min(wanted, sum(available))
    assert (taken >= 0).all()
    assert (taken <= available).all()
    short, given_to = taken < np.array(available), taken > 0
    if short.any() and given_to.any():  # nobody was raised above one that still has room, but by the one left over
        assert (levels + taken)[given_to].max() <= (levels + taken)[short].min() + 1


def test_numbers_go_by_weight_until_a_cell_is_full():
    # 12 by 1 : 2 : 3 is 2, 4, 6; the last holds 3, so 9 go by 1 : 2
    shared = in_proportion(np.array([[1.0, 2.0, 3.0]]), np.array([[99, 99, 3]]), np.array([12]))

    assert shared.tolist() == [[3.0, 6.0, 3.0]]


@given(st.lists(st.tuples(st.floats(1e-6, 1e6), st.integers(0, 30)), min_size=1, max_size=30), st.floats(0, 1))
def test_a_row_sums_to_what_is_wanted_of_it_and_stays_within_its_room(cells, part):
    weights, room = (np.array(values)[None] for values in zip(*cells, strict=True))
    wanted = np.array([int(part * room.sum())])

    shared = in_proportion(np.where(room > 0, weights, 0.0), room, wanted)
    whole = whole_numbers(shared, room, wanted)

    assert shared.sum() == pytest.approx(wanted[0])
    assert (shared <= room + 1e-9).all()
    free = (shared < room - 1e-9) & (room > 0)
    if free.any():  # what is not full has what its weight says
        ratios = (shared / weights)[free]
        assert ratios.max() == pytest.approx(ratios.min(), rel=1e-6)
    assert whole.sum() == wanted[0]
    assert (whole >= 0).all()
    assert (whole <= room).all()
    assert np.abs(np.cumsum(whole) - np.cumsum(shared)).max() < 1 + 1e-6


def test_rows_alike_are_not_all_rounded_alike():
    shared = np.full((200, 4), 0.25)

    whole = whole_numbers(shared, np.ones((200, 4), dtype=int), np.ones(200, dtype=int))

    assert (whole.sum(axis=1) == 1).all()
    assert whole.sum(axis=0) == pytest.approx([50, 50, 50, 50], abs=2)

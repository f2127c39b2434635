"""Values of a foreign table: what a word means, on which scale scores are, and what is a time."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simtune_core.importing.values import offered_scale, propose_meaning, read_labels, read_scores, read_times


def column(*values):
    return pd.Series(list(values), dtype="str")


@pytest.mark.parametrize(
    ("word", "meaning"),
    [("Yes", 1), ("TRUE", 1), ("1.0", 1), ("not duplicate", 0), ("False", 0), ("-1", 0), ("0.0", 0), ("2", None),
     ("perhaps", None), ("0.5", None)],
)  # fmt: skip
def test_only_words_that_say_it_are_given_a_meaning(word, meaning):
    assert propose_meaning(word) == meaning


@pytest.mark.parametrize(
    ("found", "scale"),
    [((0.2, 4.8), (0, 5)), ((-0.3, 0.9), (-1, 1)), ((1, 10), (0, 10)), ((5, 80), (0, 100)), ((-7, 300), (-7, 300))],
)
def test_the_smallest_usual_scale_that_holds_the_scores_is_offered(found, scale):
    assert offered_scale(found) == scale


def test_labels_spelled_as_absent_are_missing_and_asked_of_nobody():
    labels = read_labels(column("1", None, "NaN", " 0 ", "n/a", "01"), {})
    assert labels.missing.tolist() == [False, True, True, False, True, False]
    assert (labels.asks, labels.found) == (False, ())
    assert labels.column.fillna(-1).tolist() == [1, -1, -1, 0, -1, 1]


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=8))
def test_scores_on_a_scale_keep_their_order_and_lie_in_0_to_1(numbers):
    scores = read_scores(column(*map(repr, numbers)), (-5.0, 5.0))
    assert not scores.broken.any() and not scores.outside.any()
    assert scores.column.between(0, 1).all()
    assert (
        scores.column.rank(method="min").tolist()
        == pd.Series([(number + 5) / 10 for number in numbers]).rank(method="min").tolist()
    )


def test_times_with_parts_of_a_second_keep_them():
    times = read_times(column("2026-04-03T10:00:00.250Z", "2026-04-03"), None)
    assert times.column.tolist() == ["2026-04-03T10:00:00.250000Z", "2026-04-03T00:00:00.000000Z"]
    assert (times.n_without_zone, times.ambiguous) == (1, None)


def test_both_orders_of_day_and_month_in_one_file_say_nothing_and_one_of_them_is_a_fault():
    raw = column("13/04/2026", "04/13/2026")
    assert (read_times(raw, None).ambiguous, read_times(raw, None).day_first) == ("13/04/2026", None)
    assert read_times(raw, True).broken.tolist() == [False, True]
    assert read_times(raw, False).broken.tolist() == [True, False]

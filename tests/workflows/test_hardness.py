"""What the difficulty page shows is what the measurement holds: all numbers, all pairs, the same words everywhere."""

import io

import numpy as np
import pytest
from rich.console import Console

from simtune_core import wording
from simtune_core.difficulty.separability import side_from_json
from simtune_core.workflows.hardness import (
    NumberRow,
    difference_in_words,
    in_words,
    interval_in_words,
    intervals_note,
    number_rows,
    phase_rows,
    set_bins,
    spread_rows,
)


def mismatch(**differences):
    sides = [{"ref": "a@v0001", "n_records": 80}, {"ref": "b@v0001", "n_records": 1200}]
    return {
        "differences": differences, "sides": sides, "n_shared_records": 3, "method": "bins", "level": 0.95,
        "n_resamples": 1000, "grey_low": 0.4, "grey_high": 0.6,
    }  # fmt: skip


def test_the_bins_of_a_set_hold_every_pair(measured):
    train, test = set_bins(measured.result)

    for side, drawn in zip(measured.result["sides"], (train, test), strict=True):
        assert drawn.bins.positive.sum() == side["n_positive"]
        assert drawn.bins.negative.sum() == side["n_negative"]
        assert drawn.bins.positive.sum() + drawn.bins.negative.sum() == side["n_pairs"]
        assert drawn.name == side["ref"]
    assert np.array_equal(train.bins.edges, test.bins.edges)  # one axis for both
    assert np.diff(train.bins.edges) == pytest.approx(0.02)


def test_the_overlap_drawn_is_the_overlap_measured(measured):
    for side, drawn in zip(measured.result["sides"], set_bins(measured.result), strict=True):
        assert drawn.overlap == (side["lowest_positive"], side["highest_negative"])


def test_sets_that_do_not_overlap_have_no_overlap_to_draw(measured):
    side = measured.result["sides"][0] | {"lowest_positive": 0.9, "highest_negative": 0.1}
    (drawn,) = set_bins({"sides": [side]})
    assert drawn.overlap is None


def test_every_number_row_has_one_value_a_set_and_belongs_to_a_group(measured):
    rows = {row.name: row for row in number_rows(measured.result)}

    for name, row in rows.items():
        assert list(row.values) == [side[name] for side in measured.result["sides"]]
    asked = {"n_pairs", "prevalence", "separability", "overlap", "overlap_robust", "overlap_coefficient", "roc_auc"}
    asked |= {"spearman_cosine", "spearman_ceiling", "spearman_share", "tfidf_roc_auc", "grey_share"}
    assert asked | {"same_category_share"} <= set(rows)
    groups = [row.group for row in rows.values()]
    assert list(dict.fromkeys(groups)) == ["size", "similarity", "separation", "ranking", "mix"]
    assert groups == sorted(groups, key=list(dict.fromkeys(groups)).index)  # each group stands together


def test_another_grey_zone_is_read_from_the_bins_and_has_no_interval_of_its_own(measured):
    found = mismatch(grey_share={"low": -0.1, "high": 0.2})
    usual = {row.name: row for row in number_rows(measured.result, grey=(0.4, 0.6), mismatch=found)}["grey_share"]
    other = {row.name: row for row in number_rows(measured.result, grey=(0.1, 0.3), mismatch=found)}["grey_share"]

    assert (usual.interval, other.interval) == ((-0.1, 0.2), None)
    assert other.values == tuple(side_from_json(side).grey_share(0.1, 0.3) for side in measured.result["sides"])
    assert other.values != usual.values


def test_numbers_have_fixed_decimals_and_a_difference_says_points():
    share = NumberRow("overlap", "overlap", (0.005, 0.86), form="share", interval=(-0.886, -0.518))
    number = NumberRow("ROC-AUC", "roc_auc", (0.9984, 0.7698), interval=(0.2, 0.25))
    count = NumberRow("pairs", "n_pairs", (1000, 3), form="count")

    assert [in_words(value, "share") for value in share.values] == ["0.5 %", "86.0 %"]
    assert (difference_in_words(share), interval_in_words(share)) == ("-85.5 points", "-88.6 to -51.8")
    assert (difference_in_words(number), interval_in_words(number)) == ("+0.229", "+0.200 to +0.250")
    assert (in_words(1000, "count"), difference_in_words(count), interval_in_words(count)) == ("1,000", "", "")


def test_what_is_undefined_says_so_and_nothing_is_minus_zero():
    undefined = NumberRow("overlap", "overlap", (None, 0.5), form="share")

    assert (in_words(None, "share"), difference_in_words(undefined)) == ("not defined", "not defined")
    assert difference_in_words(NumberRow("a", "a", (0.50001, 0.50002))) == "+0.000"
    assert difference_in_words(NumberRow("a", "a", (0.5,))) == ""  # one set has no difference


def test_the_spread_of_every_class_and_the_numbers_of_every_phase_are_told(measured):
    spread, phases = spread_rows(measured.result), phase_rows(measured.result)
    side = measured.result["sides"][1]

    assert len(spread) == 4 and list(spread[0])[-7:] == ["1 %", "5 %", "25 %", "50 %", "75 %", "95 %", "99 %"]
    assert spread[3]["50 %"] == f"{side['negative_quantiles'][3]:.3f}" and spread[3]["n"] == f"{side['n_negative']:,}"
    assert [(row["set"], row["phase"]) for row in phases[2:]] == [
        (side["ref"], each["phase"]) for each in side["phases"]
    ]
    assert phases[2]["separability"] == f"{side['phases'][0]['separability']:.3f}"


def test_the_note_on_intervals_says_records_resamples_and_bins():
    note = intervals_note(mismatch())

    for part in (
        "95 % intervals",
        "1,000 resamples",
        "80 records of a@v0001",
        "1,200 records of b@v0001",
        "the 3 they share",
    ):
        assert part in note
    assert "bins of 0.001" in note


def test_the_command_says_the_same_words_with_space_split_and_n(measured):
    found = mismatch(separability={"low": -0.01, "high": 0.02})
    console = Console(width=200, record=True, file=io.StringIO())
    for line in wording.difficulty_lines(measured.result, found):
        console.print(line)
    said = console.export_text()

    assert "cosine of tfidf" in said and "some@v0001:test" in said and "-0.010 to +0.020" in said
    for side in measured.result["sides"]:
        for words in (f"{side['n_pairs']:,}", f"{side['separability']:.3f}", f"{100 * side['overlap_robust']:.1f} %"):
            assert words in said
    assert "hard of some@v0001:train" in said

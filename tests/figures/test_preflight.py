"""Figures of a preflight: what the bars, the empty bands and the interval stand for."""

from dataclasses import replace

from simtune_core.figures.preflight import coverage_bars, headroom_bars, probe_difference
from simtune_core.figures.style import NEUTRAL
from tests.workflows.preflights import COVERAGE, DETECTABLE, PROBE, TEST, TRAIN


def test_the_baselines_bar_begins_at_a_coins_value_and_the_room_ends_at_one():
    figure = headroom_bars(TRAIN, TEST)

    baseline, room = figure.data
    assert (baseline.name, room.name) == ("baseline", "room above it")
    assert baseline.y == ("test pairs<br>ROC-AUC <b>0.770</b>", "training pairs<br>ROC-AUC <b>0.998</b>")
    assert baseline.base == (0.5, 0.5)
    assert [round(value, 3) for value in baseline.x] == [0.27, 0.498]
    assert [round(value, 3) for value in room.x] == [0.23, 0.002]
    assert figure.layout.xaxis.range == (0.5, 1.0)


def test_a_set_without_a_value_has_no_bar_and_a_graded_one_begins_at_zero():
    figure = headroom_bars(replace(TRAIN, roc_auc=None), replace(TEST, graded=True))

    assert figure.data[0].y == ("test pairs<br>Spearman <b>0.467</b>",)
    assert figure.data[0].base == (0.0,)


def test_bands_without_training_pairs_are_grey_and_crossed_and_named_once():
    figure = coverage_bars(COVERAGE, space="minilm cosine")

    assert [trace.name for trace in figure.data] == ["negative pairs", "not covered", "positive pairs"]
    grey = figure.data[1]
    assert (grey.marker.color, grey.marker.pattern.shape, grey.showlegend) == (NEUTRAL, "x", True)
    assert list(grey.x) == [0.525]
    assert list(grey.y) == [40.0]  # 50 of the 125 test negatives
    assert list(grey.customdata[0]) == [0.5, 0.55, 50, 9]
    assert figure.data[2].marker.pattern.shape == "/"


def test_the_probe_is_a_point_with_its_interval_against_what_can_be_shown():
    figure = probe_difference(PROBE, DETECTABLE)

    inside, test = figure.data
    assert round(inside.x[0], 3) == 0.001
    assert test.x == (0.035,)
    assert [round(test.error_x.array[0], 3), round(test.error_x.arrayminus[0], 3)] == [0.029, 0.028]
    zero, band = figure.layout.shapes
    assert (zero.x0, zero.x1) == (0, 0)
    assert (band.x0, band.x1) == (-0.0325, 0.0325)


def test_without_test_pairs_only_the_held_out_records_are_drawn():
    figure = probe_difference(replace(PROBE, difference=None), None)

    assert [trace.name for trace in figure.data] == ["training records it never saw"]

"""Figures by the traces they hold: names, values, axes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simtune_core.figures.bars import LayerNorm, layer_norms
from simtune_core.figures.cumulative import cumulative_figure, cumulative_shares
from simtune_core.figures.curves import Curve, smoothed, thinned, training_curves
from simtune_core.figures.histograms import (
    ScoreBins,
    SetBins,
    faceted_histogram,
    score_histogram,
    shown_range,
    two_set_histogram,
)
from simtune_core.figures.style import Band, theme_colour

BINS = ScoreBins(np.linspace(0.0, 1.0, 5), np.array([3, 1, 0, 0]), np.array([0, 1, 5, 0]))


def curve(values, name="run", colour=0):
    return Curve(name, np.arange(1.0, len(values) + 1), np.asarray(values, dtype=float), colour)


def test_negative_pairs_come_first_and_positive_ones_are_hatched():
    negative, positive = score_histogram(BINS, thresholds={"threshold": 0.5}).data
    assert (negative.name, positive.name) == ("negative pairs", "positive pairs")
    assert list(negative.x) == [0.125, 0.375, 0.625, 0.875]
    assert list(negative.y) == [3, 1, 0, 0] and list(positive.y) == [0, 1, 5, 0]
    assert (negative.marker.color, positive.marker.color) == (theme_colour(0), theme_colour(1))
    assert negative.marker.pattern.shape is None and positive.marker.pattern.shape == "/"


def test_the_axis_holds_every_pair_and_no_empty_stretch():
    # occupied bins reach from 0 to 0.75; 2 % of 0.75 is 0.015
    assert shown_range(BINS) == pytest.approx((-0.015, 0.765))
    empty = ScoreBins(BINS.edges, np.zeros(4, int), np.zeros(4, int))
    assert shown_range(empty) == (0.0, 1.0)
    assert shown_range(empty, BINS) == shown_range(BINS)


def test_two_sets_of_different_size_are_compared_in_shares():
    double = ScoreBins(BINS.edges, BINS.negative * 2, BINS.positive * 2)
    figure = two_set_histogram(SetBins("train", BINS, (0.25, 0.5)), SetBins("test", double))
    assert [trace.name for trace in figure.data] == ["negative pairs", "positive pairs"] * 2
    np.testing.assert_allclose(figure.data[0].y, [30, 10, 0, 0])  # 3, 1 of 10 pairs, in per cent
    np.testing.assert_allclose(figure.data[2].y, figure.data[0].y)  # the doubled set has the same shares
    assert figure.data[0].marker.color == figure.data[2].marker.color
    assert [shape.x0 for shape in figure.layout.shapes] == [0.25]  # the second set's classes are apart
    assert {"train · 10 pairs", "test · 20 pairs"} <= {note.text for note in figure.layout.annotations}


def test_facets_stand_on_one_axis_from_above_and_the_lowest_names_it():
    figure = faceted_histogram([SetBins(name, BINS) for name in ("easy", "<hard>", "test")], space="cosine of minilm")
    assert [trace.name for trace in figure.data] == ["negative pairs", "positive pairs"] * 3
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False, False, False]
    assert figure.layout.xaxis3.title.text == "cosine of minilm" and figure.layout.xaxis.title.text == ""
    assert "&lt;hard&gt; · 10 pairs" in {note.text for note in figure.layout.annotations}


def test_cumulative_shares_end_at_a_hundred_and_a_class_without_pairs_has_no_line():
    # negatives 3, 1 of 4: 75 % below 0.25, all below 0.5
    np.testing.assert_allclose(cumulative_shares(BINS.negative), [0, 75, 100, 100, 100])
    one_class = ScoreBins(BINS.edges, np.zeros(4, dtype=np.int64), BINS.positive)
    figure = cumulative_figure([SetBins("train", BINS), SetBins("test", one_class)], threshold=0.5)

    assert [trace.name for trace in figure.data] == [
        "train · negative pairs", "train · positive pairs", "test · positive pairs",
    ]  # fmt: skip
    np.testing.assert_allclose(figure.data[0].y, cumulative_shares(BINS.negative))
    assert figure.data[1].line.dash != figure.data[2].line.dash and figure.data[1].line.color == theme_colour(1)
    assert figure.layout.shapes[0].x0 == 0.5


def test_training_curves_are_one_figure_per_quantity_that_has_points():
    figures = training_curves(
        {"loss": [curve([4, 2, 1])], "dev": [curve([0.7, 0.8])], "grad_norm": [curve([])]},
        baseline=0.75,
        phases=[Band(0, 2, "easy")],
        smoothing=0.5,
        revision="run-1",
    )
    assert list(figures) == ["loss", "dev"]
    raw, smooth = figures["loss"].data
    assert (raw.name, smooth.name) == ("run (raw)", "run")
    assert list(raw.y) == [4, 2, 1] and raw.line.color == smooth.line.color
    assert [trace.name for trace in figures["dev"].data] == ["run", "untouched baseline"]
    assert list(figures["dev"].data[1].y) == [0.75, 0.75]
    assert all(figure.layout.uirevision == "run-1" for figure in figures.values())
    assert figures["loss"].layout.shapes[0].x1 == 2


def test_without_smoothing_the_raw_loss_is_the_only_trace():
    assert [trace.name for trace in training_curves({"loss": [curve([1, 2])]}, smoothing=0)["loss"].data] == ["run"]


def test_smoothing_by_hand():
    # weight 1/2: past = 2, then 2/2 + 2/2 = 2; corrected 2 / (1 - 1/2) = 4, 2 / (1 - 1/4) = 8/3; the NaN is passed over
    np.testing.assert_allclose(smoothed([4, np.nan, 2], 0.5), [4, np.nan, 8 / 3])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 0.99))
def test_a_smoothed_value_lies_within_what_was_seen_so_far(values, weight):
    for place, value in enumerate(smoothed(values, weight)):
        seen = values[: place + 1]
        assert min(seen) - 1e-3 <= value <= max(seen) + 1e-3


def test_a_long_curve_is_thinned_to_its_own_points_with_the_extreme_kept():
    values = np.sin(np.arange(20_000) / 50)
    values[12_345] = 9.0
    long = Curve("run", np.arange(20_000.0), values)
    short = thinned(long)
    assert len(short.steps) <= 1500
    assert short.values.max() == 9.0
    np.testing.assert_array_equal(short.values, values[short.steps.astype(int)])
    assert thinned(curve([1, 2])).steps.tolist() == [1, 2]


def test_layer_norms_are_grouped_by_module_and_untouched_layers_are_marked():
    layers = [LayerNorm(layer, module, 0.0 if (layer, module) == (1, "value") else 0.5 + layer)
              for layer in (0, 1) for module in ("query", "value")]  # fmt: skip
    figure = layer_norms(layers)
    assert [trace.name for trace in figure.data] == ["query", "value", "no change at all"]
    assert list(figure.data[1].x) == [0, 1] and list(figure.data[1].y) == [0.5, 0.0]
    assert list(figure.data[2].x) == [1]
    assert len(layer_norms(layers[:2]).data) == 2

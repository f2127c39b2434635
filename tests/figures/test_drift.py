"""Tests of the figure of a drift: its traces and the shares they show."""

import numpy as np

from simtune_core.figures.drift import drift_histogram
from simtune_core.figures.histograms import ScoreBins
from simtune_core.figures.style import NEGATIVE, POSITIVE, theme_colour

EDGES = np.array([0.0, 0.5, 1.0])


def test_each_label_shows_its_children_beside_the_outline_of_what_was_there():
    before = ScoreBins(EDGES, np.array([3, 1]), np.array([0, 4]))
    children = ScoreBins(EDGES, np.array([1, 1]), np.array([1, 3]))

    figure = drift_histogram(before, children, space="cosine of tfidf")

    assert [trace.name for trace in figure.data] == ["negative children", "before", "positive children", "before"]
    assert [list(trace.y) for trace in figure.data] == [[50, 50], [75, 25], [25, 75], [0, 100]]
    colours = [figure.data[place].marker.color for place in (0, 2)]
    assert colours == [theme_colour(NEGATIVE), theme_colour(POSITIVE)]
    assert figure.layout.xaxis2.title.text == "cosine of tfidf"
    titles = [note.text for note in figure.layout.annotations]
    assert titles == ["negative · 4 before, 2 children", "positive · 4 before, 4 children"]


def test_a_label_without_pairs_is_empty_and_no_division_fails():
    bins = ScoreBins(EDGES, np.array([0, 0]), np.array([1, 1]))

    assert list(drift_histogram(bins, bins).data[0].y) == [0, 0]

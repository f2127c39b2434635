"""Figures of maps: classes, colours and places of the traces, and the bars of kept neighbours."""

import numpy as np
import pytest

from simtune_core.figures.maps import Colouring, MapLayer, kept_neighbours, shown_names, side_by_side
from simtune_core.figures.style import NEUTRAL

PLACES = np.arange(16, dtype=np.uint16).reshape(8, 2)
LAYERS = [MapLayer("minilm", PLACES), MapLayer("<b>tuned</b>", PLACES[::-1])]


def classes(codes, names=("a", "b")):
    return Colouring("category", names, np.array(codes, np.int32))


def test_each_class_is_a_trace_of_both_maps_with_one_legend():
    figure = side_by_side(LAYERS, classes([0, 1, 0, 1, 0, 1, 0, 1]))

    assert [trace.name for trace in figure.data] == ["a", "b", "a", "b"]
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False]
    assert [trace.xaxis for trace in figure.data] == ["x", "x", "x2", "x2"]
    assert [trace.marker.color for trace in figure.data[:2]] == ["#000001", "#000002"]
    assert figure.data[1].customdata.tolist() == [1, 3, 5, 7]
    assert figure.data[3].x.tolist() == PLACES[::-1][[1, 3, 5, 7], 0].tolist()
    assert [note.text for note in figure.layout.annotations] == ["minilm", "&lt;b&gt;tuned&lt;/b&gt;"]


def test_what_is_unknown_or_beyond_six_classes_is_grey_and_lies_below():
    codes, names = [0, 1, 2, 3, 4, 5, 6, -1], tuple("abcdefg")
    figure = side_by_side(LAYERS[:1], classes(codes, names))

    assert [trace.name for trace in figure.data] == ["other (1) and unknown", *"abcdef"]
    assert figure.data[0].marker.color == NEUTRAL
    assert figure.data[0].customdata.tolist() == [6, 7]
    assert shown_names(classes(codes, names)) == [trace.name for trace in figure.data]


def test_the_classes_asked_for_are_in_colour_at_most_six_in_their_own_order():
    colouring = classes(range(8), tuple("abcdefgh"))

    assert shown_names(colouring, ["h", "c"]) == ["other (6)", "c", "h"]
    assert shown_names(colouring, list("hgfedcb")) == ["other (2)", *"bcdefg"]


def test_a_number_is_one_trace_a_map_with_one_colour_bar_in_the_themes_colours():
    colouring = Colouring("change", (), np.full(8, -1, np.int32), np.linspace(0, 1, 8, dtype=np.float32))
    figure = side_by_side(LAYERS, colouring)

    assert [trace.marker.showscale for trace in figure.data] == [True, False]
    assert figure.data[0].marker.color == pytest.approx(np.linspace(0, 1, 8))
    assert figure.data[0].marker.colorscale[0] == (0, "#000011")
    assert figure.data[0].marker.colorscale[-1] == (1, "#000020")
    assert shown_names(colouring) == []
    assert colouring.differs


def test_one_class_does_not_differ_and_a_markup_name_is_text():
    assert not classes([0] * 8, ("a",)).differs
    assert not classes([0] * 8).differs
    figure = side_by_side(LAYERS[:1], classes([0, 1] * 4, ("<i>x</i>", "y")))
    assert figure.data[0].name == "&lt;i&gt;x&lt;/i&gt;"


def test_bars_of_kept_neighbours_begin_at_none():
    figure = kept_neighbours([5, 0, 2], what="pairs")

    assert figure.data[0].x == (0, 1, 2)
    assert figure.data[0].y == (5, 0, 2)
    assert "2 nearest" in figure.layout.xaxis.title.text
    assert figure.layout.yaxis.title.text == "pairs"

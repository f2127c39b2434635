"""The figure of two compared sets by the traces it holds."""

import numpy as np

from simtune_core.figures.comparing import Facet, comparison_figure
from simtune_core.figures.histograms import ScoreBins
from simtune_core.figures.style import theme_colour

EDGES = np.linspace(0.0, 1.0, 5)
LEFT = ScoreBins(EDGES, np.array([3, 1, 0, 0]), np.array([0, 1, 5, 0]))
RIGHT = ScoreBins(EDGES, np.array([0, 2, 0, 0]), np.array([0, 0, 1, 1]))


def test_a_facet_has_an_outline_for_each_class_of_each_set_in_shares_of_the_set():
    figure = comparison_figure([Facet("easy", (LEFT, RIGHT))], ("one", "<two>"))

    assert [trace.name for trace in figure.data] == [
        "negative · one", "positive · one", "negative · &lt;two&gt;", "positive · &lt;two&gt;",
    ]  # fmt: skip
    np.testing.assert_allclose(figure.data[0].y, [30, 10, 0, 0, 0])  # 3, 1 of 10 pairs; the last step's end once more
    np.testing.assert_allclose(figure.data[3].y, [0, 0, 25, 25, 25])  # 1, 1 of 4
    assert list(figure.data[0].x) == list(EDGES)
    assert [trace.line.dash for trace in figure.data] == ["solid", "solid", "dot", "dot"]
    assert [trace.line.color for trace in figure.data] == [theme_colour(0), theme_colour(1)] * 2


def test_a_set_without_the_phase_has_no_outline_there_but_its_place_in_the_legend():
    figure = comparison_figure([Facet("hard", (None, RIGHT)), Facet("last", (LEFT, None))], ("one", "two"))

    assert [trace.showlegend for trace in figure.data] == [True] * 4 + [False] * 2
    assert [trace.y[0] for trace in figure.data[:2]] == [None, None]
    assert [trace.legendgroup for trace in figure.data[4:]] == ["negative one", "positive one"]


def test_from_the_fourth_facet_on_there_are_two_columns():
    three, four = (comparison_figure([Facet(f"p{n}", (LEFT, RIGHT)) for n in range(k)], ("a", "b")) for k in (3, 4))

    assert three.layout.xaxis.domain == (0.0, 1.0)
    assert four.layout.xaxis.domain[1] < 0.5
    assert {"p0", "p3"} <= {note.text for note in four.layout.annotations}

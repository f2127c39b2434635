"""The figure of a planned curriculum: what there is on top, a row for each phase, the test's outlines in each."""

import numpy as np
import plotly.graph_objects as go

from simtune_core.figures.curriculum import LINES_PER_PHASE, PhaseBars, curriculum_figure
from simtune_core.figures.histograms import ScoreBins

EDGES = np.array([0.2, 0.3, 0.4, 0.5, 0.6])
POOL = ScoreBins(EDGES, np.array([1000, 100, 0, 0]), np.array([10, 20, 30, 0]))
EASY = PhaseBars(
    "easy", ScoreBins(EDGES, np.array([6, 0, 0, 0]), np.array([0, 0, 2, 0])), (0.4, 1.0), (0.2, 0.3), "8 pairs"
)
HARD = PhaseBars("hard<b>", ScoreBins(EDGES, np.array([0, 1, 0, 0]), np.array([0, 0, 1, 0])), (0.3, 1.0), (0.2, 0.5))
TEST = ScoreBins(EDGES, np.array([3, 1, 0, 0]), np.array([0, 2, 2, 0]))


def drawn(*phases, test=TEST):
    return go.Figure(curriculum_figure(POOL, phases, test, space="TF-IDF cosine"))  # refuses what is no figure


def test_candidates_stand_on_top_on_a_logarithmic_axis_without_empty_bins():
    figure = drawn(EASY, HARD)
    assert [trace.name for trace in figure.data[:2]] == ["negative candidates", "positive candidates"]
    assert figure.data[0].y == (1000, 100, None, None)
    assert figure.layout.yaxis.type == "log"
    assert figure.data[0].x0 == 0.25 and figure.data[0].dx == 0.1


def test_every_phase_is_a_row_of_shares_beside_the_test_pairs():
    figure = drawn(EASY, HARD)
    row = [trace for trace in figure.data if trace.yaxis == "y2"]
    assert [trace.name for trace in row] == ["planned negative", "planned positive", "test negative", "test positive"]
    assert row[0].y == (75.0, 0.0, None, None)  # 6 of 8 pairs
    assert row[1].y == (None, 0.0, 25.0, 0.0)
    assert row[2].y == (37.5, 12.5, 0.0, None)  # 3 and 1 of 8 test pairs
    assert [trace.showlegend for trace in figure.data if trace.yaxis == "y3"] == [False] * 4
    tops = [figure.layout[name].domain[0] for name in ("yaxis", "yaxis2", "yaxis3")]
    assert tops == sorted(tops, reverse=True) and len(set(tops)) == 3


def test_the_ends_of_the_bands_are_lines_that_can_be_dragged_in_the_order_of_the_settings():
    figure = drawn(EASY, HARD)
    lines = [(line.x0, line.yref) for line in figure.layout.shapes]
    assert lines[:LINES_PER_PHASE] == [(0.4, "y2 domain"), (1.0, "y2 domain"), (0.2, "y2 domain"), (0.3, "y2 domain")]
    assert lines[LINES_PER_PHASE:] == [(0.3, "y3 domain"), (1.0, "y3 domain"), (0.2, "y3 domain"), (0.5, "y3 domain")]
    assert all(line.editable for line in figure.layout.shapes)


def test_names_are_text_and_no_test_set_means_no_outline():
    figure = drawn(EASY, HARD, test=None)
    assert [note.text for note in figure.layout.annotations] == ["<b>easy</b> 8 pairs", "<b>hard&lt;b&gt;</b> "]
    assert not [trace for trace in figure.data if trace.name.startswith("test")]


def test_colours_are_marks_of_the_theme():
    text = str(curriculum_figure(POOL, [EASY], TEST, space="cosine"))
    assert "#000001" in text and "#000002" in text

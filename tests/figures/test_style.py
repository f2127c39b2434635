"""The look shared by all figures, on screen and exported."""

import plotly.graph_objects as go
import pytest
from streamlit.elements.lib import streamlit_plotly_theme

from simtune_core.figures.style import (
    CATEGORY,
    NEUTRAL,
    Band,
    finish,
    for_export,
    phase_bands,
    plain,
    theme_colour,
    threshold_line,
)


@pytest.mark.parametrize("place", range(6))
def test_theme_colours_are_the_marks_that_streamlit_replaces(place):
    assert theme_colour(place) == getattr(streamlit_plotly_theme, f"CATEGORY_{place}")


def test_beyond_six_curves_are_grey():
    assert theme_colour(6) == NEUTRAL


def test_finishing_a_figure_keeps_zoom_by_subject_and_titles_the_axes():
    figure = finish(go.Figure(), x="cosine similarity", y="pairs", height=300, revision="run-1")
    assert figure.layout.uirevision == "run-1"
    assert figure.layout.xaxis.title.text == "cosine similarity"
    assert figure.layout.yaxis.title.text == "pairs"
    assert figure.layout.height == 300


def test_a_threshold_is_a_dashed_line_with_name_and_value():
    figure = threshold_line(go.Figure(), 0.475, "chosen on dev")
    line = figure.layout.shapes[0]
    assert (line.x0, line.x1, line.line.dash, line.line.color) == (0.475, 0.475, "dash", NEUTRAL)
    assert figure.layout.annotations[0].text == "chosen on dev 0.47"


def test_phases_are_shaded_in_three_strengths_and_named():
    bands = [Band(0, 400, "easy"), Band(400, 800, "medium"), Band(800, 1200, "hard")]
    figure = phase_bands(go.Figure(), bands)
    assert [(shape.x0, shape.x1, shape.opacity) for shape in figure.layout.shapes] == [
        (0, 400, 0.06),
        (400, 800, 0.12),
        (800, 1200, 0.18),
    ]
    assert [note.text for note in figure.layout.annotations] == ["easy", "medium", "hard"]


def test_text_of_others_cannot_be_markup():
    assert plain("<b>a</b> & b") == "&lt;b&gt;a&lt;/b&gt; &amp; b"
    assert len(plain("x" * 500)) == 200


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_an_exported_figure_has_the_palette_and_no_placeholder(mode):
    figure = go.Figure(go.Bar(x=[1], y=[2], marker={"color": theme_colour(1)}))
    exported = for_export(figure, mode)
    assert exported.data[0].marker.color == CATEGORY[mode][1]
    assert exported.layout.template.layout.colorway == CATEGORY[mode]
    assert "#00000" not in exported.to_json()
    assert figure.data[0].marker.color == theme_colour(1)  # the figure on screen is untouched

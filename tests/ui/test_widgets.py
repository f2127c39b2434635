"""Widgets drawn from settings, and pickers."""

from streamlit.testing.v1 import AppTest

SETTINGS = """
from typing import Literal
import streamlit as st
from pydantic import Field
from simtune_core.settings import Settings
from ui.widgets import field_for, pick_one

class Recipe(Settings):
    min_score: float = Field(0.3, ge=-1.0, le=1.0, description="Least cosine.")
    learning_rate: float = Field(5e-4, gt=0.0, le=1.0, description="Peak rate.")
    r: int = Field(16, ge=1, le=256, description="Rank.")
    shuffle: bool = Field(True, description="In random order.")
    loss: Literal["cosine_similarity", "CoSENT", "MultipleNegativesRanking", "AnglE", "focal"] = "CoSENT"
    order: Literal["easy_first", "hard_only"] = "easy_first"
    target_modules: tuple[str, ...] = ("query", "value")
"""


def opened(body, **state):
    app = AppTest.from_string(SETTINGS + body, default_timeout=30)
    for name, value in state.items():
        app.session_state[name] = value
    app.run()
    assert not app.exception
    return app


def test_a_slider_has_default_bounds_and_help_of_its_field():
    slider = opened('field_for(Recipe, "min_score")').slider[0]
    assert (slider.value, slider.min, slider.max, slider.step) == (0.3, -1.0, 1.0, 0.01)
    assert (slider.label, slider.help, slider.key) == ("Min score", "Least cosine.", "config.Recipe.min_score")


def test_a_small_rate_is_a_number_box_that_steps_by_a_tenth():
    box = opened('from ui.widgets import number_for\nnumber_for(Recipe, "learning_rate")').number_input[0]
    assert (box.value, box.min, box.max) == (5e-4, 0.0, 1.0)
    assert abs(box.step - 5e-5) < 1e-12


def test_a_whole_number_stays_whole():
    app = opened('st.text(repr(field_for(Recipe, "r")))')
    assert app.text[0].value == "16"
    assert app.number_input[0].label == "r"
    app.number_input[0].set_value(32).run()
    assert app.text[0].value == "32"


def test_a_choice_of_many_is_a_list_and_of_few_is_buttons():
    app = opened('st.text(field_for(Recipe, "loss") + " " + field_for(Recipe, "order"))')
    assert app.selectbox[0].value == "CoSENT"
    assert app.selectbox[0].options == [
        "Cosine similarity", "CoSENT", "MultipleNegativesRanking", "AnglE", "focal".capitalize(),
    ]  # fmt: skip
    assert app.text[0].value == "CoSENT easy_first"


def test_a_list_of_names_is_typed_with_commas():
    app = opened('st.text(repr(field_for(Recipe, "target_modules")))')
    app.text_input[0].set_value("query, key ,dense").run()
    assert app.text[0].value == "('query', 'key', 'dense')"


def test_a_switch_draws_a_yes_or_no_setting():
    assert opened('field_for(Recipe, "shuffle")').toggle[0].value is True


def test_two_scopes_draw_one_setting_twice():
    app = opened('field_for(Recipe, "min_score", scope="a")\nfield_for(Recipe, "min_score", scope="b")')
    assert [slider.key for slider in app.slider] == ["a.Recipe.min_score", "b.Recipe.min_score"]


def test_the_picker_takes_its_default_and_shows_none_where_nothing_is():
    app = opened(
        'st.text(str(pick_one("Set", ["a", "b"], key="p.set", default="b")))\n'
        'st.text(str(pick_one("Run", [], key="p.run")))'
    )
    assert [text.value for text in app.text] == ["b", "None"]
    assert app.selectbox[1].disabled


def test_a_choice_that_has_vanished_falls_back_to_the_default():
    app = opened('st.text(str(pick_one("Set", ["a", "b"], key="p.set")))', **{"p.set": "gone"})
    assert app.text[0].value == "a"


def test_an_address_chooses_in_the_pickers():
    app = AppTest.from_string(SETTINGS + 'st.text(str(pick_one("Set", ["a", "b"], key="p.set")))', default_timeout=30)
    app.query_params["p.set"] = "b"
    app.run()
    assert app.text[0].value == "b"


def test_a_slider_with_two_ends_has_defaults_and_helps_of_both_fields_and_gives_whole_steps():
    body = """
class Band(Settings):
    pos_min: float = Field(0.5, ge=-1.0, le=1.0, description="From here.")
    pos_max: float = Field(1.0, ge=-1.0, le=1.0, description="To here.")

st.text(repr(range_for(Band, "pos_min", "pos_max", label="positives", within=(0, 1))))
"""
    app = opened(body.replace("class Band", "from ui.widgets import range_for\nclass Band"))
    slider = app.slider[0]
    assert (slider.value, slider.min, slider.max, slider.step) == ((0.5, 1.0), 0.0, 1.0, 0.01)
    assert (slider.label, slider.help, slider.key) == (
        "positives",
        "From here. To here.",
        "config.Band.pos_min-pos_max",
    )
    slider.set_value((0.1 + 0.2, 0.7)).run()
    assert app.text[0].value == "(0.3, 0.7)"


def test_a_number_that_may_be_missing_has_an_empty_box():
    body = """
class Phase(Settings):
    separability: float | None = Field(None, ge=-2.0, le=2.0, description="Wanted.")

from ui.widgets import number_for
st.text(repr(number_for(Phase, "separability")))
"""
    app = opened(body)
    assert app.number_input[0].value is None and app.text[0].value == "None"
    app.number_input[0].set_value(0.37).run()
    assert app.text[0].value == "0.37"

"""The panel that augments a pair set: what is shown is what is made, drift beside it, contradictions as sentences."""

import pytest
from streamlit.testing.v1 import AppTest

from simtune_core.curriculum.augmentation.config import AugmentConfig
from simtune_core.datasets import load_details, load_pairs, save_pairs
from simtune_core.encoders.config import EncodingConfig
from simtune_core.workflows.augmenting import augment_request, drift_rows
from simtune_core.workflows.running import run_to_end
from simtune_core.workspace import VARIABLE
from tests.curriculum.augmentation.sets import frame_of
from ui.keys import CURRICULUM_NEXT, config_key

CELLS = {("easy", 1): 8, ("easy", 0): 8, ("hard", 1): 8, ("hard", 0): 8}


def page():
    from ui.curriculum_augment import augment_panel

    augment_panel("some")


@pytest.fixture
def opened(workspace, monkeypatch):
    """Return the panel of a set of 32 pairs in two phases."""
    monkeypatch.setenv(VARIABLE, str(workspace.root))
    save_pairs(workspace, "some", frame_of(CELLS), provenance={})
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    return app


def held(name):
    return config_key(AugmentConfig, name, "augment")


def lines(app):
    return " ".join(each.value for each in (*app.markdown, *app.caption))


def test_sliders_say_at_once_how_many_pairs_there_will_be(opened):
    assert "**32 pairs → at most 128**: 32 get up to 3 children each." in lines(opened)

    opened.slider(key=held("n_children")).set_value(5)
    opened.slider(key=held("share")).set_value(0.5).run()
    assert "**32 pairs → at most 112**: 16 get up to 5 children each." in lines(opened)


def test_shares_are_said_to_drift_where_one_label_alone_gets_children(opened):
    assert any(each.key == held("keep_shares") for each in opened.toggle)

    opened.segmented_control(key=held("labels")).set_value("positive").run()
    assert not opened.exception
    assert "Shares will drift" in lines(opened)
    assert not any(each.key == held("keep_shares") for each in opened.toggle)
    assert "16 get up to 3 children each" in lines(opened)


def test_no_operation_and_a_taken_name_are_sentences(opened):
    opened.text_input[-1].set_value("some").run()
    assert "'some' is taken" in opened.code[0].value

    opened.get("button_group")[0].set_value([]).run()
    assert not opened.exception
    assert "At least one operation must be chosen" in opened.code[0].value


def test_rolling_again_takes_the_next_seed(opened):
    assert "Seed 0" in lines(opened)
    next(button for button in opened.button if button.label == "Roll again").click().run()

    assert opened.session_state[held("seed")] == 1
    assert "Seed 1" in lines(opened)


def test_a_press_makes_the_set_and_shows_its_drift(opened, workspace):
    next(button for button in opened.button if button.label == "Augment").click().run()
    request = augment_request(
        workspace, "some", AugmentConfig(), name="some_augmented", encodings=[EncodingConfig(encoder="tfidf")]
    )
    _, result = run_to_end(workspace, request)  # the job that the press started: equal work is done once
    opened.run()

    assert not opened.exception
    made = load_pairs(workspace, "some_augmented").frame
    assert opened.subheader[0].value == f"some\\_augmented@v0001: {len(made)} pairs, {len(made) - 32} of them new"
    assert load_details(workspace, "some_augmented")["change"].notna().sum() == len(made) - 32
    assert opened.dataframe[0].value.to_dict("records") == drift_rows(result)
    next(button for button in opened.button if button.label == "Go on with the new set").click().run()
    assert opened.session_state[CURRICULUM_NEXT] == "some_augmented"  # as the list of sets names it

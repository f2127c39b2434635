"""The panel that compares two pair sets: at once where both were cut in one space, else after one press."""

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from simtune_core.datasets import save_pairs
from simtune_core.workflows.comparing import compare, number_lines
from simtune_core.workspace import VARIABLE
from tests.measured import phased_pairs

STEP = {"do": "curriculum", "records": "r@v0001", "encoder": "tfidf", "test": None, "apart": []}
WEAK = {"weak": True, "words": "positive = same category"}


def page():
    import streamlit as st

    from ui.curriculum_compare import compare_panel

    compare_panel(st.session_state["ref"])


@pytest.fixture
def opened(workspace, monkeypatch):
    """Return a function that draws the panel for a set."""
    monkeypatch.setenv(VARIABLE, str(workspace.root))

    def run(ref):
        app = AppTest.from_function(page, default_timeout=60)
        app.session_state["ref"] = ref
        app.run()
        assert not app.exception
        return app

    return run


def cut(workspace, name, n, *, step=STEP, labels=None):
    frame = phased_pairs(n, n)
    details = pd.DataFrame({"similarity": [row / n for row in range(n)]})
    told = {"made_by": "curriculum", "step": step | {"config": {"seed": n}}, "labels": labels}
    save_pairs(workspace, name, frame, provenance=told, details=details)


def test_sets_cut_in_one_space_are_shown_at_once_with_their_marks(workspace, opened):
    cut(workspace, "left", 50)
    cut(workspace, "right", 60, labels=WEAK)
    app = opened("left")

    assert [button.label for button in app.button] == []
    expected = number_lines(compare(workspace, "left", "right").comparison)
    assert app.dataframe[0].value.to_dict("records") == expected
    assert [line.value.count("right") for line in app.markdown if "weak labels" in line.value] == [1]
    figure = app.get("plotly_chart")[0].proto
    assert figure.alt.startswith("Similarity of positive and negative pairs of left@v0001 and right@v0001")


def test_sets_of_two_spaces_are_scored_by_a_press(workspace, opened):
    cut(workspace, "left", 50)
    cut(workspace, "right", 60, step=STEP | {"records": "other@v0001"})
    app = opened("left")

    assert ([button.label for button in app.button], len(app.dataframe)) == (["Compare"], 0)


def test_alone_there_is_nothing_to_compare_with(workspace, opened):
    save_pairs(workspace, "only", phased_pairs(20).drop(columns="split"), provenance={})

    assert "no other pair set" in opened("only").caption[0].value


def test_a_set_that_is_gone_is_a_sentence(opened):
    assert "There is no dataset 'gone'" in opened("gone").code[0].value

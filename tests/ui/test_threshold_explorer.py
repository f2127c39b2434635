"""The explorer's memory: what the page gets, what is kept, what moves it."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from simtune_core.evaluation.thresholds import threshold_table
from simtune_core.figures.histograms import ScoreBins
from ui.threshold_explorer import ExplorerModel, threshold_explorer

APP = """
import numpy as np
import streamlit as st
from simtune_core.evaluation.thresholds import threshold_table
from simtune_core.figures.histograms import ScoreBins
from ui.threshold_explorer import ExplorerModel, threshold_explorer

def model(name, chosen=None):
    scores, labels = np.array([0.1, 0.4, 0.6, 0.9]), np.array([0, 1, 0, 1])
    curve = threshold_table(scores, labels).confusions_at(np.linspace(0, 1, 201))
    edges = np.linspace(0, 1, 11)
    bins = ScoreBins(edges, np.histogram(scores[labels == 0], edges)[0], np.histogram(scores[labels == 1], edges)[0])
    return ExplorerModel(name, curve, bins, chosen=chosen)

shown = [model("base", 0.3), model("head", 0.6)]
if st.session_state.get("visible", True):
    state = threshold_explorer(
        shown, index=st.session_state.get("asked", 100), key="p.te", shared=st.session_state.get("shared", True)
    )
    st.text(repr((state.index, state.cell, state.model, state.indices)))
"""


def opened(**state):
    app = AppTest.from_string(APP, default_timeout=30)
    for name, value in state.items():
        app.session_state[name] = value
    return rerun(app)


def rerun(app):
    app.run()
    assert not app.exception
    return app


def shown(app):
    return eval(app.text[0].value)


def test_it_starts_where_the_page_asks():
    assert shown(opened()) == (100, None, None, {"base": 100, "head": 100})


def test_a_move_is_kept_over_reruns_and_over_a_visit_to_another_page():
    app = opened()
    app.session_state["p.te"] = {"index": {"of": {"base": 150, "head": 150}, "at": 1}}
    assert shown(rerun(app))[0] == 150
    assert shown(rerun(app))[0] == 150
    app.session_state["visible"] = False
    rerun(app)
    app.session_state["visible"] = True
    assert shown(rerun(app))[0] == 150


def test_one_number_moves_all_models():
    assert shown(opened(**{"p.te": {"index": 90}})) == (90, None, None, {"base": 90, "head": 90})


def test_another_threshold_asked_by_the_page_takes_over():
    app = opened()
    app.session_state["p.te"] = {"index": {"of": {"base": 150, "head": 150}, "at": 1}}
    rerun(app)
    app.session_state["asked"] = 60
    assert shown(rerun(app))[0] == 60


def test_each_model_starts_at_its_own_dev_threshold_where_thresholds_are_not_shared():
    app = opened(shared=False)  # 0.3 and 0.6 in steps of 0.005
    assert shown(app)[3] == {"base": 60, "head": 120}
    app.session_state["p.te"] = {"index": {"of": {"base": 60, "head": 130}, "at": 1}}
    assert shown(rerun(app))[3] == {"base": 60, "head": 130}


def test_a_clicked_cell_is_told_with_its_model():
    app = opened(**{"p.te": {"cell": {"model": "head", "cell": "fp", "at": 1}}})
    assert shown(app)[1:3] == ("fp", "head")


@pytest.mark.parametrize("clicked", [{"model": "gone", "cell": "fp"}, {"model": "head", "cell": "xx"}])
def test_a_cell_of_a_model_that_is_gone_is_none(clicked):
    assert shown(opened(**{"p.te": {"cell": clicked}}))[1:3] == (None, None)


def test_places_beyond_the_thresholds_are_brought_back():
    assert shown(opened(**{"p.te": {"index": 999}}))[0] == 200


@pytest.mark.parametrize("names", [[], ["a", "a"], ["a", "b", "c", "d", "e"]])
def test_no_models_too_many_and_two_of_one_name_are_refused(names):
    with pytest.raises(ValueError, match="one to 4 models of different names"):
        threshold_explorer([model(name) for name in names], index=0, key="p.te")


def test_models_counted_at_different_thresholds_are_refused():
    with pytest.raises(ValueError, match="at the same thresholds"):
        threshold_explorer([model("a"), model("b", n_thresholds=101)], index=0, key="p.te")


def model(name, n_thresholds=201):
    curve = threshold_table(np.array([0.1, 0.9]), np.array([0, 1])).confusions_at(np.linspace(0, 1, n_thresholds))
    return ExplorerModel(name, curve, ScoreBins(np.linspace(0, 1, 3), np.array([1, 0]), np.array([0, 1])))

"""Tests of the training parts: names out of the data stay text in a caption."""

from streamlit.testing.v1 import AppTest

from simtune_core.workspace import open_workspace
from ui.reading import reader_of

SCRIPT = """
from pathlib import Path
import numpy as np
from simtune_core.jobs.states import JobStatus
from simtune_core.workflows.runs import RunView, Series
from ui.training import _curves

params = {"method": "lora", "dev": "some@v0001:![x](//example.invalid/y.png)", "config": {}}
unknown = [None] * 5
job = JobStatus("j", "train", "t", params, "running", 0.0, 0.0, *unknown, "", None, "", (), Path("."))
series = {"dev_roc_auc": Series(np.array([0, 5]), np.array([0.5, 0.6]), 0)}
_curves(job, RunView(series, (), {}, (), 0), 0.5)
"""


def test_a_hostile_split_name_is_no_picture_in_the_caption_of_the_dev_curve():
    app = AppTest.from_string(SCRIPT, default_timeout=30).run()

    assert not app.exception
    (caption,) = [item.value for item in app.caption if "dev_roc_auc" in item.value.replace("\\", "")]
    assert "![x](" not in caption
    assert "at most 500 pairs" in caption


REMOVED = """
import shutil
import streamlit as st
from simtune_core.jobs.context import Job
from simtune_core.workspace import open_workspace
from ui.reading import reader_of
from ui.training import _live

workspace = open_workspace({root!r})
folder = workspace.job("gone")
if "seen" not in st.session_state:
    with Job(folder, workspace) as job:
        job.metric("loss", 1.0, step=1)
    st.session_state["seen"] = len(reader_of(workspace, "gone").look(workspace).series["loss"].steps)
    shutil.rmtree(folder)
_live(workspace, "gone", 0.5)
st.text("the rest of the page")
"""


def test_a_run_whose_folder_is_removed_while_it_is_shown_is_told_in_a_sentence(tmp_path):
    app = AppTest.from_string(REMOVED.format(root=str(tmp_path)), default_timeout=30).run()
    assert not app.exception
    assert app.session_state["seen"] == 1
    assert [warning.value for warning in app.warning] == [
        "The folder of this run was removed. Other runs are not affected; choose one of them above."
    ]
    assert [text.value for text in app.text] == ["the rest of the page"]


def test_two_sessions_share_the_reader_of_a_run(tmp_path):
    workspace = open_workspace(tmp_path)
    assert reader_of(workspace, "one") is reader_of(workspace, "one")
    assert reader_of(workspace, "one") is not reader_of(workspace, "two")
    assert reader_of(workspace, "one") is not reader_of(open_workspace(tmp_path / "other"), "one")

"""Tests of the training parts: names out of the data stay text in a caption."""

from streamlit.testing.v1 import AppTest

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

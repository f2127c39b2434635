"""The forms that divide a dataset, export it and take in an encoder, each on a page of its own."""

import io
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simtune_core.datasets import find_dataset, save_pairs, save_records
from simtune_core.encoders.catalogue import list_encoders
from simtune_core.jobs.context import Job
from simtune_core.preparing.splitting import SplitConfig
from simtune_core.preparing.splitting_job import run
from simtune_core.workflows.preparing import split_request
from simtune_core.workspace import VARIABLE
from tests.pages.screen import alts, ended, words
from tests.workflows.frames import pairs_frame

HOSTILE = "![x](http://evil/x.png)"


def divide_page():
    from ui.session import current_workspace
    from ui.splitting import split_form

    split_form(current_workspace(), "some")


def export_page():
    from ui.exporting import export_panel
    from ui.session import current_workspace

    export_panel(current_workspace(), "some")


def encoder_page():
    from ui.imported_encoder import imported_encoder_form

    imported_encoder_form()


@pytest.fixture
def shown(workspace, monkeypatch):
    """Return a function that draws one of the pages above on the test's workspace."""
    from streamlit.testing.v1 import AppTest

    monkeypatch.setenv(VARIABLE, str(workspace.root))
    return lambda page: AppTest.from_function(page, default_timeout=60).run()


def pressed(app, label):
    (button,) = [button for button in app.button if button.label == label]
    return button.click().run()


def test_a_pair_set_is_divided_and_the_result_is_told(workspace, shown):
    save_pairs(workspace, "some", pairs_frame(100), provenance={})
    app = pressed(shown(divide_page), "Divide")
    (job,) = ended(workspace)

    assert job.state == "done", job.cause
    app.run()
    assert "some@v0002 was divided from some@v0001, by connected component, seed 42, stratified." in words(app)
    assert "100 pairs of" in words(app)
    assert any(alt.startswith("Splits with rows, shares, components and categories: train 8") for alt in alts(app))
    assert find_dataset(workspace, "some")[0].splits.keys() == {"train", "dev", "test"}


def test_shares_that_leave_nothing_to_train_on_are_a_sentence_and_the_page_goes_on(workspace, shown):
    save_pairs(workspace, "some", pairs_frame(20), provenance={})
    app = shown(divide_page)
    for slider in app.slider[:2]:
        slider.set_value(0.7)
    app.run()

    assert not app.exception
    assert "train: input should be greater than or equal to 0" in words(app)
    assert not [button for button in app.button if button.label == "Divide"]


def test_a_split_by_time_is_offered_where_there_are_times_only(workspace, shown):
    frame = pd.DataFrame({"id": list("abcd"), "text": ["vpn", "mail", "screen", "sound"]})
    save_records(workspace, "some", frame, provenance={})
    assert not shown(divide_page).segmented_control

    times = frame.assign(time=[f"2024-01-0{day}" for day in range(1, 5)])
    save_records(workspace, "some", times, provenance={}, new_version=True)
    (control,) = shown(divide_page).segmented_control
    assert list(control.options) == ["Components", "Time"]


def test_a_divided_set_shows_its_split_and_divides_anew_on_demand(workspace, shown):
    save_pairs(workspace, "some", pairs_frame(100), provenance={"made_by": "import", "source": HOSTILE})
    request = split_request(workspace, "some", SplitConfig(near_duplicates=False))
    with Job(workspace.jobs / "split", workspace) as job:
        run(request.params, job)
    shutil.rmtree(workspace.jobs / "split")
    app = shown(divide_page)

    assert not app.exception
    assert "near-duplicates apart" in words(app)
    assert not app.slider
    assert len(app.toggle[0].set_value(True).run().slider) >= 2


def test_every_format_has_its_button(workspace, shown):
    save_pairs(workspace, "some", pairs_frame(10), provenance={})
    labels = [button.proto.label for button in shown(export_page).get("download_button")]
    assert labels == ["CSV", "Parquet", "JSON Lines", "Hugging Face dataset"]


def test_vectors_are_taken_in_as_an_encoder(workspace, shown):
    held = io.BytesIO()
    vectors = pa.array(list(np.eye(3, dtype=np.float32)), pa.list_(pa.float32()))
    pq.write_table(pa.table({HOSTILE: ["a", "b", "c"], "text": ["x", "y", "z"], "v": vectors}), held)
    app = shown(encoder_page)
    app.get("file_uploader")[0].set_value(("ada.parquet", held.getvalue(), "application/octet-stream")).run()

    assert [box.value for box in app.selectbox] == ["v", "text"]
    app.text_input[0].set_value("ada").run()
    pressed(app, "Take it in")
    (job,) = ended(workspace)
    assert job.state == "done", job.cause
    assert list_encoders(workspace) == ["minilm", "tfidf", "ada"]
    assert not list((workspace.data / "uploads").iterdir())
    (there,) = shown(encoder_page).dataframe
    assert there.value.iloc[0].tolist() == ["ada", "vectors of texts", 3, 3, "[-1, 1]", "ada.parquet"]

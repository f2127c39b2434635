"""The quality panel: pairs decided one by one are kept in the draft, undone, saved; texts of data stay text."""

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from simtune_core.curriculum.quality.drafts import read_draft
from simtune_core.datasets import list_versions, load_pairs, save_pairs
from simtune_core.workflows.quality import add_edits, edits_of_rows
from simtune_core.workspace import CHECKOUT, VARIABLE
from ui.menu import PAGES

APP = """
import streamlit as st
from ui.curriculum_quality import quality_panel

def panel():
    st.title("Curriculum")
    quality_panel("some")

st.navigation([st.Page(panel, title="Panel", default=True), *(st.Page(file) for file in {files!r})]).run()
"""
HOSTILE = "**bold** ![x](http://outside.example/x.png) <script>alert(1)</script>"
FRAME = pd.DataFrame({"sentence1": ["short", "longer text", HOSTILE], "sentence2": ["x", "y", "z"], "label": [1, 0, 1]})


@pytest.fixture
def panel(workspace, tmp_path, monkeypatch):
    """Return the panel of a set of three pairs, the longest texts first, as an app that was run once."""
    save_pairs(workspace, "some", FRAME, provenance={})
    monkeypatch.setenv(VARIABLE, str(workspace.root))
    monkeypatch.syspath_prepend(str(CHECKOUT))
    (tmp_path / "pages").symlink_to(CHECKOUT / "pages")
    script = tmp_path / "panel.py"
    script.write_text(APP.format(files=[entry.file for entry in PAGES]), encoding="utf-8")
    app = AppTest.from_file(str(script), default_timeout=60)
    app.session_state["curriculum.look_view"] = "One by one"
    return app.run()


def facts(app):
    return app.text[0].value


def press(app, name):
    app = app.button(key=f"curriculum.{name}").click().run()
    assert not app.exception
    return app


def test_every_text_of_data_is_text(panel):
    assert not panel.exception
    assert facts(panel) == "row 3 · labelled similar"
    drawn = [each.value for kind in ("markdown", "caption", "success", "info") for each in panel.get(kind)]
    assert not any("outside.example" in value for value in drawn)


def test_every_press_is_kept_at_once_and_brings_the_next_pair(panel, workspace):
    app = press(panel, "one_remove")
    assert facts(app).startswith("row 2")
    app = press(app, "one_relabel")
    assert facts(app).startswith("row 1")
    app = press(app, "one_keep")

    expected = edits_of_rows(workspace, "some", drop=[3], relabel={2: 1})
    assert read_draft(workspace, "some").edits == expected
    assert any("Every pair that fits the filters is decided" in each.value for each in app.success)
    assert any("2 edits to save" in each.value and "1 looked at and kept" in each.value for each in app.markdown)

    app = press(app, "look_back")
    assert facts(app).startswith("row 1")
    app = press(app, "look_back")
    assert facts(app).startswith("row 2")
    assert read_draft(workspace, "some").edits == expected[:1]


def test_a_reload_finds_the_draft_and_saving_it_makes_the_next_version(panel, workspace):
    add_edits(workspace, "some", edits_of_rows(workspace, "some", drop=[3]))
    panel.session_state["curriculum.edit_form"] = True
    app = panel.run()

    assert any("1 pair removed and 0 relabelled by hand. 2 pairs stay." in each.value for each in app.markdown)
    app = press(app, "edit_save")

    assert [version.version for version in list_versions(workspace, "some")] == ["v0001", "v0002"]
    assert load_pairs(workspace, "some").frame["sentence1"].tolist() == ["short", "longer text"]
    assert read_draft(workspace, "some@v0001").presses == ()
    assert app.session_state["curriculum.next"] == "some"
    assert [each.value for each in app.success] == ["Saved as some@v0002."]


def test_a_draft_can_be_thrown_away(panel, workspace):
    add_edits(workspace, "some", edits_of_rows(workspace, "some", drop=[3]))
    app = press(panel.run(), "edit_discard_yes")

    assert read_draft(workspace, "some").presses == ()
    assert any("Nothing is removed or relabelled yet" in each.value for each in app.caption)


def test_nothing_is_saved_that_would_leave_no_pair(panel, workspace):
    add_edits(workspace, "some", edits_of_rows(workspace, "some", drop=[1, 2, 3]))
    panel.session_state["curriculum.edit_form"] = True
    app = panel.run()

    assert any("must stay; all 3" in each.value for each in app.code)
    assert "curriculum.edit_save" not in {each.key for each in app.button}

"""The panel of audits: the worst first, rows on demand, texts as they are, a way to the fix."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from simtune_core.findings import Audit, Fix
from simtune_core.workspace import CHECKOUT
from ui.audits import in_one_line
from ui.menu import PAGES

APP = """
import json, pathlib
import streamlit as st
from simtune_core.findings import audit_from_json
from ui.audits import audits_panel

def panel():
    text = pathlib.Path({path!r}).read_text(encoding="utf-8")
    audits_panel([audit_from_json(each) for each in json.loads(text)])

st.navigation([st.Page(panel, title="Panel", default=True), *(st.Page(file) for file in {files!r})]).run()
"""
HOSTILE = "**bold** [x](javascript:alert(1)) <script>alert(1)</script>"
LEAK = Audit(
    "leaked_texts", "Texts in both sets", "found", "2 of 10 texts of b are in a too.", "error", 2,
    ({"text": HOSTILE, "in": "b"}, {"text": "two", "in": "b"}), Fix("Split by component.", "data"),
)  # fmt: skip
EASY = Audit(
    "too_easy", "Too easy", "found", f"{HOSTILE} is easy.", "warning", 1, (),
    Fix("Cut harder pairs.", "curriculum", (("curriculum.encoder", "minilm"),)),
)  # fmt: skip
NOTE = Audit("prevalences_differ", "Shares", "found", "50 % and 10 %.", "info", 1, (), Fix("Mind it."))
CLEAR = [Audit(f"clear_{place}", f"Clear {place}", "clear", f"Nothing {place}.") for place in range(2)]
NOT = Audit("mojibake", "Decoded", "not_applicable", "There are no texts.")


@pytest.fixture
def panel(tmp_path, monkeypatch):
    """Return a function that draws audits in an app with the workbench's pages."""
    monkeypatch.syspath_prepend(str(CHECKOUT))
    (tmp_path / "pages").symlink_to(CHECKOUT / "pages")

    def drawn(audits):
        path = tmp_path / "audits.json"
        path.write_text(json.dumps([audit.as_json() for audit in audits]), encoding="utf-8")
        script = tmp_path / "panel.py"
        script.write_text(APP.format(path=str(path), files=[entry.file for entry in PAGES]), encoding="utf-8")
        app = AppTest.from_file(str(script), default_timeout=60).run()
        assert not app.exception
        return app

    return drawn


def words(app):
    return [each.value for each in app.markdown]


def test_finds_stand_by_severity_and_the_rest_in_one_line(panel):
    app = panel([NOTE, *CLEAR, EASY, NOT, LEAK])
    titles = [value for value in words(app) if value.startswith("**")]
    assert titles == ["**Texts in both sets**", "**Too easy**", "**Shares**"]
    assert [each.label for each in app.expander] == ["Show 2 rows", "2 checks found nothing; 1 does not apply"]
    assert in_one_line([NOTE, LEAK, EASY, LEAK, NOT]) == "2 errors, 1 warning, 1 note"


def test_rows_and_sentences_are_drawn_when_they_are_opened(panel):
    app = panel([LEAK, *CLEAR, NOT])
    assert not app.dataframe
    app.session_state["difficulty.rows.leaked_texts.0"] = True
    app.session_state["difficulty.audits_silent"] = True
    app.run()
    assert app.dataframe[0].value["text"].tolist() == [HOSTILE, "two"]
    assert any("Nothing 1" in value and "Clear 1" in value for value in words(app))
    assert any("There are no texts" in value for value in words(app))


def test_text_of_the_data_is_no_markdown(panel):
    app = panel([EASY])
    sentence = next(value for value in words(app) if "is easy" in value)
    assert "](" not in sentence
    assert "<script>" not in sentence
    assert "**bold" not in sentence


def test_a_fix_with_settings_takes_them_along(panel):
    app = panel([EASY])
    app.button(key="difficulty.fix.too_easy.0").click().run()
    assert app.session_state["curriculum.encoder"] == "minilm"


def test_without_finds_it_says_so_and_without_audits_nothing(panel):
    app = panel([*CLEAR, NOT])
    assert [each.value for each in app.success] == ["No audit found anything."]
    assert in_one_line(CLEAR) == "nothing found"
    assert not panel([]).success

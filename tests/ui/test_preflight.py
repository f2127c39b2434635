"""The verdict on screen: word, sentence and a button that leads to what mends it, with its widgets set."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.difficulty.preflight.fixes import like_the_test
from simtune_core.difficulty.preflight.verdict import decide
from simtune_core.workspace import CHECKOUT
from tests.workflows.preflights import EVIDENCE, FIX_DATA, ONE_SET
from ui.keys import CURRICULUM_SETTINGS, key

APP = """
import json, pathlib
from ui.preflight import preflight_panel, verdict_banner
result = json.loads(pathlib.Path({path!r}).read_text(encoding="utf-8"))
verdict_banner(result)
preflight_panel(result)
"""


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Return a function that draws a result."""
    monkeypatch.syspath_prepend(str(CHECKOUT))

    def draw(result):
        path = tmp_path / "result.json"
        path.write_text(json.dumps(result), encoding="utf-8")
        app = AppTest.from_string(APP.format(path=str(path)), default_timeout=60).run()
        assert not app.exception
        return app

    return draw


def words(app):
    return "\n".join(each.value for each in app.markdown).replace("\\", "")


def test_the_banner_says_word_reason_and_what_to_do(drawn):
    app = drawn(FIX_DATA)

    shown = words(app)
    assert "FIX DATA" in shown
    assert "The baseline has solved the training pairs already." in shown
    assert "positives from 0.35, negatives up to 0.65 (minilm cosine)" in shown
    assert [button.label for button in app.button] == ["Cut such pairs", "Open the data"]
    assert "Test pairs covered: 79%" in shown
    figures = app.get("plotly_chart")
    assert [bool(figure.proto.alt) for figure in figures] == [True] * 3
    assert "0.998 on the training pairs, 0.770 on the test pairs" in figures[0].proto.alt


def test_a_press_sets_the_sliders_of_the_curriculum_before_it_leads_there(drawn):
    app = drawn(FIX_DATA)

    app.button(key=key("difficulty", "preflight_fix")).click().run()

    held = CurriculumConfig.from_text(app.session_state[CURRICULUM_SETTINGS])
    assert held.phases[2].pos_min == 0.35
    assert app.session_state[key("curriculum", "encoder")] == "minilm"


def test_what_a_fix_sets_are_choices_of_the_curriculum_page():
    fix = like_the_test(EVIDENCE.bands, "minilm", "minilm", test="small@v0001:test")

    held = dict(fix.holds)
    assert set(held) == {key("curriculum", "encoder"), key("curriculum", "test"), CURRICULUM_SETTINGS}
    assert held[key("curriculum", "test")] == "small:test"
    assert [phase.pos_min for phase in CurriculumConfig.from_text(held[CURRICULUM_SETTINGS]).phases] == list(
        EVIDENCE.bands.positive
    )


def test_text_of_others_is_shown_as_text(drawn):
    hostile = "![x](http://evil/x.png) <b>"
    result = json.loads(json.dumps(FIX_DATA))
    result["verdict"]["reasons"][0]["message"] = hostile

    assert "\\!\\[x\\]\\(http\\:" in "\n".join(each.value for each in drawn(result).markdown)


def test_without_a_second_set_it_asks_for_one(drawn):
    app = drawn(ONE_SET)

    assert "Choose pairs to test on" in app.info[0].value
    assert not app.button


def test_a_go_leads_to_the_training_and_no_probe_says_why(drawn):
    go = FIX_DATA | {"verdict": decide(_sound(), PreflightConfig()).as_json(), "probe": None, "not_probed": "No probe."}
    app = drawn(go)

    assert "GO" in words(app)
    assert app.button[0].label == "Train the head"
    assert [each.value for each in app.caption] == ["No probe."]


def _sound():
    from dataclasses import replace

    train = replace(EVIDENCE.test, ref="train@v0001", tfidf_roc_auc=0.6)
    return replace(EVIDENCE, train=train, test=replace(EVIDENCE.test, tfidf_roc_auc=0.6))

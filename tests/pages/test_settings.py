"""The page Settings: every value with its source, saved at once within its bounds, and what is wrong in words."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

from simtune_core.preferences import FILE, Preferences, change_preferences, preferences_of
from tests.pages.screen import words
from ui.menu import PAGES


def test_every_setting_of_a_workspace_is_on_the_page_with_its_source(open_app, workspace):
    change_preferences(workspace, {"grace_seconds": 5})
    app = open_app("settings")

    assert not app.exception
    editors = {element.key for kind in ("number_input", "text_input", "selectbox") for element in app.main.get(kind)}
    assert {f"settings.{name}" for name in Preferences.model_fields} <= editors
    captions = [caption.value.replace("\\", "") for caption in app.main.caption]
    assert "Set in data/settings.yaml. Default: 20.0" in captions
    assert captions.count("Default") == len(Preferences.model_fields) - 2  # less the one set and the one no page sets


def test_a_changed_value_is_in_the_file_at_once_and_goes_back_to_the_default_by_one_press(open_app, workspace):
    app = open_app("settings")
    app.number_input(key="settings.gate_fpr").set_value(0.1).run()
    assert preferences_of(workspace).gate_fpr == 0.1
    assert [toast.value for toast in app.toast] == ["Saved"]

    app.button(key="settings.reset.gate_fpr").click().run()
    assert preferences_of(workspace) == Preferences()
    assert app.number_input(key="settings.gate_fpr").value == Preferences().gate_fpr


def test_the_editors_end_at_the_bounds_of_the_settings(open_app):
    app = open_app("settings")
    slots, gate = (app.number_input(key=f"settings.{name}") for name in ("device_slots", "gate_spearman"))

    assert (slots.min, slots.max, slots.value) == (1, 64, None)
    assert (gate.min, gate.max) == (-1.0, 1.0)


def test_a_refused_value_is_told_beside_its_box_and_the_file_stays(open_app, workspace):
    app = open_app("settings")
    app.text_input(key="settings.notify_webhook").set_value("file:///etc/passwd").run()

    assert not app.exception
    assert [error.value for error in app.main.error] == ["Not saved."]
    assert "must begin with http:// or https://" in app.main.code[0].value
    assert app.text_input(key="settings.notify_webhook").value == "file:///etc/passwd"  # to be corrected
    assert preferences_of(workspace).notify_webhook == ""

    app.text_input(key="settings.notify_webhook").set_value("https://example.org/hook").run()
    assert preferences_of(workspace).notify_webhook == "https://example.org/hook"
    assert not app.main.error


def test_what_another_tab_or_a_hand_has_changed_is_shown_at_the_next_look(open_app, workspace):
    app = open_app("settings")
    change_preferences(workspace, {"cache_limit_gb": 3.5})
    app.run()

    assert app.number_input(key="settings.cache_limit_gb").value == 3.5


def test_what_the_environment_forces_cannot_be_edited_and_names_its_variable(open_app, workspace, monkeypatch):
    monkeypatch.setenv("SIMTUNE_DEVICE_SLOTS", "3")
    app = open_app("settings")
    box = app.number_input(key="settings.device_slots")

    assert (box.value, box.disabled) == (3, True)
    assert "From the environment: SIMTUNE_DEVICE_SLOTS. It can be changed only there." in words(app)


def test_the_program_run_at_a_jobs_end_is_shown_but_no_page_sets_it(open_app, workspace):
    (workspace.data / FILE).write_text("notify_command: tell-me --softly\n")
    app = open_app("settings")
    box = app.text_input(key="settings.notify_command")

    assert (box.value, box.disabled) == ("tell-me --softly", True)


def test_a_wrong_settings_file_leaves_every_other_page_working(open_app, own_walk):
    (own_walk.workspace.data / FILE).write_text("cache_limit_gb: much\n")
    for page in (entry.stem for entry in PAGES if entry.stem != "settings"):
        app = open_app(page, on=own_walk.workspace)

        assert not app.exception, page
        assert [title.value.lower() for title in app.title] == [page]
        assert not app.main.error, page


def test_a_wrong_settings_file_is_a_sentence_with_what_to_do(open_app, workspace):
    (workspace.data / FILE).write_text("cache_limit_gb: much\n")
    app = open_app("settings")

    assert not app.exception
    assert [error.value for error in app.main.error] == ["The settings of this workspace cannot be used."]
    assert "cache_limit_gb" in app.main.code[0].value and "much" in app.main.code[0].value
    assert f"Correct data/{FILE}, or delete it" in words(app)


def test_a_test_is_sent_to_the_address_and_its_answer_is_told(open_app, workspace):
    with answering(500) as (address, taken):
        change_preferences(workspace, {"notify_webhook": address})
        app = open_app("settings")
        app.button(key="settings.test").click().run()

    assert [message["title"] for message in taken] == ["A test"]
    assert any("500" in text.value for text in app.main.text)


def test_the_default_encoder_of_the_workspace_is_chosen_first_on_every_page(open_app, own_walk):
    change_preferences(own_walk.workspace, {"default_encoder": "walk-head"})

    assert open_app("difficulty", on=own_walk.workspace).selectbox(key="difficulty.encoder").value == "walk-head"
    evaluation = open_app("evaluation", on=own_walk.workspace)
    assert evaluation.selectbox(key="evaluation.baseline").value == "walk-head"
    assert evaluation.multiselect(key="evaluation.models").value == ["walk-head", "walk-lora"]
    training = open_app("training", on=own_walk.workspace)
    assert training.selectbox(key="training.base").value == "minilm"  # a training begins with what is not tuned


@contextlib.contextmanager
def answering(status):
    """Run a web server that answers every message with a status; yields its address and the messages taken."""
    taken = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", taken
        server.shutdown()
        thread.join()


def test_the_versions_of_what_the_server_runs_on_are_told(open_app):
    (table,) = open_app("settings").main.table

    assert version("torch") in str(table.value)

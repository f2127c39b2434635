"""Jobs on screen, with real processes."""

import time
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from simtune_core.jobs.launcher import launch, read_job
from simtune_core.workspace import VARIABLE
from ui.jobs import STATES, fraction, progress_words, silent_seconds

PANEL = """
import streamlit as st
from ui.jobs import job_panel
ends = st.session_state.setdefault("ends", [])
job = job_panel({job_id!r}, key="page.panel", on_done=lambda job: ends.append(job.id))
st.text(f"state {{job.state}}")
"""


def until(workspace, job_id, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition(job := read_job(workspace, job_id)):
        assert time.monotonic() < deadline, f"waited in vain, the job is {job.state}"
        time.sleep(0.05)
    return job


def panel(workspace, monkeypatch, job_id):
    monkeypatch.setenv(VARIABLE, str(workspace.root))
    app = AppTest.from_string(PANEL.format(job_id=job_id), default_timeout=30).run()
    assert not app.exception
    return app


@pytest.fixture
def running(workspace):
    """Yield the id of a job that runs until the test ends."""
    from simtune_core.jobs.launcher import request_stop

    job_id = launch(workspace, "sleep", {"seconds": 60}, title="Sleep ![x](http://evil/x.png)")
    until(workspace, job_id, lambda job: job.state == "running" and job.done)
    yield job_id
    if read_job(workspace, job_id).active:
        request_stop(workspace, job_id)
    until(workspace, job_id, lambda job: job.finished)


def test_the_sidebar_shows_a_running_job_with_progress_and_stops_it(open_app, workspace, running):
    app = open_app()
    assert "Sleep ![x](http://evil/x.png)" in [text.value for text in app.sidebar.text]  # plain text, not Markdown
    assert "Jobs (1 active)" in [caption.value for caption in app.sidebar.caption]
    assert " of 1,200 · " in app.sidebar.get("progress")[0].proto.text
    app.button(key=f"jobs.strip.{running}").click().run()
    assert until(workspace, running, lambda job: job.finished).state == "stopped"
    app.run()
    assert "No job is waiting or running." in [caption.value for caption in app.sidebar.caption]
    assert [toast.value for toast in app.toast] == [r"Sleep \!\[x\]\(http\://evil/x.png\): stopped"]
    app.run()
    assert not app.toast  # told once


def test_old_ends_are_not_told_to_a_new_session(open_app, workspace):
    job_id = launch(workspace, "sleep", {"seconds": 0.05, "fail": "error"}, title="fails")
    until(workspace, job_id, lambda job: job.finished)
    assert not open_app().toast


def test_a_failure_stays_on_screen_until_it_is_dismissed(open_app, workspace):
    app = open_app()
    job_id = launch(workspace, "sleep", {"seconds": 0.05, "fail": "error"}, title="fails")
    until(workspace, job_id, lambda job: job.finished)
    app.run()
    assert [toast.value for toast in app.toast] == ["fails: failed"]
    assert app.toast[0].proto.duration == 0  # Streamlit's mark of an endless toast


def test_the_panel_follows_a_job_and_tells_its_end_once(workspace, monkeypatch, running):
    app = panel(workspace, monkeypatch, running)
    assert "state running" in [text.value for text in app.text]
    assert "sleeping" in [text.value for text in app.text]
    app.button(key=f"jobs.panel.{running}").click().run()
    until(workspace, running, lambda job: job.finished)
    app.run()
    assert "state stopped" in [text.value for text in app.text]
    assert app.session_state["ends"] == []  # stopped is not done


def test_the_panel_of_a_finished_job_calls_back_once_a_session(workspace, monkeypatch):
    job_id = launch(workspace, "sleep", {"seconds": 0.05}, title="short")
    until(workspace, job_id, lambda job: job.finished)
    app = panel(workspace, monkeypatch, job_id)
    app.run()
    assert "state done" in [text.value for text in app.text]
    assert app.session_state["ends"] == [job_id]


def test_the_panel_of_a_failed_job_shows_the_cause_as_plain_text_and_offers_the_log(workspace, monkeypatch):
    job_id = launch(workspace, "sleep", {"seconds": 0.05, "fail": "error"}, title="fails")
    job = until(workspace, job_id, lambda job: job.finished)
    app = panel(workspace, monkeypatch, job_id)
    assert [code.value for code in app.code] == [job.cause]
    assert "must fail when it is told to" in job.cause
    assert [expander.label for expander in app.expander] == ["End of the log"]


def test_progress_is_worded_with_what_is_known(workspace, running):
    job = read_job(workspace, running)
    known = replace(job, state="running", done=620, total=1872, eta_seconds=361)
    assert progress_words(known) == "620 of 1,872 · 33 % · 6 min left"
    assert progress_words(replace(known, eta_seconds=None)) == "620 of 1,872 · 33 %"
    assert progress_words(replace(known, done=None, eta_seconds=None)) == "starting"
    assert progress_words(replace(known, state="queued")) == "waiting for its turn"
    assert fraction(replace(known, done=2000)) == 1.0
    assert fraction(replace(known, total=None)) == 0.0


def test_a_job_is_silent_from_its_last_written_line_on(workspace, running):
    job = read_job(workspace, running)
    newest = max((job.folder / name).stat().st_mtime for name in ("events.jsonl", "log.txt"))
    assert silent_seconds(replace(job, started=0.0), newest + 41.0) == pytest.approx(41.0, abs=5.0)
    assert silent_seconds(replace(job, state="done"), newest + 41.0) == 0.0


def test_every_state_has_a_word_of_its_own():
    from typing import get_args

    from simtune_core.jobs.states import State

    assert set(STATES) == set(get_args(State))
    assert len({word for _, word, _ in STATES.values()}) == len(STATES)

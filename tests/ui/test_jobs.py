"""Jobs on screen, with real processes."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from simtune_core.jobs.launcher import launch, read_job
from simtune_core.workspace import VARIABLE
from tests.ui.living import until
from ui.jobs import SIGNS, STATES, fraction, jobs_now, look_again, progress_words, silent_seconds

PANEL = """
import streamlit as st
from ui.jobs import job_panel
ends = st.session_state.setdefault("ends", [])
job = job_panel({job_id!r}, key="page.panel", on_done=lambda job: ends.append(job.id))
st.text(f"state {{job.state}}")
"""


def panel(workspace, monkeypatch, job_id):
    monkeypatch.setenv(VARIABLE, str(workspace.root))
    app = AppTest.from_string(PANEL.format(job_id=job_id), default_timeout=30).run()
    assert not app.exception
    return app


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
    assert "Open" in [button.label for button in app.button]  # the way to what can be done next


def test_the_log_in_the_panel_is_its_newest_lines_as_a_terminal_would_leave_them(workspace, monkeypatch):
    job_id = launch(workspace, "sleep", {"seconds": 0.05, "fail": "error"}, title="fails")
    job = until(workspace, job_id, lambda job: job.finished)
    (job.folder / "log.txt").write_text(
        "".join(f"line {n}\n" for n in range(1000)) + "\x1b[31mred\x1b[0m ![x](http://h/x)\n"
    )
    app = panel(workspace, monkeypatch, job_id)
    app.session_state[f"jobs.log.{job_id}"] = True
    app.run()

    assert not app.exception
    shown = app.code[-1].value.splitlines()
    assert (len(shown), shown[0], shown[-1]) == (200, "line 801", "red ![x](http://h/x)")


def test_progress_is_worded_with_what_is_known(workspace, running):
    job = read_job(workspace, running)
    known = replace(job, state="running", done=620, total=1872, eta_seconds=361)
    assert progress_words(known) == "620 of 1,872 · 33 % · 6 min left"
    assert progress_words(replace(known, eta_seconds=None)) == "620 of 1,872 · 33 %"
    assert progress_words(replace(known, done=None, eta_seconds=None)) == "starting"
    assert progress_words(replace(known, state="queued")) == "waiting for its turn"
    assert progress_words(replace(known, state="queued", ahead=1)) == "queued (1 ahead)"
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

    assert set(STATES) == set(SIGNS) == set(get_args(State))
    assert len({word for _, word, _ in STATES.values()}) == len(STATES)


def test_all_sessions_share_one_look_at_the_job_folders_until_it_is_old_or_forgotten(workspace):
    first = jobs_now(workspace)
    launch(workspace, "sleep", {"seconds": 0.05}, title="new")
    assert jobs_now(workspace) is first  # within the second

    look_again()
    assert [job.title for job in jobs_now(workspace)] == ["new"]

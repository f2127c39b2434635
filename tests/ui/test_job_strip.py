"""The strip in the sidebar of every page: what runs, waits and failed, with real processes."""

import shutil

import pytest

from simtune_core.jobs.launcher import launch, read_job
from tests.ui.living import end, look_until, until

NOTHING = "No job is waiting or running."


def fail(workspace, title="fails"):
    """Run a job that fails, and return it."""
    job_id = launch(workspace, "sleep", {"seconds": 0.05, "fail": "error"}, title=title, reuse=False)
    return until(workspace, job_id, lambda job: job.finished)


def captions(app):
    return [caption.value.replace("\\", "") for caption in app.sidebar.caption]


def dismissals(app):
    return [button.key for button in app.sidebar.button if button.label == "Dismiss"]


def test_the_sidebar_shows_a_running_job_with_progress_and_stops_it(open_app, workspace, running):
    app = open_app()
    assert "Sleep ![x](http://evil/x.png)" in [text.value for text in app.sidebar.text]  # plain text, not Markdown
    assert "Jobs (1 active)" in captions(app)
    assert " of 12,000 · " in app.sidebar.get("progress")[0].proto.text

    app.button(key=f"jobs.strip.{running}").click().run()
    assert until(workspace, running, lambda job: job.finished).state == "stopped"
    look_until(app, lambda app: NOTHING in captions(app))
    assert [toast.value for toast in app.toast] == [r"Sleep \!\[x\]\(http\://evil/x.png\): stopped"]
    assert not app.run().toast  # told once
    assert not dismissals(app)  # who stops a job knows it


@pytest.fixture
def queue(workspace):
    """Yield the ids of three jobs for the device: the first runs, the others wait."""
    ids = [launch(workspace, "device_sleep", {"seconds": 600}, title=f"job {n}", reuse=False) for n in range(3)]
    until(workspace, ids[0], lambda job: job.state == "running")
    yield ids
    for job_id in reversed(ids):
        end(workspace, job_id)


def test_a_waiting_job_says_how_many_are_ahead_and_can_be_taken_out_of_the_queue(open_app, workspace, queue):
    app = open_app()
    assert [words for words in captions(app) if "ahead" in words] == ["queued (1 ahead)", "queued (2 ahead)"]

    app.button(key=f"jobs.strip.{queue[1]}").click().run()
    assert read_job(workspace, queue[1]).cause == "Stopped by you before it started."
    look_until(app, lambda app: [words for words in captions(app) if "ahead" in words] == ["queued (1 ahead)"])


def test_old_ends_are_not_told_to_a_new_session(open_app, workspace):
    fail(workspace)
    app = open_app()

    assert not app.toast
    assert not dismissals(app)


def test_a_failure_stays_with_its_cause_until_it_is_dismissed(open_app, workspace):
    app = open_app()
    job = fail(workspace)
    look_until(app, lambda app: app.toast)
    assert [toast.value for toast in app.toast] == ["fails: failed"]
    assert app.toast[0].proto.duration == 0  # Streamlit's mark of an endless toast
    assert job.cause in captions(app)

    app.switch_page("pages/data.py").run()
    assert dismissals(app) == [f"jobs.dismiss.{job.id}"]
    app.button(key=f"jobs.dismiss.{job.id}").click().run()
    assert not dismissals(app)
    assert not app.run().toast


def test_a_failure_whose_folder_is_removed_is_forgotten(open_app, workspace):
    app = open_app()
    job = fail(workspace)
    look_until(app, dismissals)
    shutil.rmtree(job.folder)

    look_until(app, lambda app: not dismissals(app))


def test_open_leads_to_the_job_on_the_page_jobs(open_app, workspace, running):
    app = open_app()
    app.button(key=f"jobs.open.strip.{running}").click().run()

    assert [title.value for title in app.title] == ["Jobs"]
    assert app.text_input(key="jobs.job").value == running

"""The page Jobs: the list, the queue, one job with what can be done next, with real processes."""

import shutil

import pytest

from simtune_core.files import new_id, read_json, write_json
from simtune_core.jobs.events import read_events
from simtune_core.jobs.launcher import launch, list_jobs, read_job
from tests.browser import open_page
from tests.pages.screen import ended, live_charts, table, words
from tests.ui.living import end, look_until, until

HOSTILE = "![x](http://evil/x.png) <b>bold</b>"


def run(workspace, title, **params):
    """Run a short job to its end and return it."""
    job_id = launch(workspace, "sleep", {"seconds": 0.1, **params}, title=title, reuse=False)
    return until(workspace, job_id, lambda job: job.finished)


def listed(app):
    return table(app, "jobs with state").job.tolist()


def press(app, key):
    return app.button(key=key).click().run()


def labels(app):
    return [button.label for button in app.main.button]


@pytest.fixture
def queue(workspace):
    """Yield the ids of four jobs for the device: the first runs, the others wait."""
    ids = [
        launch(workspace, "device_sleep", {"seconds": 600}, title=f"job {number}", reuse=False) for number in range(4)
    ]
    until(workspace, ids[0], lambda job: job.state == "running")
    yield ids
    for job_id in reversed(ids):
        end(workspace, job_id)


@pytest.fixture
def stopped(workspace):
    """Return a job that was stopped after it had saved a checkpoint."""
    params = {"seconds": 600, "checkpoint_every": 2}
    job_id = launch(workspace, "sleep", params, title="long work")
    until(workspace, job_id, lambda job: job.checkpoint)
    yield end(workspace, job_id)
    for job in list_jobs(workspace):
        end(workspace, job.id)


def test_every_job_is_listed_newest_first_and_found_by_state_kind_and_words(open_app, workspace):
    run(workspace, "first")
    run(workspace, HOSTILE, fail="error")
    run(workspace, "third")
    app = open_app("jobs")
    assert listed(app) == ["third", HOSTILE, "first"]
    rows = table(app, "jobs with state")
    assert rows.state.tolist() == ["✓ done", "✕ failed", "✓ done"]
    assert "must fail when it is told to" in rows.cause[1]
    assert (rows["size"] > 0).all()

    app.button_group(key="jobs.state").set_value(["failed"]).run()
    assert listed(app) == [HOSTILE]
    app.button_group(key="jobs.state").set_value([]).run()
    app.text_input(key="jobs.search").set_value("THIRD").run()
    assert listed(app) == ["third"]
    app.text_input(key="jobs.search").set_value("").run()
    app.multiselect(key="jobs.kind").set_value(["train"]).run()
    assert [info.value for info in app.main.info] == ["No job passes the filters."]
    assert "0 of 3 jobs, newest first" in words(app)


def test_an_address_with_a_job_shows_it_cold_as_plain_text(open_app, workspace):
    job = run(workspace, HOSTILE, fail="bug")
    app = open_app("jobs", query={"jobs.job": job.id})

    assert HOSTILE in [text.value for text in app.main.text]
    assert app.main.code[0].value == job.cause
    assert "TypeError: a bug, as it was told" in app.main.code[1].value  # the log
    assert {"Retry", "Delete…"} <= set(labels(app))
    assert app.session_state["jobs.table"]["selection"]["rows"] == [0]  # its row is marked


def test_a_job_that_is_not_there_is_a_sentence_and_the_list_stays(open_app, workspace):
    run(workspace, "first")
    app = open_app("jobs", query={"jobs.job": new_id()})

    assert not app.exception
    assert [error.value for error in app.main.error] == ["This job cannot be shown."]
    assert listed(app) == ["first"]


def test_a_folder_removed_while_its_job_is_shown_is_a_sentence_and_other_jobs_stay(open_app, workspace):
    run(workspace, "first")
    job = run(workspace, "second")
    app = open_app("jobs", query={"jobs.job": job.id})
    assert not app.main.error
    shutil.rmtree(job.folder)
    look_until(app, lambda app: app.main.error)

    assert not app.exception
    assert job.id in app.main.code[0].value
    look_until(app, lambda app: listed(app) == ["first"])


def test_what_waits_is_listed_in_order_and_moved_by_one_press(open_app, workspace, queue):
    app = open_app("jobs")
    assert "Waiting (3)" in words(app)

    press(app, f"jobs.last.{queue[1]}")
    assert [read_job(workspace, job_id).ahead for job_id in queue[1:]] == [3, 1, 2]
    press(app, f"jobs.up.{queue[1]}")
    assert [read_job(workspace, job_id).ahead for job_id in queue[1:]] == [2, 1, 3]
    assert app.button(key=f"jobs.first.{queue[2]}").disabled  # it is the first already
    press(app, f"jobs.queue.{queue[2]}")
    assert read_job(workspace, queue[2]).state == "stopped"
    look_until(app, lambda app: "Waiting (2)" in words(app))


def test_a_running_job_is_stopped_on_its_panel(open_app, workspace, queue):
    app = open_app("jobs", query={"jobs.job": queue[0]})
    assert "on cpu-0" in words(app)
    app.button(key=f"jobs.panel.{queue[0]}").click().run()

    until(workspace, queue[0], lambda job: job.state == "stopped")
    look_until(app, lambda app: "Retry" in labels(app))


def test_retry_starts_the_work_again_once_and_shows_the_new_attempt(open_app, workspace):
    job = run(workspace, "work", fail="error", seconds=1.5)
    app = open_app("jobs", query={"jobs.job": job.id})
    press(app, f"jobs.retry.{job.id}")
    (new,) = [each for each in list_jobs(workspace) if each.id != job.id]

    assert (new.attempt, new.retry_of) == (2, job.id)
    assert app.text_input(key="jobs.job").value == new.id
    assert "Repeats an earlier attempt" in words(app)
    other_tab = open_app("jobs", query={"jobs.job": job.id})
    if read_job(workspace, new.id).active:
        other_tab.button(key=f"jobs.retry.{job.id}").click().run()
        assert len(list_jobs(workspace)) == 2
    ended(workspace)


def test_a_stopped_job_goes_on_from_its_checkpoint(open_app, workspace, stopped):
    app = open_app("jobs", query={"jobs.job": stopped.id})
    button = app.button(key=f"jobs.continue.{stopped.id}")
    assert button.label == f"Continue from checkpoint {stopped.checkpoint:,}"
    press(app, button.key)
    (new,) = [job for job in list_jobs(workspace) if job.continues == stopped.id]

    assert app.text_input(key="jobs.job").value == new.id
    assert f"attempt {new.attempt}" in words(app)
    began = until(workspace, new.id, lambda job: job.last_step)
    first = read_events(began.folder / "events.jsonl").events
    assert min(event.step for event in first if event.kind == "metric") == stopped.checkpoint + 1


def test_parameters_and_damaged_lines_are_shown(open_app, workspace):
    job = run(workspace, "work", seconds=0.5)
    with (job.folder / "events.jsonl").open("a") as file:
        file.write("this is no event\n")
    app = open_app("jobs", query={"jobs.job": job.id}, state={"jobs.part": "Curves"})
    assert "1 damaged line of the event file is left out." in words(app)
    assert len(live_charts(app)) == 1

    app = open_app("jobs", query={"jobs.job": job.id}, state={"jobs.part": "Parameters"})
    assert '"seconds":0.5' in app.get("json")[0].value.replace(" ", "")


def test_the_log_is_followed_and_narrowed_by_level_and_word(open_app, workspace):
    job = run(workspace, "work")
    with (job.folder / "log.txt").open("w") as log:
        log.write("INFO: begins\nWARNING: <b>odd</b> ![x](http://evil/x.png)\nERROR: ends\n")
    app = open_app("jobs", query={"jobs.job": job.id})
    assert app.main.code[0].value.splitlines()[0] == "INFO: begins"

    with (job.folder / "log.txt").open("a") as log:
        log.write("ERROR: more\n")
    app.button_group(key="jobs.level").set_value("warning").run()
    assert app.main.code[0].value.splitlines() == [
        "WARNING: <b>odd</b> ![x](http://evil/x.png)", "ERROR: ends", "ERROR: more",
    ]  # fmt: skip
    app.text_input(key="jobs.word").set_value("MORE").run()
    assert app.main.code[0].value == "ERROR: more"
    app.text_input(key="jobs.word").set_value("nowhere").run()
    assert "No line passes the filters." in words(app)


def test_of_a_long_log_the_newest_lines_are_drawn_and_the_whole_is_a_file(serve, chromium, workspace):
    job = run(workspace, "work")
    text = "".join(f"line {number}\n" for number in range(100_000))
    (job.folder / "log.txt").write_text(text)
    page = open_page(chromium, f"{serve(workspace)}/jobs?jobs.job={job.id}")
    page.get_by_text("line 99999").wait_for()
    assert page.get_by_text("line 99000", exact=True).count() == 0

    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button").click()
    assert download.value.path().read_text() == text
    assert download.value.suggested_filename == f"{job.id}.log"


def test_a_thousand_jobs_are_shown_page_by_page(open_app, workspace):
    plant(workspace, 1000)
    app = open_app("jobs")

    assert not app.exception
    assert "1,000 of 1,000 jobs, newest first" in words(app)
    assert len(listed(app)) == 100
    assert listed(app)[0] == "job 999"


def test_a_row_chosen_shows_its_job_and_the_address_leads_back_to_it(serve, chromium, workspace):
    from playwright.sync_api import expect

    jobs = {title: run(workspace, title) for title in ("first", "second")}
    address = serve(workspace)
    page = open_page(chromium, f"{address}/jobs", viewport={"width": 1360, "height": 1200})
    grid = page.get_by_test_id("stDataFrame")
    grid.wait_for()
    box = grid.bounding_box()
    page.mouse.click(box["x"] + 16, box["y"] + box["height"] * 5 / 6)  # two rows below the header: the older job
    page.wait_for_url(f"**/jobs?jobs.job={jobs['first'].id}")
    page.get_by_text("asked for").wait_for()

    cold = open_page(chromium, page.url)
    cold.get_by_text("asked for").wait_for()
    expect(cold.get_by_label("Job id")).to_have_value(jobs["first"].id)


def test_a_double_click_on_retry_is_one_new_attempt_and_a_changed_one_goes_on_when_confirmed(
    serve, chromium, workspace, stopped
):
    change_program(stopped)
    page = open_page(
        chromium, f"{serve(workspace)}/jobs?jobs.job={stopped.id}", viewport={"width": 1360, "height": 1200}
    )
    page.get_by_role("button", name="Retry").dblclick()
    page.get_by_text("Repeats an earlier attempt").wait_for()
    (again,) = [job for job in list_jobs(workspace) if job.id != stopped.id]
    end(workspace, again.id)

    page.goto(page.url.replace(again.id, stopped.id))
    page.get_by_role("button", name="Continue from checkpoint").click()
    page.get_by_role("button", name="Continue all the same").click()
    page.get_by_text("Continues an earlier attempt").wait_for()
    assert [job.continues for job in list_jobs(workspace)].count(stopped.id) == 1


def change_program(job):
    """Make a job's folder say that an older program started it."""
    spec = read_json(job.folder / "spec.json")
    write_json(job.folder / "spec.json", spec | {"code": spec["code"] | {"simtune": "0.0.1"}})


def plant(workspace, n):
    """Lay down the folders of finished jobs, as their runners leave them."""
    job = run(workspace, "job")
    files = {name: (job.folder / name).read_bytes() for name in ("spec.json", "exit.json", "proc.json", "events.jsonl")}
    spec = read_json(job.folder / "spec.json")
    shutil.rmtree(job.folder)
    for number in range(n):
        folder = workspace.job(f"20260101-000000-{number:03d}-abcdef")
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        write_json(folder / "spec.json", spec | {"id": folder.name, "title": f"job {number}"})

"""Deleting on screen: what depends on it is shown first, and only what was shown goes."""

import os

import pytest
from streamlit.testing.v1 import AppTest

from simtune_core.jobs.launcher import follow, launch, request_stop
from simtune_core.pairs import text_id
from simtune_core.workflows import data
from simtune_core.workspace import VARIABLE
from tests.browser import open_page
from tests.pages.screen import table, words

HOSTILE = "Look ![x](http://evil/x.png) <b>"
PANELS = """
from ui.keeping import cache_panel, sizes_table
from ui.session import current_workspace
sizes_table(current_workspace())
cache_panel(current_workspace())
"""


@pytest.fixture
def sampled(workspace):
    """Return a workspace with the sample, and a job that has read its pairs."""
    data.load_sample(workspace)
    job = launch(workspace, "sleep", {"seconds": 0.05, "set": "sample@v0001:test"}, title=HOSTILE)
    follow(workspace, job)
    return workspace, job


def asked(open_app, name):
    """Open the data page and ask to delete a dataset."""
    app = open_app("data")
    app.selectbox(key="data.delete").set_value(name).run()
    return app.button(key=f"keeping.delete.dataset.{text_id(name)}").click().run()


def test_what_depends_on_a_dataset_is_shown_and_goes_with_it_when_confirmed(open_app, sampled):
    workspace, job = sampled
    app = asked(open_app, "sample")

    shown = table(app, "things that depend on it")
    assert shown[["kind", "what", "why"]].values.tolist() == [["job", HOSTILE, "reads sample@v0001"]]
    assert [version.name for version in data.list_datasets(workspace)] == ["sample", "sample_easy", "sample_records"]

    app.button(key="keeping.sure").click().run()

    assert not app.exception and not app.error
    assert [version.name for version in data.list_datasets(workspace)] == ["sample_easy", "sample_records"]
    assert not workspace.job(job).exists()
    assert "keeping.sure" not in [button.key for button in app.button]


def test_nothing_goes_when_it_is_kept(open_app, sampled):
    workspace, _ = sampled
    app = asked(open_app, "sample_easy")
    assert "Nothing depends on it." in words(app)

    app.button(key="keeping.keep").click().run()

    assert "keeping.sure" not in [button.key for button in app.button]
    assert len(data.list_datasets(workspace)) == 3


def test_what_a_job_needs_cannot_be_deleted_and_the_job_is_named_as_text(open_app, sampled):
    workspace, _ = sampled
    job = launch(workspace, "sleep", {"seconds": 60, "records": "sample_records@v0001"}, title=HOSTILE)
    try:
        app = asked(open_app, "sample_records")
        assert app.button(key="keeping.sure").disabled
        assert any(HOSTILE in code.value and "stop it or wait for its end" in code.value for code in app.code)
    finally:
        request_stop(workspace, job)
        follow(workspace, job)


def test_what_has_changed_since_it_was_shown_is_not_deleted(open_app, sampled):
    workspace, _ = sampled
    app = asked(open_app, "sample_easy")
    follow(workspace, launch(workspace, "sleep", {"seconds": 0.05, "set": "sample_easy@v0001"}, title="in between"))

    app.button(key="keeping.sure").click().run()

    assert [error.value for error in app.error] == ["Nothing was deleted."]
    assert "has changed since you saw it" in app.code[-1].value
    assert len(data.list_datasets(workspace)) == 3


def test_a_model_is_deleted_from_the_page_that_shows_it(open_app, walked, tmp_path):
    from tests.pages.conftest import copy_of

    own = copy_of(walked, tmp_path / "own").workspace
    app = open_app("adapters", on=own, query={"adapters.model": "walk-lora"})
    app.button(key=f"keeping.delete.model.{text_id('walk-lora')}").click().run()
    app.button(key="keeping.sure").click().run()

    assert not app.exception
    assert [path.name for path in own.models.iterdir()] == ["walk-head"]
    assert "walk-lora" not in app.selectbox(key="adapters.model").options


def test_sizes_and_the_cache_are_shown_and_the_cache_is_cleaned(sampled, monkeypatch):
    workspace, _ = sampled
    part = workspace.cache / "embeddings" / "a" / "part-1.npz"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 12_000_000)
    os.utime(part, (1, 1))
    monkeypatch.setenv("SIMTUNE_CACHE_LIMIT_GB", "0.01")
    monkeypatch.setenv(VARIABLE, str(workspace.root))

    app = AppTest.from_string(PANELS, default_timeout=30).run()
    sizes = table(app, "largest first")
    assert sizes.iloc[0].tolist() == ["cache", "embeddings", "1 cached files", 12_000_000]
    assert HOSTILE in sizes["title"].tolist()
    assert "The cache holds 12.0 MB of at most 10.0 MB." in words(app)

    app.button(key="keeping.clean").click().run()
    assert not part.exists()
    assert "The cache holds 0 bytes of at most 10.0 MB." in words(app)


def test_in_a_browser_the_dialog_shows_hostile_text_as_text_and_the_job_goes_when_confirmed(sampled, serve, chromium):
    workspace, job = sampled
    page = open_page(chromium, f"{serve(workspace)}/jobs?jobs.job={job}", viewport={"width": 1600, "height": 1200})
    asked_outside = []
    page.on("request", lambda request: asked_outside.append(request.url) if "evil" in request.url else None)

    page.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(HOSTILE).wait_for(timeout=60_000)
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached", timeout=60_000)
    assert workspace.job(job).exists()

    page.get_by_role("button", name="Delete…").click()
    dialog.get_by_role("button", name="Delete it").click()
    dialog.wait_for(state="detached", timeout=60_000)

    assert not workspace.job(job).exists()
    page.get_by_text("This workspace has no job yet").wait_for(timeout=60_000)
    assert asked_outside == []
    page.context.close()

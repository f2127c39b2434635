"""What happens between two clicks, and the thread that does it."""

import subprocess
import sys
import time

import pytest

from simtune_core.errors import StoreError
from simtune_core.pairs import text_id
from simtune_core.workflows import background as work
from simtune_core.workflows.background import Tick, tick
from tests.ui.living import look_until
from ui.background import Background, background

HOLD = """
import sys
from simtune_core.store.access import ask
from simtune_core.workspace import open_workspace
def hold(database):
    sys.stdout.write("held"); sys.stdout.flush(); sys.stdin.read()
ask(open_workspace(sys.argv[1]), hold)
"""


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def signs(app, word):
    """Return the signs in the sidebar that hold a word."""
    return [element.value for element in app.sidebar.markdown if f"{word}]" in element.value]


def test_a_look_at_an_empty_workspace_finds_nothing_to_do(workspace):
    assert tick(workspace) == Tick()


def test_a_finished_job_is_in_the_store_after_a_look(workspace):
    from simtune_core.jobs.launcher import launch, read_job
    from simtune_core.store import counts

    job_id = launch(workspace, "sleep", {"seconds": 0.1}, title="a short sleep")
    wait_for(lambda: read_job(workspace, job_id).finished)
    assert tick(workspace).notices == ()
    assert counts(workspace).n_jobs == 1


def test_a_store_in_use_is_told_and_does_not_stop_the_queue(workspace, monkeypatch):
    def in_use(_):
        raise StoreError("The results store is in use by python (PID 5401).")

    monkeypatch.setattr(work, "ingest", in_use)
    monkeypatch.setattr(work, "advance_queue", lambda _: ["20260822-101010-000-abcdef"])
    done = tick(workspace)
    assert done.started == ("20260822-101010-000-abcdef",)
    assert done.notices == (
        "New results are kept in the job folders and will be imported later: "
        "The results store is in use by python (PID 5401).",
    )


def test_the_thread_looks_again_and_again_and_ends_when_told(workspace, monkeypatch):
    looks = []
    monkeypatch.setattr("ui.background.tick", lambda seen: looks.append(seen) or Tick(notices=("busy",)))
    keeper = Background(interval=0.01)
    keeper.look_after(workspace)
    keeper.look_after(workspace)  # a second page does not start a second thread
    wait_for(lambda: len(looks) > 3)
    assert keeper.notices == ("busy",)
    keeper.end()
    n_looks = len(looks)
    time.sleep(0.1)
    assert len(looks) == n_looks
    assert set(looks) == {workspace}


def test_news_are_kept_once_until_somebody_dismisses_them(workspace, monkeypatch):
    told = iter([Tick(news=("rebuilt",)), Tick(news=("rebuilt", "restored"))])
    looks = []
    monkeypatch.setattr("ui.background.tick", lambda seen: looks.append(seen) or next(told, Tick()))
    keeper = Background(interval=0.01)
    keeper.look_after(workspace)
    wait_for(lambda: len(looks) > 3)
    assert keeper.news == ("rebuilt", "restored")
    keeper.dismiss("rebuilt")
    keeper.dismiss("rebuilt")  # from a second tab
    keeper.end()
    assert keeper.news == ("restored",)


def test_a_store_made_again_is_news_on_every_page_until_it_is_dismissed(open_app, workspace):
    tick(workspace)
    workspace.store.write_bytes(b"this is no database at all" * 100)
    app = look_until(open_app(), lambda app: signs(app, "news"))
    (news,) = [text.value for text in app.sidebar.text if not text.value.startswith("Workspace")]
    assert "simtune.duckdb" in news  # where the damaged file is kept
    app.switch_page("pages/data.py").run()
    assert news in [text.value for text in app.sidebar.text]

    app.button(key=f"frame.news.{text_id(news)}").click().run()
    assert news not in [text.value for text in app.sidebar.text]
    assert background().news == ()


def test_a_store_held_by_another_process_is_a_notice_that_goes_by_itself(open_app, workspace):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workspace.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.read(4) == b"held"
    app = look_until(open_app(), lambda app: signs(app, "notice"))
    told = "".join(text.value for text in app.sidebar.text)
    assert "will be imported later" in told and f"(PID {holder.pid})" in told
    assert not app.main.error  # the page itself goes on

    holder.communicate(b"")
    look_until(app, lambda app: not signs(app, "notice"))


def test_a_workspace_that_vanished_is_told(workspace):
    keeper = Background(interval=0.01)
    workspace.root.rename(workspace.root.with_name("elsewhere"))
    keeper.look_after(workspace)
    wait_for(lambda: keeper.notices)
    keeper.end()
    assert keeper.notices == ("The workspace folder is gone; restart the server when it is back.",)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_the_thread_is_told_and_the_next_page_starts_it_again(workspace, monkeypatch):
    def bug(_):
        raise TypeError("a bug")

    monkeypatch.setattr("ui.background.tick", bug)
    keeper = Background(interval=0.01)
    keeper.look_after(workspace)
    wait_for(lambda: keeper.notices)
    assert "ended unexpectedly" in keeper.notices[0]
    wait_for(lambda: not keeper._thread.is_alive())
    monkeypatch.setattr("ui.background.tick", lambda _: Tick())
    keeper.look_after(workspace)
    wait_for(lambda: keeper.notices == ())
    keeper.end()

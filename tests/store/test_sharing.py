"""The store between several processes, in a folder that may not be written, and on a disk that is full."""

import json
import os
import re
import resource
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import duckdb
import pytest

from simtune_core import store
from simtune_core.errors import StoreError
from simtune_core.jobs.context import Job
from simtune_core.store import queries
from simtune_core.store.access import ask
from simtune_core.store.database import StoreSettings
from simtune_core.workflows.background import tick
from simtune_core.workflows.overview import look_over

ENDLESS = "SELECT count(*) FROM range(100000) a, range(100000) b, range(100000) c WHERE a.range + b.range < c.range"
RESULT = {
    "set": "t@v0001:test", "n": 4, "metric": "roc_auc", "baseline": "minilm", "config": {"level": 0.95},
    "models": [{"encoder": "minilm", "title": "MiniLM", "test": {"roc_auc": 0.592}, "difference": None}],
}  # fmt: skip
HOLD_OUR_LOCK = """
import sys
from simtune_core.store.access import ask
from simtune_core.workspace import open_workspace
def hold(database):
    sys.stdout.write("held"); sys.stdout.flush(); sys.stdin.read()
ask(open_workspace(sys.argv[1]), hold)
"""
HOLD_THE_FILE = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1] + "/data/simtune.duckdb")
sys.stdout.write("held"); sys.stdout.flush(); sys.stdin.read()
"""
APP = """
import json, sys, time
from simtune_core.workflows.background import tick
from simtune_core.workspace import open_workspace
workspace, notices = open_workspace(sys.argv[1]), []
print("ready", flush=True)
while not (workspace.root / "enough").exists():
    notices += tick(workspace).notices
    time.sleep(0.02)
notices += tick(workspace).notices
print(json.dumps(notices))
"""
READ_ONLY = """
import json, sys
from simtune_core import store
from simtune_core.errors import SimtuneError
from simtune_core.workflows.background import tick
from simtune_core.workflows.overview import look_over
from simtune_core.workspace import open_workspace
workspace = open_workspace(sys.argv[1])
found = {"tick": tick(workspace).notices, "jobs": len(look_over(workspace).jobs), "notice": look_over(workspace).notice}
found["lead"] = getattr(look_over(workspace).lead, "baseline_value", None)
for name in ("counts", "ingest", "rebuild", "snapshot"):
    try:
        found[name] = str(getattr(store, name)(workspace))
    except SimtuneError as error:
        found[name] = str(error)
print(json.dumps(found))
"""
WITHOUT_OVERRIDE = """
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(24, 1, 0, 0, 0) == 0  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE: root obeys permissions too
os.execv(sys.argv[1], sys.argv[1:])
"""
FULL = """
import json, resource, sys
from simtune_core.workflows.background import tick
from simtune_core.workspace import open_workspace
workspace = open_workspace(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
first = tick(workspace).notices
print(json.dumps([first, tick(workspace).notices]))
"""


@contextmanager
def held(program, workspace):
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(workspace.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout.read(4) == b"held"
        yield holder
    finally:
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()
    assert holder.returncode == 0


def told(program, workspace, *before):
    """Run a program on a workspace, by way of another if need be, and return the JSON it writes."""
    command = [*before, sys.executable, "-c", program, str(workspace.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("program", [HOLD_OUR_LOCK, HOLD_THE_FILE], ids=["another simtune", "a notebook"])
def test_a_store_in_use_is_told_with_its_owner_and_the_overview_reads_the_files(workspace, make_job, program):
    make_job("one", kind="evaluate", result=RESULT)
    store.ingest(workspace)
    impatient = StoreSettings(lock_seconds=0.3)
    with held(program, workspace) as holder:
        sentence = rf"in use by python\S* \(PID {holder.pid}\); try again in a moment"
        with pytest.raises(StoreError, match=sentence):
            store.ingest(workspace, impatient)
        found = look_over(workspace)
        assert re.search(sentence, found.notice)
        assert (found.lead.baseline_value, len(found.jobs)) == (0.592, 1)
    again = look_over(workspace)
    assert (again.notice, again.lead) == (None, found.lead)


def test_who_waits_for_a_store_in_use_gets_it_when_it_is_free(workspace, make_job):
    make_job("one", losses=2)
    store.ingest(workspace)
    with held(HOLD_THE_FILE, workspace) as holder:
        threading.Timer(1.0, holder.stdin.close).start()
        assert store.ingest(workspace, StoreSettings(lock_seconds=100)).n_jobs == 0


def test_a_rebuild_waits_for_a_notebook_rather_than_take_its_file_away(workspace, make_job):
    make_job("one", losses=2)
    store.ingest(workspace)
    with held(HOLD_THE_FILE, workspace) as holder, pytest.raises(StoreError, match=rf"in use by .*PID {holder.pid}"):
        store.rebuild(workspace, StoreSettings(lock_seconds=0.2))
    assert not list(workspace.data.glob("*.damaged-*"))
    assert store.rebuild(workspace).n_jobs == 1


def test_two_apps_on_one_workspace_both_work_and_no_row_is_lost_or_doubled(workspace, make_job):
    command = [sys.executable, "-c", APP, str(workspace.root)]
    apps = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [app.stdout.readline() for app in apps] == ["ready\n"] * 2
    folder = make_job("one", losses=1, state=None)
    with Job(folder, workspace) as job:
        for step in range(2, 301):
            job.metric("loss", 1 / step, step=step)
            time.sleep(0.005)
    (workspace.root / "enough").touch()
    notices = [json.loads(app.communicate(timeout=120)[0]) for app in apps]
    assert all("in use by python" in notice for notice in (*notices[0], *notices[1]))
    assert store.metric_series(workspace, "one", "loss")["step"].tolist() == list(range(1, 301))
    assert not list(workspace.data.glob("*.damaged-*"))


@pytest.fixture
def read_only(workspace):
    """Return a function that takes the right to write away, and says by way of which program root loses it too."""
    folders = (workspace.root, workspace.data, workspace.models)

    def close():
        for folder in folders:
            folder.chmod(0o555)
        return [sys.executable, "-c", WITHOUT_OVERRIDE] if os.geteuid() == 0 else []

    yield close
    for folder in folders:
        folder.chmod(0o755)


def test_a_workspace_that_may_not_be_written_is_shown_and_says_so(workspace, make_job, read_only):
    make_job("one", kind="evaluate", result=RESULT)
    store.ingest(workspace)
    found = told(READ_ONLY, workspace, *read_only())
    (banner,) = found["tick"]
    assert banner.startswith("This workspace is read-only: what is there is shown;")
    assert (found["jobs"], found["notice"], found["lead"]) == (1, None, 0.592)
    assert found["counts"].startswith("Counts(n_jobs=1,")
    for name in ("ingest", "rebuild", "snapshot"):
        assert "read-only" in found[name] or "cannot be written" in found[name], name


def test_a_workspace_that_may_not_be_written_and_has_no_store_is_shown_from_the_files(workspace, make_job, read_only):
    make_job("one", kind="evaluate", result=RESULT)
    found = told(READ_ONLY, workspace, *read_only())
    assert (found["jobs"], found["lead"]) == (1, 0.592)
    assert found["notice"] == (
        "This workspace is read-only and has no results store; everything is shown from the files."
    )
    assert not workspace.store.exists()


def test_a_full_disk_is_told_with_what_is_free_and_nothing_is_lost(workspace, make_job):
    make_job("one", losses=5)
    store.ingest(workspace)
    make_job("two", losses=[(step * 7919) % 10007 / 7 for step in range(20_000)])
    for notices in told(FULL, workspace):
        (notice,) = notices
        assert re.search(
            r": Disk full: results are kept in the job folders and will be imported later; \d+\.\d GB free\. Free some "
            r"space; no job was stopped\.$",
            notice,
        )
    assert tick(workspace).notices == ()
    assert store.counts(workspace).n_metrics == 20_005
    assert store.check(workspace).clean


def test_a_database_that_stopped_answering_is_opened_again_with_one_notice(workspace, make_job):
    make_job("one", losses=5)
    store.ingest(workspace)
    tries = []

    def fails_once(database):
        tries.append(len(tries))
        if len(tries) == 1:
            invalidate(database, workspace)
        return database.rows("SELECT count(*) FROM jobs")

    assert ask(workspace, fails_once) == [(1,)]
    assert len(tries) == 2
    (notice,) = tick(workspace).news
    assert notice.startswith("The results store stopped answering after an error")
    assert tick(workspace).news == ()
    assert store.check(workspace).clean


def invalidate(database, workspace):
    """Let the disk be full in a checkpoint; every statement after that fails, though there is room again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    database.run("CREATE TABLE big AS SELECT hash(range)::VARCHAR AS text FROM range(100000)")
    resource.setrlimit(resource.RLIMIT_FSIZE, (workspace.store.stat().st_size + 4096, hard))
    try:
        with pytest.raises(duckdb.FatalException):
            database.run("CHECKPOINT")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_question_that_takes_too_long_is_interrupted_and_the_store_is_free_again(workspace):
    began = time.monotonic()
    with pytest.raises(StoreError, match="took longer than it may and was stopped"):
        ask(workspace, lambda database: database.rows(ENDLESS), timeout_seconds=0.2)
    with pytest.raises(StoreError, match="took longer than it may and was stopped"):
        queries._answer(workspace, lambda database: database.rows(ENDLESS))  # as every question of a page is asked
    assert time.monotonic() - began < 60  # without a limit it takes days
    assert store.counts(workspace).n_jobs == 0

"""What a kind reports reaches the file whole, in order and not too often."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from simtune_core.jobs.context import Job
from simtune_core.jobs.events import read_events


def events_of(job):
    return read_events(job.folder / "events.jsonl", max_bytes=1 << 30).events


def test_numbers_go_on_where_an_earlier_process_ended(workspace):
    for _ in range(3):
        with Job(workspace.jobs / "one", workspace) as job:
            job.metric("loss", 1.0)
            job.metric("loss", 2.0)
    assert [event.seq for event in events_of(job)] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float32("-inf")])
def test_a_value_that_is_not_finite_is_null_with_its_text_beside(workspace, value):
    with Job(workspace.jobs / "one", workspace) as job:
        job.metric("loss", value, step=np.int64(3))
    (event,) = events_of(job)
    assert (event.value, event.value_text, event.step) == (None, repr(float(value)), 3)


def test_fast_progress_is_thinned_and_the_last_one_always_written(workspace):
    with Job(workspace.jobs / "one", workspace) as job:
        for done in range(1, 501):
            job.progress(done, 1000, "embedding")
    written = [event.value["done"] for event in events_of(job)]
    assert written[0] == 1
    assert written[-1] == 500
    assert len(written) < 20


def test_the_rate_gives_the_time_that_is_left(workspace, monkeypatch):
    clock = iter(np.arange(0.0, 100.0, 2.0))
    monkeypatch.setattr("simtune_core.jobs.context.time.monotonic", lambda: float(next(clock)))
    job = Job(workspace.jobs / "one", workspace)
    for done in (10, 20, 30):
        job.progress(done, 100)
    value = events_of(job)[-1].value
    assert value["rate"] > 0
    assert value["eta_seconds"] == pytest.approx((100 - 30) / value["rate"])
    job.close()


def test_arrays_and_nested_nan_become_plain_json(workspace):
    with Job(workspace.jobs / "one", workspace) as job:
        job.ledger("easy", {"share": np.float64("nan"), "counts": np.array([1, 2]), "text": "a\ud800b"})
    assert events_of(job)[0].value == {"share": None, "counts": [1, 2], "text": "a?b"}


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from simtune_core.errors import WorkspaceError
from simtune_core.jobs.context import Job
from simtune_core.workspace import open_workspace

workspace = open_workspace(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Job(workspace.jobs / "one", workspace) as job:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), most))
    written = 0
    try:
        while True:
            job.metric("loss", written / 8, step=written)
            written += 1
    except WorkspaceError as error:
        sys.stdout.write(f"{written} {error}")
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    job.metric("loss", -1.0, step=written)
"""


@pytest.mark.parametrize("n_bytes", [1000, 1037, 1100])
def test_a_full_disk_is_told_as_a_sentence_and_costs_no_other_event(workspace, n_bytes):
    """A limit on the size of files cuts a line in the middle, as a full disk does."""
    command = [sys.executable, "-c", FULL_DISK, str(workspace.root), str(n_bytes)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    written, sentence = said.split(" ", 1)
    batch = read_events(workspace.jobs / "one" / "events.jsonl")
    assert "events.jsonl cannot be written" in sentence
    assert [event.seq for event in batch.events] == list(range(int(written) + 1))
    assert [event.value for event in batch.events] == [step / 8 for step in range(int(written))] + [-1.0]
    assert batch.n_bad <= 1


def test_numbers_go_on_behind_a_line_longer_than_the_tail_that_is_searched(workspace):
    with Job(workspace.jobs / "one", workspace) as job:
        job.metric("loss", 1.0)
        job.ledger("long", "x" * 3_000_000)
    with Job(workspace.jobs / "one", workspace) as job:
        job.metric("loss", 2.0)
    assert [event.seq for event in events_of(job)] == [0, 1, 2]


def test_several_threads_report_whole_lines_each_under_a_number_of_its_own(workspace):
    with Job(workspace.jobs / "one", workspace) as job, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda step: job.metric("loss", step, step=step), range(400)))
    assert [event.seq for event in events_of(job)] == list(range(400))
    assert sorted(event.step for event in events_of(job)) == list(range(400))


def test_nothing_of_a_job_goes_on_after_it_was_closed(workspace):
    job = Job(workspace.jobs / "one", workspace)
    job.metric("loss", 1.0)
    assert "events-fsync" in [thread.name for thread in threading.enumerate()]
    job.close()
    job.close()
    assert "events-fsync" not in [thread.name for thread in threading.enumerate()]


def test_a_job_knows_the_checkpoint_that_it_continues(workspace, tmp_path):
    with Job(workspace.jobs / "one", workspace, continues=tmp_path) as job:
        assert job.continues == tmp_path
    with Job(workspace.jobs / "two", workspace) as job:
        assert job.continues is None

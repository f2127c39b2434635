"""What a kind reports reaches the file whole, in order and not too often."""

import numpy as np
import pytest

from simtune_core.errors import WorkspaceError
from simtune_core.jobs.context import Job
from simtune_core.jobs.events import read_events


def events_of(job):
    return read_events(job.folder / "events.jsonl").events


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


def test_a_full_disk_is_told_as_a_sentence(workspace, monkeypatch):
    job = Job(workspace.jobs / "one", workspace)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("simtune_core.jobs.context.os.write", full)
    with pytest.raises(WorkspaceError, match=r"Disk full while writing events\.jsonl"):
        job.metric("loss", 1.0)
    monkeypatch.undo()
    job.metric("loss", 1.0)
    job.close()
    assert [event.seq for event in events_of(job)] == [0]

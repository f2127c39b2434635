"""What the worker writes when its disk fails at the worst moment, in this process."""

import json

import pytest

from simtune_core.errors import WorkspaceError
from simtune_core.jobs import worker
from simtune_core.jobs.context import Job
from simtune_core.jobs.marks import create_once


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), WorkspaceError("Disk full.")])
def test_a_result_that_is_written_stays_one_when_the_last_events_find_no_room(workspace, monkeypatch, error):
    def full(_):
        raise error

    monkeypatch.setattr(worker, "die_with", lambda _: None)
    monkeypatch.setattr(Job, "catch_stop", lambda _: None)
    monkeypatch.setattr(Job, "close", full)
    folder = workspace.job("job-1")
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps({"kind": "sleep", "params": {"seconds": 0}}))
    assert worker.main(folder, 0) == 0
    assert json.loads((folder / "result.json").read_text()) == {"n_metrics": 0}


def test_a_mark_that_cannot_be_made_says_why_and_not_what_came_of_it(tmp_path):
    (tmp_path / "job-1").write_text("a file where the folder should be")
    with pytest.raises(WorkspaceError, match=r"stop\.json cannot be written: Not a directory"):
        create_once(tmp_path / "job-1" / "stop.json", {})

"""A run is read look by look: every event once, in order, whatever the last line is."""

import json

import numpy as np

from simtune_core.jobs.context import Job
from simtune_core.workflows.runs import RunReader, list_runs, read_run


def events_file(workspace, name="run"):
    return workspace.job(name) / "events.jsonl"


def test_every_event_is_read_once_however_often_it_is_looked_at(workspace):
    reader = RunReader("run")
    with Job(workspace.jobs / "run", workspace) as job:
        job.phase("easy", step=0)
        for step in range(1, 6):
            job.metric("loss", 1 / step, step=step)
            view = reader.look(workspace)
            assert view.series["loss"].steps.tolist() == list(range(1, step + 1))
        job.metric("loss", float("nan"), step=6)
        job.alert("overlap", "train and dev share 3 texts", step=6)
        job.ledger("steps", 5)
        job.ledger("steps", 6)
    for _ in range(3):
        view = reader.look(workspace)

    assert np.allclose(view.series["loss"].values, [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])
    assert (view.series["loss"].n_not_finite, view.n_bad) == (1, 0)
    assert view.phases == (("easy", 0),)
    assert view.ledger == {"steps": 6}
    assert [(alert["code"], alert["message"]) for alert in view.alerts] == [("overlap", "train and dev share 3 texts")]


def test_a_torn_last_line_waits_until_it_is_whole(workspace):
    with Job(workspace.jobs / "run", workspace) as job:
        for step in range(3):
            job.metric("loss", float(step), step=step)
    content = events_file(workspace).read_bytes()
    last = content.rindex(b"\n", 0, -1) + 1

    for cut in range(last, len(content)):
        events_file(workspace).write_bytes(content[:cut])
        reader = RunReader("run")
        view = reader.look(workspace)
        assert (view.series["loss"].values.tolist(), view.n_bad) == ([0.0, 1.0], 0), cut
        events_file(workspace).write_bytes(content)
        assert reader.look(workspace).series["loss"].values.tolist() == [0.0, 1.0, 2.0], cut


def test_a_damaged_line_is_counted_once_and_the_rest_is_shown(workspace):
    with Job(workspace.jobs / "run", workspace) as job:
        for step in range(3):
            job.metric("loss", float(step), step=step)
    lines = events_file(workspace).read_bytes().splitlines(keepends=True)
    events_file(workspace).write_bytes(lines[0] + b'{"half": \n' + lines[1] + lines[2])

    reader = RunReader("run")
    for _ in range(2):
        view = reader.look(workspace)
        assert (view.series["loss"].values.tolist(), view.n_bad) == ([0.0, 1.0, 2.0], 1)


def test_two_readers_at_different_places_end_with_the_same_view(workspace):
    early = RunReader("run")
    with Job(workspace.jobs / "run", workspace) as job:
        for step in range(50):
            job.metric("loss", float(step), step=step)
            if step % 7 == 0:
                early.look(workspace)
    late = RunReader("run").look(workspace)
    assert early.look(workspace).series["loss"].values.tolist() == late.series["loss"].values.tolist()


def test_a_run_without_events_yet_is_empty(workspace):
    view = RunReader("not-yet").look(workspace)
    assert (view.series, view.phases, view.ledger, view.alerts, view.n_bad) == ({}, (), {}, (), 0)


def test_a_walked_run_shows_what_its_events_say(walked):
    (run,) = [run for run in list_runs(walked.workspace) if run.params["method"] == "lora"]
    status, view = read_run(walked.workspace, run.id)
    lines = [json.loads(line) for line in (run.folder / "events.jsonl").read_text().splitlines()]
    logged = [line for line in lines if line["kind"] == "metric" and line["name"] == "loss"]

    assert status.state == "done"
    assert view.series["loss"].values.tolist() == [line["value"] for line in logged]
    assert view.series["loss"].steps[-1] == 4
    assert [status.title for status in list_runs(walked.workspace)] == [
        "Train walk-lora on small@v0001:train", "Train walk-head on small@v0001:train",
    ]  # fmt: skip

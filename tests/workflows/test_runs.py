"""A run is read look by look: every event once, in order, whatever the last line is."""

import json
import os
import shutil

import numpy as np
import pyarrow.parquet
import pytest

from simtune_core import store
from simtune_core.figures.curves import POINTS_ON_SCREEN, Curve, training_curves
from simtune_core.files import write_json
from simtune_core.jobs.context import CONTINUES, Job
from simtune_core.jobs.events import Event, event_line
from simtune_core.workflows.runs import RunReader, RunsReader, list_runs, read_run


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


def test_numbers_doubled_or_out_of_order_are_one_point_each_in_the_order_of_their_numbers(workspace):
    """Looked at after every line, in an order that a resumed writer could have left."""
    reader = RunReader("run")
    seqs, seen = [0, 1, 4, 4, 2, 9, 0, 3, 8, 2], {}
    events_file(workspace).parent.mkdir(parents=True)
    for place, seq in enumerate(seqs):
        seen.setdefault(seq, float(place))
        with events_file(workspace).open("ab") as file:
            file.write(event_line(Event(1, seq, 100.0 - place, "metric", "loss", step=seq, value=float(place))))
        look = reader.look(workspace).series["loss"]
        assert list(zip(look.steps.tolist(), look.values.tolist(), strict=True)) == sorted(seen.items())
    once = RunReader("run").look(workspace).series["loss"]
    assert (once.steps.tolist(), once.values.tolist()) == (look.steps.tolist(), look.values.tolist())


def test_the_order_is_that_of_the_numbers_though_the_clock_was_set_back(workspace):
    events_file(workspace).parent.mkdir(parents=True)
    lines = [event_line(Event(1, seq, 1e9 - 3600.0 * seq, "metric", "loss", step=seq, value=0.5)) for seq in range(5)]
    events_file(workspace).write_bytes(b"".join(lines))
    assert RunReader("run").look(workspace).series["loss"].steps.tolist() == [0, 1, 2, 3, 4]


def test_points_without_a_step_are_counted_through(workspace):
    with Job(workspace.jobs / "run", workspace) as job:
        for _ in range(3):
            job.metric("rate", 2.0)
        job.metric("rate", 3.0, step=10)
    assert RunReader("run").look(workspace).series["rate"].steps.tolist() == [0, 1, 2, 10]


@pytest.mark.parametrize("change", ["truncated", "emptied", "replaced", "rewritten longer"])
def test_a_file_that_is_no_longer_the_one_that_was_read_is_read_anew(workspace, change):
    reader = RunReader("run")
    with Job(workspace.jobs / "run", workspace) as job:
        for step in range(20):
            job.metric("loss", float(step), step=step)
    assert len(reader.look(workspace).series["loss"].steps) == 20
    path, other = events_file(workspace), workspace.jobs / "other"
    with Job(other, workspace) as job:
        job.log("x" * 37)
        for step in range(60):
            job.metric("loss", -1.0, step=step)
    lines = path.read_bytes().splitlines(keepends=True)
    if change == "replaced":
        (other / "events.jsonl").replace(path)
    else:
        rewritten = (other / "events.jsonl").read_bytes()
        path.write_bytes({"truncated": b"".join(lines[:5]), "emptied": b"", "rewritten longer": rewritten}[change])
    series = reader.look(workspace).series
    values = series["loss"].values.tolist() if series else []
    full = [-1.0] * 60
    expected = {"truncated": [0.0, 1.0, 2.0, 3.0, 4.0], "emptied": [], "replaced": full, "rewritten longer": full}
    assert values == expected[change]


def test_a_run_whose_folder_was_removed_says_so_keeps_its_curve_and_may_come_back(workspace):
    reader = RunReader("run")
    with Job(workspace.jobs / "run", workspace) as job:
        job.metric("loss", 1.0, step=1)
    assert not reader.look(workspace).removed
    shutil.rmtree(workspace.jobs / "run")
    for _ in range(2):
        view = reader.look(workspace)
        assert (view.removed, view.series["loss"].values.tolist()) == (True, [1.0])
    with Job(workspace.jobs / "run", workspace) as job:
        job.metric("loss", 7.0, step=1)
    view = reader.look(workspace)
    assert (view.removed, view.series["loss"].values.tolist()) == (False, [7.0])


def test_a_file_that_came_back_with_the_number_and_size_of_the_old_one_is_read_anew(workspace):
    reader = RunReader("run")
    path = workspace.jobs / "run" / "events.jsonl"
    path.parent.mkdir()
    line = '{"v":1,"seq":0,"time":1.0,"kind":"metric","name":"loss","step":1,"value":%s}\n'
    for value, written in ((1.0, 1), (7.0, 2)):
        path.write_text(line % value)  # in place: the same inode
        os.utime(path, ns=(written, written))
        assert reader.look(workspace).series["loss"].values.tolist() == [value]


def test_an_earlier_view_keeps_its_points_while_the_file_grows(workspace):
    reader, views = RunReader("run"), []
    with Job(workspace.jobs / "run", workspace) as job:
        for step in range(300):
            job.metric("loss", float(step), step=step)
            if step % 10 == 9:
                views.append(reader.look(workspace))
    for number, view in enumerate(views, start=1):
        assert view.series["loss"].values.tolist() == list(range(10 * number))


def test_nothing_is_read_where_nothing_is_new(workspace):
    reader = RunsReader()
    for name in ("one", "two", "three"):
        with Job(workspace.jobs / name, workspace) as job:
            job.metric("loss", 1.0, step=1)
    first = reader.look(workspace, ["one", "two", "three"])
    with Job(workspace.jobs / "two", workspace) as job:
        job.metric("loss", 2.0, step=2)
    second = reader.look(workspace, ["one", "two"])
    assert second["one"] is first["one"]
    assert second["two"].series["loss"].values.tolist() == [1.0, 2.0]
    assert list(second) == ["one", "two"]


def test_a_continued_run_is_one_curve_without_a_step_twice(workspace):
    """The first was killed at step 7 after a checkpoint at 4, the second at 6 before it had made one."""
    with Job(workspace.jobs / "a", workspace) as job:
        job.phase("easy", step=0)
        job.metric("dev", 0.5, step=0)
        for step in range(1, 8):
            job.metric("loss", 10.0 + step, step=step)
        job.phase("late", step=6)
    with Job(workspace.jobs / "b", workspace) as job:
        continues(job, "a", 4)
        for step in range(5, 7):
            job.metric("loss", 20.0 + step, step=step)
    with Job(workspace.jobs / "c", workspace) as job:
        continues(job, "a", 4)
        job.phase("easy", step=4)
        job.metric("dev", 0.5, step=0)  # measured again
        reader = RunReader("c")
        assert reader.look(workspace).series["loss"].steps.tolist() == [1, 2, 3, 4]
        for step in range(5, 10):
            job.metric("loss", 30.0 + step, step=step)
        job.metric("dev", 0.75, step=9)
        job.phase("hard", step=7)
    view = reader.look(workspace)
    assert view.series["loss"].steps.tolist() == list(range(1, 10))
    assert view.series["loss"].values.tolist() == [11, 12, 13, 14, 35, 36, 37, 38, 39]
    assert (view.series["dev"].steps.tolist(), view.series["dev"].values.tolist()) == ([0, 9], [0.5, 0.75])
    assert view.phases == (("easy", 0), ("hard", 7))
    assert reader.look(workspace) is view
    assert RunReader("b").look(workspace).series["loss"].steps.tolist() == [1, 2, 3, 4, 5, 6]


def test_runs_that_claim_to_continue_each_other_or_a_run_that_is_gone_are_shown_as_they_are(workspace):
    for name, other in (("a", "b"), ("b", "a"), ("c", "gone"), ("d", "../../etc")):
        with Job(workspace.jobs / name, workspace) as job:
            continues(job, other, 2)
            job.metric("loss", 1.0, step=3)
    for name in "abcd":
        assert RunReader(name).look(workspace).series["loss"].steps.tolist() == [3]


def test_a_long_run_is_drawn_with_few_points_and_exported_with_every_value(workspace, tmp_path):
    """More points than one slice of an ingest and one piece of a look."""
    n_points = 120_000
    values = np.random.default_rng(0).normal(size=n_points)
    values[77_777] = 50.0  # the peak that must not be lost on the screen
    folder = workspace.job("run")
    spec = {"v": 1, "id": "run", "kind": "train", "title": "run", "params": {}, "spec_hash": "x", "created": 1.0}
    write_json(folder / "spec.json", spec)
    lines = [
        event_line(Event(1, n, 1.0, "metric", "loss", step=n, value=value)) for n, value in enumerate(values.tolist())
    ]
    events_file(workspace).write_bytes(b"".join(lines))

    series = RunReader("run").look(workspace).series["loss"]
    assert np.array_equal(series.values, values)
    figure = training_curves({"loss": [Curve("run", series.steps.astype(float), series.values)]}, smoothing=0.6)["loss"]
    assert [len(trace.x) for trace in figure.data] == [POINTS_ON_SCREEN, POINTS_ON_SCREEN]
    assert max(figure.data[0].y) == 50.0
    store.export(workspace, tmp_path / "out")
    exported = pyarrow.parquet.read_table(tmp_path / "out" / "events.parquet").sort_by("seq")
    assert np.array_equal(exported["value"].to_numpy(), values)
    assert exported["step"].to_pylist() == list(range(n_points))


def continues(job, earlier, step):
    """Report what the worker reports of the checkpoint that a job goes on from."""
    job.ledger(CONTINUES, {"job": earlier, "step": step})


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

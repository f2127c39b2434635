"""The files of a real job, cut at every byte and with flipped bytes: no reader raises, none shows what was not written.

The lines of events carry a sum, so that a flipped digit is told from a number. The JSON files carry none: after a flip
that leaves them JSON of their shape they may say something else; what is promised, and tested, is that nothing raises.
"""

import itertools
import json
import os
import random
import shutil

import msgspec
import pytest

from simtune_core.errors import SimtuneError
from simtune_core.jobs.events import read_events, read_latest
from simtune_core.jobs.launcher import follow, launch, list_jobs, read_job, read_result
from simtune_core.workflows.logs import read_log_part
from simtune_core.workflows.runs import RunReader
from simtune_core.workspace import open_workspace

SEED = int(os.environ.get("SIMTUNE_SEED", "20260731"))
FILES = ("spec.json", "proc.json", "exit.json", "result.json")
_ticks = itertools.count(10**18, 10**9)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Run one job to its end and return its workspace and folder; nobody changes them."""
    workspace = open_workspace(tmp_path_factory.mktemp("real"))
    job_id = launch(workspace, "sleep", {"seconds": 0.4, "rate": 25}, title="Titel ü 日本")
    status = follow(workspace, job_id, poll_seconds=0.05)
    assert status.state == "done", status.cause
    return status


@pytest.fixture
def copy(real, workspace):
    """Return the folder of a copy of the job, to be damaged."""
    return shutil.copytree(real.folder, workspace.job(real.id))


def put(path, content):
    """Write a file with a time of its own, so that two damages within one tick of the clock are two files."""
    path.write_bytes(content)
    tick = next(_ticks)
    os.utime(path, ns=(tick, tick))
    os.utime(path.parent, ns=(tick, tick))


def flips(content, n):
    """Yield the content with one byte flipped, `n` times, with where it was."""
    rng = random.Random(SEED)
    for _ in range(n):
        at = rng.randrange(len(content))
        spoilt = bytearray(content)
        spoilt[at] ^= rng.randrange(1, 256)
        yield at, bytes(spoilt)


def bare(event):
    """Return an event without its sum: a flip may hit the key of the sum alone."""
    return msgspec.structs.replace(event, c=None)


def test_an_event_file_cut_at_any_byte_shows_its_whole_lines_and_counts_no_bad_one(workspace, copy):
    path = copy / "events.jsonl"
    content, events = path.read_bytes(), read_events(path).events
    assert len(events) > 10
    values = [event.value for event in events if event.kind == "metric"]
    for cut in range(len(content) + 1):
        put(path, content[:cut])
        n_whole = content[:cut].count(b"\n")
        batch = read_events(path)
        assert (batch.events, batch.n_bad) == (events[:n_whole], 0), cut
        latest = read_latest(path)
        assert latest.last_step in {None, *(event.step for event in events[:n_whole])}, cut
        view = RunReader(copy.name).look(workspace)
        shown = view.series["value"].values.tolist() if view.series else []
        assert (shown, view.n_bad) == (values[: len(shown)], 0), cut
        assert len(shown) == sum(event.kind == "metric" for event in events[:n_whole]), cut


def test_a_thousand_flipped_bytes_in_an_event_file_show_no_value_that_was_not_written(workspace, copy):
    path = copy / "events.jsonl"
    content, events = path.read_bytes(), read_events(path).events
    written, lines = {repr(bare(event)) for event in events}, content.split(b"\n")
    points = {(event.step, event.value) for event in events if event.kind == "metric"}
    for at, spoilt in flips(content, 1000):
        put(path, spoilt)
        batch = read_events(path)
        assert {repr(bare(event)) for event in batch.events} <= written, (SEED, at)
        intact = sum(line in lines for line in spoilt.split(b"\n") if line)
        assert intact <= len(batch.events) <= len(events), (SEED, at)
        assert read_latest(path).last_step in {None, *(event.step for event in events)}, (SEED, at)
        view = RunReader(copy.name).look(workspace)
        series = view.series.get("value")
        shown = zip(series.steps.tolist(), series.values.tolist(), strict=True) if series else ()
        assert set(shown) <= points, (SEED, at)
        assert view.n_bad == batch.n_bad


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_a_job_cut_at_any_byte_says_what_was_written_or_nothing(workspace, copy, real, name):
    if name == "proc.json":
        (copy / "exit.json").unlink()  # it is read only while a job has not ended
    content, before = (copy / name).read_bytes(), read_job(workspace, real.id)
    result = json.loads((real.folder / "result.json").read_text())
    for cut in range(len(content) + 1):
        put(copy / name, content[:cut])
        for status in list_jobs(workspace):
            assert (status.title, status.params, status.created) == (before.title, before.params, before.created), cut
            assert status.state in ("done", "lost"), cut
            assert status.started in (before.started, None), cut
            assert status.ended in (before.ended, read_latest(copy / "events.jsonl").time), cut
        try:
            assert read_result(workspace, real.id) == result, cut
        except SimtuneError as error:
            assert str(error), cut
    assert read_job(workspace, real.id) == before


@pytest.mark.parametrize("name", FILES)
def test_flipped_bytes_in_a_file_of_a_job_never_raise_anything_but_a_sentence(workspace, copy, real, name):
    if name == "proc.json":
        (copy / "exit.json").unlink()
    content = (copy / name).read_bytes()
    for at, spoilt in flips(content, 250):
        put(copy / name, spoilt)
        for look in (read_job, read_result, read_log_part):
            try:
                look(workspace, real.id)
            except SimtuneError as error:
                assert str(error), (SEED, at)
        assert len(list_jobs(workspace)) <= 1

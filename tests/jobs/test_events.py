"""Events are read while they are being written, whatever becomes of the file."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.jobs.context import Job
from simtune_core.jobs.events import Event, event_line, parse_event, read_events, read_latest
from simtune_core.workspace import open_workspace


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A real event file: (bytes, events)."""
    workspace = open_workspace(tmp_path_factory.mktemp("events"))
    with Job(workspace.jobs / "one", workspace) as job:
        job.phase("easy", step=0)
        for step in range(1, 6):
            job.metric("loss", 1 / step, step=step, epoch=step / 5, phase="easy")
            job.progress(step, 5, "training")
        job.metric("grad_norm", float("inf"), step=5)
        job.alert("loss_flat", "The loss has not moved: ünïcode, 日本語.", step=5)
        job.ledger("easy", {"n_pairs": 320, "share": 0.25})
    content = (job.folder / "events.jsonl").read_bytes()
    return content, read_events(job.folder / "events.jsonl").events


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_file_cut_at_any_byte_shows_only_values_that_were_written(written, tmp_path_factory, data):
    content, events = written
    cut = data.draw(st.integers(0, len(content)))
    path = tmp_path_factory.mktemp("cut") / "events.jsonl"
    path.write_bytes(content[:cut])
    batch = read_events(path)
    assert batch.events == events[: content[:cut].count(b"\n")]
    assert batch.n_bad == 0
    assert batch.offset == content[:cut].rfind(b"\n") + 1
    read_latest(path)
    # The rest arrives later: from the offset on, nothing is missing and nothing comes twice.
    path.write_bytes(content)
    assert batch.events + read_events(path, batch.offset).events == events


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_flipped_bytes_never_raise_and_never_show_a_value_that_was_not_written(written, tmp_path_factory, data):
    content, events = written
    spoilt = bytearray(content)
    at = data.draw(st.integers(0, len(content) - 1))
    spoilt[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("flip") / "events.jsonl"
    path.write_bytes(spoilt)
    batch = read_events(path)
    hit = content[:at].count(b"\n")
    others = [event for number, event in enumerate(events) if number not in (hit, hit + 1)]
    shown = [bare(event) for event in batch.events]
    assert all(event in [bare(other) for other in events] for event in shown)
    assert [event for event in batch.events if event in others] == others
    assert len(shown) + batch.n_bad >= len(events) - 1  # a lost line feed makes one bad line of two
    read_latest(path)


def bare(event):
    """Return an event without its sum: a flip may hit the key of the sum alone."""
    return msgspec.structs.replace(event, c=None)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_not_and_never_an_error(line):
    assert parse_event(line) is None or isinstance(parse_event(line), Event)


@given(st.builds(
    Event,
    v=st.just(1),
    seq=st.integers(0, 2**53 - 1),
    time=st.floats(0, 1e12),
    kind=st.sampled_from(["metric", "ledger"]),
    name=st.text(max_size=20),
    step=st.none() | st.integers(0, 2**53 - 1),
    epoch=st.none() | st.floats(0, 1e6),
    phase=st.none() | st.text(max_size=20),
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
))  # fmt: skip
def test_a_line_is_read_as_the_event_it_was_written_from(event):
    line = event_line(event)
    assert bare(parse_event(line.removesuffix(b"\n"))) == event
    assert line.count(b"\n") == 1
    assert json.loads(line)["seq"] == event.seq


def test_a_line_whose_digit_was_flipped_is_not_an_event_though_it_is_json():
    line = event_line(Event(1, 7, 1.0, "metric", "loss", step=3, value=0.5))
    spoilt = line.replace(b'"value":0.5', b'"value":0.6')
    assert json.loads(spoilt)["value"] == 0.6
    assert parse_event(spoilt) is None
    assert parse_event(line).value == 0.5


def test_a_torn_line_is_counted_once_the_writer_goes_on_behind_it(workspace):
    folder = workspace.jobs / "torn"
    with Job(folder, workspace) as job:
        job.metric("loss", 1.0, step=1)
    with (folder / "events.jsonl").open("ab") as file:
        file.write(b'{"v":1,"seq":1,"ti')
    assert len(read_events(folder / "events.jsonl").events) == 1
    with Job(folder, workspace) as job:
        job.metric("loss", 0.5, step=2)
    batch = read_events(folder / "events.jsonl")
    assert [(event.seq, event.value) for event in batch.events] == [(0, 1.0), (1, 0.5)]
    assert batch.n_bad == 1


def test_lines_that_break_the_contract_are_bad():
    good = {"v": 1, "seq": 0, "time": 1.0, "kind": "metric", "name": "loss", "value": 0.5}
    assert parse_event(json.dumps(good).encode()).step is None
    breaks = [{"v": 2}, {"seq": -1}, {"seq": True}, {"time": "now"}, {"kind": "other"}, {"value": "0.5"}, {"step": 0.5}]
    for change in breaks:
        assert parse_event(json.dumps(good | change).encode()) is None, change
    assert parse_event(json.dumps(good).replace("0.5", "NaN").encode()) is None
    assert parse_event(b"[" * 100_000) is None


def test_large_files_are_read_in_batches_that_join_without_gap(workspace):
    with Job(workspace.jobs / "long", workspace) as job:
        for step in range(200):
            job.metric("loss", step, step=step)
    path, offset, steps = job.folder / "events.jsonl", 0, []
    while (batch := read_events(path, offset, max_bytes=1000)).offset > offset:
        offset = batch.offset
        steps += [event.step for event in batch.events]
    assert steps == list(range(200))


def test_the_end_of_the_file_tells_how_far_the_job_is(written, tmp_path):
    content, _ = written
    (tmp_path / "events.jsonl").write_bytes(content)
    latest = read_latest(tmp_path / "events.jsonl")
    assert (latest.done, latest.total, latest.text, latest.last_step) == (5, 5, "training", 5)
    assert [finding["code"] for finding in latest.findings] == ["loss_flat"]
    assert read_latest(tmp_path / "absent.jsonl").done is None

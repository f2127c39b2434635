"""Real trainings whose worker, server or browser is killed: what the page says, what is kept, and what goes on.

The pairs are invented, the encoder is the bundled one, every process is a real one.
"""

import itertools
import os
import signal
import time

import pandas as pd
import psutil
import pytest

from simtune_core import store
from simtune_core.datasets import save_pairs
from simtune_core.encoders.config import EncodingConfig
from simtune_core.jobs.context import EVENTS
from simtune_core.jobs.events import read_events
from simtune_core.workflows.requests import train_request
from simtune_core.workflows.running import list_jobs, read_job, result_of, run_to_end, start
from tests.browser_walk.seat import Seat

TOPICS = {
    "printer": ("paper stuck in the printer", "printer prints blank pages", "toner is empty"),
    "vpn": ("vpn drops every hour", "tunnel is down", "remote access fails from home"),
    "login": ("password expired today", "account locked after typos", "cannot sign in anymore"),
    "mail": ("outlook does not sync", "mailbox is full", "mails stay in the outbox"),
}
SMALL = {"method": "lora", "per_device_train_batch_size": 4, "max_seq_length": 32, "logging_steps": 1}
SMALL |= {"evaluations": 1, "max_dev_pairs": 20, "epochs": 50, "precision": "fp32"}
ENDLESS = 1600  # steps: minutes, so that a run ends only when something ends it
N_STEPS = 80
TOLD_SECONDS = 5
POLL_SECONDS = 2  # the page looks once a second


@pytest.fixture
def sets(workspace):
    """Return a workspace with 528 training pairs, 132 steps of 4, and 132 dev pairs of other wording."""
    for name, prefixes in (("dev", ["request"]), ("train", ["ticket", "call", "case", "incident"])):
        pairs = pd.concat([invented_pairs(prefix) for prefix in prefixes])
        save_pairs(workspace, name, pairs, provenance={"source": "invented"})
    return workspace


@pytest.fixture
def sit_down(chromium, serve):
    """Return a function that opens a page of a server in a new browser context; all are closed at the end."""
    seats = []

    def sit(address, path="/"):
        seat = Seat(chromium, address)
        seats.append(seat)
        seat.page.goto(address + path)
        return seat

    yield sit
    for seat in seats:
        seat.close()


@pytest.fixture(autouse=True)
def no_process_is_left(workspace):
    """A test must leave no process of its workspace, whether it passes or not."""
    yield
    deadline = time.monotonic() + 8
    while (left := processes(workspace)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in left:
        process.kill()
    assert left == []


def test_a_killed_training_is_told_on_the_open_page_and_loses_no_point(sets, serve, sit_down):
    job_id = start(sets, request(sets, "doomed", max_steps=ENDLESS), reuse=False)
    seat = sit_down(serve(sets), "/training")
    seat.page.evaluate("window.neverReloaded = true")
    wait_for_steps(sets, job_id, 5)
    seen = steps_of(sets, job_id)
    killed = time.monotonic()
    processes(sets, "worker", job_id)[0].kill()
    job = wait_for(lambda: read_job(sets, job_id), lambda job: job.finished, TOLD_SECONDS)
    last = max(event.step or 0 for event in events_of(sets, job_id))
    assert (job.state, job.last_step) == ("failed", last)
    assert "Killed by signal 9" in job.cause and f"after step {last}" in job.cause
    seat.see(job.cause, seconds=TOLD_SECONDS + POLL_SECONDS)
    assert time.monotonic() - killed < TOLD_SECONDS + POLL_SECONDS
    assert seat.page.evaluate("window.neverReloaded")
    seat.inspect()
    steps = steps_of(sets, job_id)
    assert steps[: len(seen)] == seen and steps == list(range(1, len(steps) + 1))
    assert_stored_once(sets, job_id)
    again, result = run_to_end(sets, request(sets, "again", max_steps=2), reuse=False)
    assert (again.state, result["status"]) == ("done", "applied")
    assert_stored_once(sets, again.id)
    assert (seat.faults, seat.outside()) == ([], [])


def test_a_training_outlives_browser_and_server_and_is_shown_whole(sets, serve, sit_down):
    seat = sit_down(serve(sets), "/training")
    settings = {"Max steps": N_STEPS, "Evaluations": 1, "Max dev pairs": 20, "Max seq length": 32}
    settings |= {"Per device train batch size": 4, "Logging steps": 1}
    seat.page.get_by_role("heading", level=1, name="Training").wait_for(timeout=60_000)
    seat.start_training("lora", settings, train="train", dev="dev", name="survivor")
    (job,) = wait_for(lambda: list_jobs(sets), bool, 30)
    wait_for_steps(sets, job.id, 5)
    seat.page.context.close()
    kill_server(seat.address)
    told = steps_of(sets, job.id)
    wait_for(lambda: steps_of(sets, job.id), lambda steps: len(steps) > len(told), 10)
    (worker,) = processes(sets, "worker", job.id)
    worker.suspend()  # so that its points can be counted while the page is opened
    seat = sit_down(serve(sets), "/training")
    seat.see("Train survivor on train@v0001")
    assert read_job(sets, job.id).state == "running"
    wait_for(lambda: charted_steps(seat), lambda steps: steps == steps_of(sets, job.id), 30)
    assert told < steps_of(sets, job.id) < list(range(1, N_STEPS + 1))
    worker.resume()
    seat.main.get_by_role("heading", name="What really ran", exact=True).wait_for(timeout=60_000)
    seat.settle()
    seat.inspect()
    assert charted_steps(seat) == steps_of(sets, job.id) == list(range(1, N_STEPS + 1))
    assert (read_job(sets, job.id).state, result_of(sets, job.id)["status"]) == ("done", "applied")
    assert_stored_once(sets, job.id)
    assert (seat.faults, seat.outside()) == ([], [])


def test_stop_on_the_page_ends_the_run_and_keeps_the_model_as_it_is(sets, serve, sit_down):
    job_id = start(sets, request(sets, "cut_short", max_steps=ENDLESS), reuse=False)
    seat = sit_down(serve(sets), "/training")
    wait_for_steps(sets, job_id, 3)
    seat.press("Stop")
    seat.see("Model cut_short", seconds=30, exact=True)
    seat.settle()
    seat.inspect()
    job, result = read_job(sets, job_id), result_of(sets, job_id)
    last = steps_of(sets, job_id)[-1]
    assert (job.state, result["stopped"], result["status"]) == ("stopped", True, "applied")
    assert 3 <= last < ENDLESS
    seat.see(f"Stopped by you at step {last}")
    kept = next(line for line in result["ledger"] if line["name"] == "weights_kept")
    assert kept["ran"].startswith(f"step {last}, where it was stopped")
    assert (sets.model("cut_short") / "manifest.json").exists()
    assert processes(sets, job_id=job_id) == []
    assert_stored_once(sets, job_id)
    assert (seat.faults, seat.outside()) == ([], [])


def invented_pairs(prefix):
    """Return 132 pairs of tickets, similar if they are of one topic."""
    texts = [(topic, text) for topic, group in TOPICS.items() for text in group]
    rows = [(f"{prefix}: {a[1]}", f"{prefix}: {b[1]}", int(a[0] == b[0])) for a, b in itertools.permutations(texts, 2)]
    return pd.DataFrame(rows, columns=["sentence1", "sentence2", "label"])


def request(workspace, name, **settings):
    """Ask for a small LoRA run."""
    return train_request(
        workspace, "train", "dev", base=EncodingConfig().encoder, config={**SMALL, **settings}, name=name
    )


def wait_for(look, fits, seconds):
    """Look until what is seen fits, and return it."""
    deadline = time.monotonic() + seconds
    while not fits(seen := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {seen}"
        time.sleep(0.05)
    return seen


def wait_for_steps(workspace, job_id, n_steps):
    """Wait until a run has logged so many steps; loading the libraries takes most of it."""
    wait_for(lambda: steps_of(workspace, job_id), lambda steps: len(steps) >= n_steps, 60)


def events_of(workspace, job_id):
    """Return the events of a job's file; no complete line of it may be bad."""
    batch = read_events(workspace.job(job_id) / EVENTS)
    assert batch.n_bad == 0
    return batch.events


def steps_of(workspace, job_id):
    """Return the steps of the loss as they stand in the file."""
    return [event.step for event in events_of(workspace, job_id) if event.kind == "metric" and event.name == "loss"]


def charted_steps(seat):
    """Return the steps that the chart of the loss draws; none before it is drawn."""
    return seat.page.evaluate(
        """() => {
            const chart = [...document.querySelectorAll('.simtune-chart')].find(
                (one) => (one.getAttribute('aria-label') ?? '').startsWith('loss of'));
            return chart?._fullData ? Array.from(chart._fullData[0].x) : [];
        }"""
    )


def assert_stored_once(workspace, job_id):
    """Every point of the file is in the store exactly once, however often it is ingested."""
    store.ingest(workspace)
    store.ingest(workspace)
    points = [event for event in events_of(workspace, job_id) if event.kind == "metric"]
    assert points
    for name in {point.name for point in points}:
        stored = store.metric_series(workspace, job_id, name)
        written = [(point.seq, point.step, point.value) for point in points if point.name == name]
        assert list(stored[["seq", "step", "value"]].itertuples(index=False, name=None)) == written
    checked = store.check(workspace)
    assert checked.repaired == checked.faults == ()


def processes(workspace, role="", job_id=""):
    """Return the live runners and workers of a workspace."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        ours = any(f"simtune_core.jobs.{role}" in word for word in words)
        if ours and any(str(workspace.job(job_id or "x").parent / job_id) in word for word in words):
            found.append(process)
    return [process for process in found if process.info["status"] != psutil.STATUS_ZOMBIE]


def kill_server(address):
    """Kill the server of an address at once; it cannot say goodbye to anything."""
    port = address.rpartition(":")[2]
    (server,) = (child for child in psutil.Process().children() if f"--server.port={port}" in child.cmdline())
    os.kill(server.pid, signal.SIGKILL)
    server.wait(10)

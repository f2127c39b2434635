"""Files become rows, each exactly once, however often and in whatever state ingest is interrupted."""

import math
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core import store
from simtune_core.errors import StoreError
from simtune_core.files import write_json
from simtune_core.jobs.context import Job
from simtune_core.jobs.events import Event, event_line
from simtune_core.jobs.launcher import follow, launch
from simtune_core.store.job_rows import flat_metrics
from simtune_core.workspace import open_workspace

SPEC = {"v": 1, "id": "one", "kind": "train", "title": "one", "params": {}, "spec_hash": "x", "created": 1.0}
EVALUATION = {
    "baseline": "minilm",
    "models": [
        {"encoder": "minilm", "metrics": {"roc_auc": 0.59, "confusion": {"tp": 4}}, "verdict": "BASELINE"},
        {"encoder": "tuned", "metrics": {"roc_auc": 0.78, "spearman_cosine": None}, "curve": [0.1, 0.2]},
    ],
}


def test_a_real_job_is_in_the_store_as_it_is_in_its_file(workspace):
    job_id = launch(workspace, "sleep", {"seconds": 0.5, "rate": 40}, title="a real one")
    follow(workspace, job_id, poll_seconds=0.05)
    assert store.ingest(workspace).n_jobs == 1
    series = store.metric_series(workspace, job_id, "value")
    assert series["value"].tolist() == [1 / step for step in range(1, 21)]
    assert series["step"].tolist() == list(range(1, 21))
    assert store.metric_names(workspace, job_id) == ["value"]
    assert store.check(workspace).clean


def test_ingesting_twice_is_ingesting_once(workspace, make_job):
    make_job("one", losses=50)
    first = store.ingest(workspace)
    assert (first.n_jobs, first.n_bad) == (1, 0)
    before = store.counts(workspace)
    again = store.ingest(workspace)
    assert (again.n_jobs, again.n_events, again.n_datasets, again.n_models) == (0, 0, 0, 0)
    assert store.counts(workspace) == before
    assert before.n_metrics == 50


def test_a_growing_file_is_read_from_where_it_was_left(workspace, make_job):
    folder = make_job("one", losses=2, state=None)
    store.ingest(workspace)
    with Job(folder, workspace) as job:
        job.metric("loss", 0.25, step=3)
    with (folder / "events.jsonl").open("ab") as file:
        file.write(b'{"v":1,"seq":99,"torn')
    assert store.ingest(workspace).n_events == 1
    with (folder / "events.jsonl").open("ab") as file:
        file.write(b' for good\n{"v":1,"seq":100,"time":1.0,"kind":"metric","name":"loss","step":4,"value":0.125}\n')
    later = store.ingest(workspace)
    assert (later.n_events, later.n_bad) == (1, 1)
    assert store.metric_series(workspace, "one", "loss")["value"].tolist() == [1.0, 0.5, 0.25, 0.125]
    assert store.counts(workspace).n_bad == 1
    assert store.check(workspace).clean


def test_an_event_that_comes_twice_is_one_row(workspace, make_job):
    folder = make_job("one", losses=3)
    content = (folder / "events.jsonl").read_bytes()
    (folder / "events.jsonl").write_bytes(content + content)
    store.ingest(workspace)
    assert store.counts(workspace).n_metrics == 3
    assert store.check(workspace).clean


@settings(max_examples=20, deadline=None)
@given(seqs=st.lists(st.integers(0, 12), max_size=25), cuts=st.lists(st.integers(0, 25), max_size=3))
def test_numbers_doubled_or_out_of_order_are_one_point_each_in_the_order_of_their_numbers(tmp_path_factory, seqs, cuts):
    workspace = open_workspace(tmp_path_factory.mktemp("order"))
    with Job(workspace.job("one"), workspace):
        pass
    write_json(workspace.job("one") / "spec.json", SPEC)
    lines = [event_line(Event(1, seq, 1.0, "metric", "loss", step=seq, value=n / 8)) for n, seq in enumerate(seqs)]
    first = {seq: n / 8 for n, seq in reversed(list(enumerate(seqs)))}
    before = 0
    for cut in [*sorted(cuts), len(lines)]:
        with (workspace.job("one") / "events.jsonl").open("ab") as file:
            file.write(b"".join(lines[before:cut]))
        before = cut
        store.ingest(workspace)
    found = store.metric_series(workspace, "one", "loss")
    assert list(zip(found["seq"], found["value"], strict=True)) == sorted(first.items())
    assert store.check(workspace).clean


def test_values_that_are_not_numbers_are_kept_but_not_in_curves(workspace, make_job):
    make_job("one", losses=[1.0, math.nan, math.inf, 4.0])
    assert store.metric_series(workspace, "one", "loss")["value"].tolist() == [1.0, 4.0]
    assert store.counts(workspace).n_metrics == 4


def test_evaluations_come_newest_first_with_encoders_in_their_order(workspace, make_job):
    make_job("20260101-a", kind="evaluate", params={"set": "old@v0001:test"}, result=EVALUATION)
    make_job("20260102-b", kind="evaluate", params={"set": "new@v0001:test"}, result=EVALUATION)
    make_job("20260103-c", kind="evaluate", params={"set": "x"}, state="failed")
    found = store.evaluations(workspace)
    one = [("minilm", "roc_auc", 0.59), ("minilm", "confusion.tp", 4.0), ("tuned", "roc_auc", 0.78)]
    assert list(zip(found["encoder"], found["metric"], found["value"], strict=True)) == one + one
    assert found["set_ref"].unique().tolist() == ["new@v0001:test", "old@v0001:test"]
    assert set(found["baseline"]) == {"minilm"}
    assert store.evaluations(workspace, newest=1)["job_id"].unique().tolist() == ["20260102-b"]
    assert store.counts(workspace).n_evaluations == 2


def test_runs_tell_what_was_trained_on_what(workspace, make_job):
    params = {"train": "t@v0001:train", "dev": "t@v0001:dev", "base": "minilm", "method": "head"}
    make_job("20260101-a", params=params, result={"model_id": "head-1"})
    make_job("20260102-b", params=params | {"method": "lora"}, state="failed")
    runs = store.runs(workspace)
    assert runs["method"].tolist() == ["lora", "head"]
    assert runs["state"].tolist() == ["failed", "done"]
    assert runs["cause"].tolist() == ["why", ""]
    assert runs["model_id"].tolist()[1] == "head-1"
    assert pd.isna(runs["model_id"][0])
    assert runs["seconds"].between(1.9, 5).all()


def test_datasets_and_models_come_and_go_with_their_folders(workspace):
    manifest = {"name": "t", "version": "v0001", "kind": "pairs", "n_rows": 3, "content_id": "c", "created": 1.0}
    dataset = workspace.datasets / "t" / "v0001-01234567"
    write_json(dataset / "manifest.json", manifest)
    model = {"kind": "head", "base": "minilm", "job": None, "train": "t@v0001", "dev": None, "created": 1.0}
    write_json(workspace.model("head-1") / "manifest.json", model)
    assert (store.ingest(workspace).n_datasets, store.counts(workspace).n_models) == (1, 1)
    (dataset / "manifest.json").unlink()
    store.ingest(workspace)
    assert (store.counts(workspace).n_datasets, store.counts(workspace).n_models) == (0, 1)


def test_a_job_folder_that_was_removed_leaves_the_store(workspace, make_job):
    make_job("one")
    folder = make_job("two")
    store.ingest(workspace)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    store.ingest(workspace)
    assert store.counts(workspace).n_metrics == 3


@pytest.mark.slow
def test_killing_the_ingester_at_any_moment_loses_and_doubles_nothing(workspace, make_job):
    for number in range(12):
        make_job(f"job-{number:02d}", losses=400)
    code = "import sys; from simtune_core import store; from simtune_core.workspace import open_workspace\n"
    code += "sys.stdout.write('ready'); sys.stdout.flush(); store.ingest(open_workspace(sys.argv[1]))"
    seed = int(os.environ.get("SIMTUNE_SEED", "20260731"))
    rng, n_killed = random.Random(seed), 0
    for _ in range(6):
        ingester = subprocess.Popen([sys.executable, "-c", code, str(workspace.root)], stdout=subprocess.PIPE)
        assert ingester.stdout.read(5) == b"ready"
        time.sleep(rng.uniform(0.02, 0.35))
        ingester.kill()
        n_killed += ingester.wait() == -signal.SIGKILL
        ingester.stdout.close()
    assert n_killed >= 3, f"seed {seed}: the ingester was too fast to be killed"
    store.ingest(workspace)
    assert store.counts(workspace).n_metrics == 12 * 400
    assert store.check(workspace).clean
    live = store.counts(workspace)
    store.rebuild(workspace)
    assert store.counts(workspace) == live


@pytest.mark.parametrize(
    ("value", "flat"),
    [
        ({"roc_auc": 0.5, "n": 3, "ok": True, "name": "x", "none": None}, {"roc_auc": 0.5, "n": 3.0}),
        ({"metrics": {"a": 1}, "interval": {"low": 0.1, "high": math.nan}}, {"a": 1.0, "interval.low": 0.1}),
        ({"curve": [1, 2], "counts": {"deep": {"er": 2}}}, {"counts.deep.er": 2.0}),
    ],
)
def test_nested_results_become_dotted_names(value, flat):
    assert dict(flat_metrics(value)) == flat


def test_an_export_holds_every_row_and_overwrites_nothing(workspace, make_job, tmp_path):
    make_job("one", losses=5)
    paths = store.export(workspace, tmp_path / "out")
    assert {path.stem for path in paths} == {"jobs", "events", "evaluation_metrics", "datasets", "models"}
    events = pd.read_parquet(tmp_path / "out" / "events.parquet")
    losses = events.loc[events["kind"] == "metric", "value"].to_numpy()
    np.testing.assert_array_equal(losses, 1 / np.arange(1, 6))
    with pytest.raises(StoreError, match="choose another folder"):
        store.export(workspace, tmp_path / "out")


def test_a_manifest_that_lacks_a_fact_is_passed_over_and_the_others_arrive(workspace):
    whole = {"name": "a", "version": "v0001", "kind": "pairs", "n_rows": 2, "content_id": "c", "created": 1.0}
    write_json(workspace.datasets / "a" / "v0001-00000000" / "manifest.json", whole)
    write_json(workspace.datasets / "b" / "v0001-00000000" / "manifest.json", {})
    write_json(workspace.models / "m" / "manifest.json", {"kind": "head", "created": 2.0})
    write_json(workspace.models / "bad" / "manifest.json", {"created": "yesterday"})

    ingested = store.ingest(workspace)
    assert (ingested.n_datasets, ingested.n_models) == (1, 1)
    assert store.ingest(workspace).n_datasets == 0

"""A full disk is foreseen before a job is made, and survived when it comes all the same."""

import json
import os
import resource
import subprocess
import sys

import pytest

from simtune_core.datasets import load_records
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.config import EncodingConfig
from simtune_core.encoders.embedding import embed
from simtune_core.errors import WorkspaceError
from simtune_core.jobs.launcher import list_jobs
from simtune_core.workflows import data, importing, requests, running
from simtune_core.workflows.foresight import RESERVE_BYTES, Need, estimate, finding, foresee, require_room_for_table
from simtune_core.workspace import CHECKOUT
from tests.walk import command

GB = 1_000_000_000


def wide_encoder(workspace, dim):
    """Write a model folder whose vectors are said to be `dim` numbers wide; return its name."""
    folder = workspace.root / "wide"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"hidden_size": dim, "num_hidden_layers": 2}))
    (folder / "model.safetensors").write_bytes(b"\0" * 64)
    return str(folder)


def files_of(workspace):
    paths = (path for path in workspace.root.rglob("*") if path.is_file())
    return {path.relative_to(workspace.root).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    ("need", "free", "severity"),
    [
        (Need(0, 10), RESERVE_BYTES + 10, None),
        (Need(0, 11), RESERVE_BYTES + 10, "warning"),
        (Need(2 * GB, 3 * GB), 2 * GB, "warning"),
        (Need(2 * GB, 3 * GB), 2 * GB - 1, "error"),
    ],
)
def test_what_cannot_fit_is_refused_and_what_may_not_fit_is_warned_of(need, free, severity):
    found = finding("Embed x", need, free)
    assert (found and found["severity"]) == severity


def test_the_sentence_says_what_is_needed_what_is_free_and_how_much_to_free():
    refused = finding("Train a", Need(int(1.2 * GB), 2 * GB), int(0.8 * GB))
    assert refused["message"].startswith(
        "Train a needs at least 1.2 GB and 800 MB is free on the workspace's disk: free "
    )
    assert "free 900 MB" in refused["message"]
    tight = finding("Train a", Need(0, int(1.2 * GB)), int(1.5 * GB))
    assert "may need 1.2 GB and 1.5 GB is free" in tight["message"] and "Free 200 MB to be safe" in tight["message"]


def test_a_request_that_cannot_fit_is_refused_and_no_job_is_made(workspace):
    data.load_sample(workspace)
    encoder = wide_encoder(workspace, 10**12)
    request = requests.embed_request(workspace, "sample_records", EncodingConfig(encoder=encoder, precision="fp32"))

    with pytest.raises(WorkspaceError, match=r"needs at least [\d,]+ GB and .* is free .*: free .* or ask for less"):
        running.start(workspace, request)
    assert list_jobs(workspace) == []

    said = command(workspace, "difficulty", "sample:test", "--encoder", encoder, "--precision", "fp32", fails=True)
    assert "needs at least" in said["error"]["message"]
    assert [each["code"] for each in said["findings"]] == ["disk_full"]
    assert list_jobs(workspace) == []


def test_what_the_cache_may_hold_already_is_no_reason_to_refuse(workspace):
    data.load_sample(workspace)
    texts = len(set(data.row_page(workspace, "sample_records", size=100_000).frame["text"]))
    name = wide_encoder(workspace, 10**9)
    request = requests.embed_request(workspace, "sample_records", EncodingConfig(encoder=name, precision="fp32"))
    held = workspace.cache / "embeddings" / f"{resolve_encoder(workspace, name).fingerprint[:24]}-fp32" / "part-1.npz"
    held.parent.mkdir(parents=True)
    assert foresee(workspace, request)["severity"] == "error"

    with held.open("wb") as file:
        file.truncate(texts * (4 * 10**9 + 16))  # sparse: a size without the room

    assert foresee(workspace, request)["severity"] == "warning"


def test_full_training_is_foreseen_from_the_size_of_the_weights(workspace):
    data.load_sample(workspace)
    needs = {
        method: estimate(
            workspace,
            requests.train_request(
                workspace, "sample:train", "sample:dev", base="minilm", config={"method": method}, name=None
            ),
        )
        for method in ("full", "lora", "head")
    }
    weights = resolve_encoder(workspace, "minilm").folder / "model.safetensors"
    assert needs["full"] == pytest.approx(13 * weights.stat().st_size, rel=0.01)  # a model and three checkpoints
    assert weights.stat().st_size > needs["lora"] > needs["head"]


@pytest.mark.parametrize("kind", ["difficulty", "head", "lora", "evaluate", "candidates", "curriculum", "diagnose"])
def test_what_the_path_asks_for_is_estimated_and_fits_here(walked, kind):
    job = running.read_job(
        walked.workspace, walked.said["curriculum" if kind == "candidates" else kind]["result"]["job"]
    )
    if kind == "candidates":
        job = running.read_job(walked.workspace, job.params["candidates"])
    request = requests.Request(job.kind, job.params, job.title)
    written = sum(path.stat().st_size for path in job.folder.rglob("*") if path.is_file())
    assert written <= estimate(walked.workspace, request) < GB


def test_equal_work_that_is_done_is_answered_on_a_full_disk_too(walked):
    job = running.read_job(walked.workspace, walked.said["evaluate"]["result"]["job"])
    request = requests.Request(job.kind, job.params, job.title)
    assert running.foreseen(walked.workspace, request) == []
    assert running.start(walked.workspace, request) == job.id


def test_a_table_that_cannot_fit_is_not_saved(workspace):
    with pytest.raises(WorkspaceError, match="Saving huge needs at least"):
        require_room_for_table(workspace, "huge", 10**16)
    require_room_for_table(workspace, "small", 1000)


def test_a_disk_that_fills_up_fails_the_job_with_a_sentence_and_leaves_the_rest_intact(workspace, minilm, open_app):
    """Files may grow to 40 KB and no further, for the job and all that it starts; 40 vectors take 60 KB."""
    rows = [f"{number},printer {number} is offline,{'floor' if number % 2 else 'cellar'}" for number in range(40)]
    path = workspace.root / "printers.csv"
    path.write_text("\n".join(["id,text,category", *rows]) + "\n")
    source = importing.anywhere(str(path))
    importing.save_draft(workspace, "printers", importing.draft_source(source), source=source)
    texts = load_records(workspace, "printers").frame["text"].tolist()
    assert embed(workspace, minilm, texts, precision="bf16").n_computed == 40
    before = files_of(workspace)
    limited = [sys.executable, "-m", "simtune_core", "embed", "printers", "--precision", "fp32", "--json"]

    done = subprocess.run(
        limited, cwd=CHECKOUT, env={**os.environ, "SIMTUNE_WORKSPACE": str(workspace.root)}, capture_output=True,
        text=True, timeout=170, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)),
    )  # fmt: skip

    assert done.returncode == 1
    message = json.loads(done.stdout)["error"]["message"]
    assert "cannot be written: File too large. Nothing half-written was kept." in message
    (failed,) = list_jobs(workspace)
    assert (failed.state, failed.cause) == ("failed", message)
    after = files_of(workspace)
    assert {name: after[name] for name in before if ".lock" not in name} == {
        name: held for name, held in before.items() if ".lock" not in name
    }
    assert not [name for name in after if name.endswith(".part")]
    assert embed(workspace, minilm, texts, precision="bf16").n_computed == 0  # all of them are still in the cache
    app = open_app("data")
    assert not app.exception and not app.error

    again = command(workspace, "embed", "printers", "--precision", "fp32")["result"]
    assert (again["state"], again["n_computed"]) == ("done", 40)

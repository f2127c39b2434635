"""A workspace in which the whole path has been walked once, on a small part of the bundled sample; real parts only.

The fixtures are `walked`, which no test changes, and `own_walk`, a copy of it that belongs to one test.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock
from typer.testing import CliRunner

from simtune_core.cli import app
from simtune_core.workspace import SAMPLE, Workspace, open_workspace

CHECKOUT = Path(__file__).resolve().parents[1]
N_PAIRS = {"train": 320, "dev": 120, "test": 160}
CURRICULUM = ("curriculum", "tickets", "--name", "cut", "--set", "n_positives=30", "--set", "n_negatives=30")


@dataclass(frozen=True)
class Walked:
    """The workspace, and what each command said in JSON."""

    workspace: Workspace
    said: dict

    def run(self, *arguments, fails=False):
        """Run one more command on the workspace."""
        return command(self.workspace, *arguments, fails=fails)


def command(workspace, *arguments, fails=False):
    """Run a command with `--json` as the command line does, in this process, and return the envelope.

    A process of its own would take two seconds to import what is imported here; `process` starts one.
    """
    said = CliRunner().invoke(app, [*arguments, "--json"], env={"SIMTUNE_WORKSPACE": str(workspace.root)})
    assert said.exit_code == (1 if fails else 0), said.output
    return json.loads(said.stdout)


def process(workspace, *arguments, fails=False):
    """Run `python -m simtune_core ... --json` in a process of its own and return the envelope."""
    environment = {**os.environ, "SIMTUNE_WORKSPACE": str(workspace.root)}
    done = subprocess.run(
        [sys.executable, "-m", "simtune_core", *arguments, "--json"],
        cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == (1 if fails else 0), done.stdout + done.stderr
    return json.loads(done.stdout)


def small_sample(folder):
    """Write a small part of the bundled sample as two files and return their paths: pairs and records."""
    pairs = pd.read_parquet(SAMPLE / "pairs.parquet")
    pairs = pd.concat([pairs[pairs.split == split].head(n) for split, n in N_PAIRS.items()])
    records = pd.read_parquet(SAMPLE / "records.parquet").head(400)
    pairs.to_csv(folder / "small.csv", index=False)
    records.to_parquet(folder / "tickets.parquet")
    return folder / "small.csv", folder / "tickets.parquet"


@pytest.fixture(scope="session")
def walked(tmp_path_factory, worker_id):
    """Return the walked workspace; test processes that run side by side walk once, and each has a copy of its own."""
    if worker_id == "master":
        folder = tmp_path_factory.mktemp("walked")
        return Walked(open_workspace(folder / "workspace"), walk_through(folder))
    shared = tmp_path_factory.getbasetemp().parent / "walked"
    with FileLock(f"{shared}.lock"):
        if not (shared / "said.json").exists():
            shared.mkdir()
            said = walk_through(shared)
            (shared / "said.json").write_text(json.dumps(said))
    own = tmp_path_factory.mktemp("walked")
    shutil.copytree(shared / "workspace", own / "workspace")
    return Walked(open_workspace(own / "workspace"), json.loads((shared / "said.json").read_text()))


def walk_through(folder):
    """Walk the path by commands, from the import to the evaluation, and return what each said."""
    workspace = open_workspace(folder / "workspace")
    pairs, records = small_sample(folder)
    said = {"import": command(workspace, "import", str(pairs), "--name", "small")}
    command(workspace, "import", str(records), "--name", "tickets")
    said["difficulty"] = command(workspace, "difficulty", "small:train", "--against", "small:test")
    said["curriculum"] = command(workspace, *CURRICULUM)
    train = ("train", "small:train", "--dev", "small:dev")
    said["head"] = command(workspace, *train, "--method", "head", "--name", "walk-head")
    said["lora"] = command(
        workspace, *train, "--method", "lora", "--name", "walk-lora", "--set", "max_steps=4", "--set", "evaluations=1",
        "--set", "max_dev_pairs=40", "--set", "max_seq_length=32",
    )  # fmt: skip
    said["diagnose"] = command(workspace, "diagnose", "walk-lora")
    said["evaluate"] = process(
        workspace, "evaluate", "small:test", "--encoders", "walk-head,walk-lora", "--threshold-from", "small:dev"
    )
    return said


def copy_of(walked, folder):
    """Copy the walked workspace, for a test that adds to it."""
    shutil.copytree(walked.workspace.root, folder / "workspace")
    return Walked(open_workspace(folder / "workspace"), dict(walked.said))


@pytest.fixture
def own_walk(walked, tmp_path):
    """Return a copy of the walked workspace that belongs to the test."""
    return copy_of(walked, tmp_path / "own")


def pytest_collection_modifyitems(items):
    """Begin with one file that needs the walk: when the other test processes come to theirs, it has been walked."""
    first = next((item.path for item in items if "walked" in getattr(item, "fixturenames", ())), None)
    items.sort(key=lambda item: item.path != first)

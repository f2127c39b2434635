"""A workspace for the tests of pages: a copy of the walked one, with a dead adapter."""

import shutil

import numpy as np
import pytest

from simtune_core.adapters.job import run as diagnose
from simtune_core.files import read_json, write_json
from simtune_core.jobs.context import Job
from simtune_core.training.artifacts import MANIFEST, file_hashes
from tests.walk import copy_of

DEAD = "walk-dead"


@pytest.fixture(scope="session")
def with_dead_adapter(walked, tmp_path_factory):
    """Return a copy of the walked workspace with `walk-dead`: walk-lora with every lora_B zero, checked and judged."""
    own = copy_of(walked, tmp_path_factory.mktemp("dead"))
    plant_dead_adapter(own.workspace)
    with Job(tmp_path_factory.mktemp("check") / "job", own.workspace) as job:
        own.said["diagnose dead"] = diagnose({"model": DEAD}, job)
    own.said["evaluate dead"] = own.run(
        "evaluate", "small:test", "--encoders", f"walk-head,walk-lora,{DEAD}", "--threshold-from", "small:dev"
    )
    return own


def plant_dead_adapter(workspace):
    """Save walk-lora once more under another name, with every lora_B set to zero and the hashes of its files right."""
    from safetensors.numpy import load_file, save_file

    folder = workspace.model(DEAD)
    shutil.copytree(workspace.model("walk-lora"), folder)
    shutil.rmtree(folder / "checks")
    weights = folder / "adapter" / "adapter_model.safetensors"
    tensors = load_file(weights)
    assert any(np.abs(values).max() > 0 for name, values in tensors.items() if "lora_B" in name)
    dead = {name: values * 0 if "lora_B" in name else values for name, values in tensors.items()}
    save_file(dead, weights, metadata={"format": "pt"})
    manifest = read_json(folder / MANIFEST)
    made = {"model_id": DEAD, "created": manifest["created"] + 1, "files": file_hashes(folder)}
    write_json(folder / MANIFEST, manifest | made)

"""A workspace in which the two splits of a set with phases have been measured by a real job: fixture `measured`."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from simtune_core.datasets import save_pairs
from simtune_core.encoders.config import EncodingConfig
from simtune_core.workflows.requests import difficulty_request
from simtune_core.workflows.running import run_to_end
from simtune_core.workspace import Workspace, open_workspace

WORDS = np.array([f"word{number}" for number in range(40)])


@dataclass(frozen=True)
class Measured:
    """The workspace, the job and its result, and the pairs as they were saved."""

    workspace: Workspace
    job: str
    result: dict
    frame: pd.DataFrame


def phased_pairs(n, seed=0):
    """Return `n` pairs of a few words each, in two phases and two splits."""
    rng = np.random.default_rng(seed)
    texts = [" ".join(words) for words in WORDS[rng.integers(40, size=(2 * n, 6))]]
    frame = pd.DataFrame({"sentence1": texts[:n], "sentence2": texts[n:], "label": rng.integers(0, 2, n)})
    phases, splits = np.where(rng.random(n) < 0.5, "easy", "hard"), np.where(rng.random(n) < 0.7, "train", "test")
    return frame.assign(phase=phases, split=splits)


def request(workspace):
    """Ask for the difficulty of the train split against the test split, by TF-IDF."""
    encoding = EncodingConfig(encoder="tfidf", precision="fp32")
    return difficulty_request(workspace, "some:train", "some:test", encoding, score_cut=0.6)


@pytest.fixture(scope="session")
def measured(tmp_path_factory):
    """Measure; no test changes the workspace."""
    workspace = open_workspace(tmp_path_factory.mktemp("measured") / "workspace")
    frame = phased_pairs(600)
    save_pairs(workspace, "some", frame, provenance={})
    job, result = run_to_end(workspace, request(workspace))
    return Measured(workspace, job.id, result, frame)

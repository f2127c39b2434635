"""The three minings of the story that failed unnoticed, on its data: each is flagged with the right reason.

500 short ones of the 10,000 tickets, so that MiniLM embeds them in seconds; docs/mining.md has the figures of all.
"""

import pandas as pd
import pytest

from simtune_core.candidates.config import CandidatesConfig
from simtune_core.curriculum.mining.config import AdversarialConfig
from simtune_core.datasets import save_records
from simtune_core.encoders.config import EncodingConfig
from simtune_core.files import new_id, write_json
from simtune_core.jobs.context import Job
from simtune_core.jobs.kinds import load_kind
from simtune_core.jobs.states import RESULT
from simtune_core.workflows.mining import CountedSources, counted_request, readings_request
from simtune_core.workflows.requests import candidates_request
from simtune_core.workspace import open_workspace

N_RECORDS, LONGEST = 500, 250  # tickets, characters


def run_here(workspace, request):
    """Run a job's kind in this process, leave its result as a worker would, and return its id and result."""
    with Job(workspace.jobs / new_id(), workspace) as job:
        result = load_kind(request.kind)(request.params, job)
    write_json(job.folder / RESULT, result)
    return job.id, result


@pytest.fixture(scope="module")
def mine(tmp_path_factory, real_data):
    """Return a function that mines pairs of tickets in TF-IDF space against MiniLM and returns the result."""
    workspace = open_workspace(tmp_path_factory.mktemp("story") / "workspace")
    tickets = pd.read_parquet(real_data("itsm10k_records"))
    tickets = tickets[tickets["text"].str.len() <= LONGEST].sample(N_RECORDS, random_state=0)
    save_records(workspace, "tickets", tickets.drop(columns="split"), provenance={})
    space, baseline = (EncodingConfig(encoder=name, precision="fp32") for name in ("tfidf", "minilm"))
    counting = candidates_request(workspace, "tickets", space, config=CandidatesConfig())
    candidates, _ = run_here(workspace, counting)
    readings, _ = run_here(workspace, readings_request(workspace, candidates, baseline))

    def mined(**settings):
        config = AdversarialConfig(**settings)
        request = counted_request(workspace, CountedSources(candidates, readings), config, "mined", new_version=True)
        return run_here(workspace, request)[1]

    return mined


def warnings(result):
    return [found["code"] for found in result["findings"] if found["severity"] == "warning"]


def test_random_mining_is_too_easy(mine):
    result = mine(strategy="random", n_pairs=400, neg_min=0.0)

    assert warnings(result) == ["too_easy"]
    assert result["roc_auc"] > 0.95
    assert result["positive_share"] == 0.5


def test_ranked_mining_cannot_be_learned(mine):
    result = mine(strategy="ranked", n_pairs=800, pos_min=0.40, neg_min=0.10, neg_max=0.45)

    assert warnings(result) == ["not_learnable"]
    assert result["n_negative"] / result["n_pairs"] > 0.95
    assert result["roc_auc"] == pytest.approx(0.5, abs=0.05)


def test_balanced_mining_is_too_easy(mine):
    result = mine(strategy="balanced", n_pairs=120, neg_min=0.0, skip=0.02, window=0.20)

    assert warnings(result) == ["too_easy"]
    assert result["roc_auc"] > 0.9
    assert result["positive_share"] == 0.5


def test_pairs_that_are_hard_but_not_too_hard_are_not_flagged(mine):
    result = mine(strategy="balanced", n_pairs=120, neg_min=0.05, skip=0.02, window=0.20)

    assert warnings(result) == []
    assert 0.55 < result["roc_auc"] < 0.85

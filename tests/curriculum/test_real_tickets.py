"""Acceptance on the founding case: 10,000 real tickets to the story's phases, and to pairs matched to its test set."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wasserstein_distance

from simtune_core.candidates.counted import COUNTS, RECORDS, load_counts
from simtune_core.candidates.job import run as count
from simtune_core.curriculum.cells import cell_of
from simtune_core.curriculum.config import CurriculumConfig, literal_phases
from simtune_core.curriculum.job import run as draw
from simtune_core.curriculum.planning import plan
from simtune_core.curriculum.presets import phases_like_test
from simtune_core.curriculum.supply import supply_of
from simtune_core.datasets import load_details, load_pairs, save_pairs, save_records
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.files import write_json
from simtune_core.jobs.context import Job
from simtune_core.pairs import with_pair_columns
from simtune_core.records import with_record_columns
from simtune_core.workspace import open_workspace

TEST = "founding@v0001:test"
COLUMNS = {
    "text_a": "sentence1", "text_b": "sentence2", "id_a": "id1", "id_b": "id2", "category_a": "category1",
    "category_b": "category2",
}  # fmt: skip
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def case(tmp_path_factory, real_data):
    """Return the workspace, its counted candidates, the test pairs, and TF-IDF of all texts of both."""
    workspace = open_workspace(tmp_path_factory.mktemp("tickets"))
    tickets = with_record_columns(pd.read_parquet(real_data("itsm10k_records")))
    given = pd.read_parquet(real_data("itsm10k_founding_pairs")).rename(columns=COLUMNS)
    save_records(workspace, "tickets", tickets, provenance={})
    save_pairs(workspace, "founding", with_pair_columns(given), provenance={})
    params = {"records": "tickets@v0001", "encoder": "tfidf", "precision": "auto", "test": TEST, "apart": [TEST]}
    with Job(workspace.jobs / "counted", workspace) as job:
        result = count(params, job)
    write_json(job.folder / "result.json", result)
    test = load_pairs(workspace, TEST).frame
    records = pd.read_parquet(job.folder / RECORDS)["text"]
    texts = list(dict.fromkeys([*records, *test["sentence1"], *test["sentence2"]]))
    return SimpleNamespace(
        workspace=workspace,
        counts=load_counts(job.folder / COUNTS),
        test=test,
        matrix=tfidf_matrix(texts),
        row={text: place for place, text in enumerate(texts)},
    )


def made(case, name, **config):
    params = {"candidates": "counted", "config": CurriculumConfig(**config).model_dump(mode="json"), "name": name}
    with Job(case.workspace.jobs / f"{name}-job", case.workspace) as job:
        result = draw(params, job)
    return result, load_pairs(case.workspace, result["dataset"]).frame


def cosines(case, frame):
    first, second = (case.matrix[frame[side].map(case.row).to_numpy()] for side in ("sentence1", "sentence2"))
    return np.asarray(first.multiply(second).sum(axis=1)).ravel()


def shared_with_test(case, frame):
    """Count the records and texts that a set shares with the test set."""
    return sum(
        len(set(case.test[[first, second]].to_numpy().ravel()) & set(frame[[first, second]].to_numpy().ravel()))
        for first, second in (("id1", "id2"), ("sentence1", "sentence2"))
    )


def test_real_tickets_become_the_storys_three_phases(case):
    result, frame = made(case, "phases")

    assert [phase["n_pairs"] for phase in result["phases"]] == [5000, 5000, 5000]
    assert [phase["separability"] for phase in result["phases"]] == pytest.approx([0.37, 0.27, 0.19], abs=0.001)
    assert [phase["separability_wanted"] for phase in result["phases"]] == [0.37, 0.27, 0.19]
    assert [phase["losses"] for phase in result["phases"]] == [[], [], []]
    assert not frame.duplicated(["id1", "id2"]).any()
    assert result["disjoint"]["n_shared_pairs"] == 0
    assert shared_with_test(case, frame) == 0
    similarity = load_details(case.workspace, result["dataset"])["similarity"].to_numpy()
    assert np.abs(similarity - cosines(case, frame)).max() < 1e-6
    for phase in CurriculumConfig().phases:
        inside, like = (frame["phase"] == phase.name).to_numpy(), (frame["label"] == 1).to_numpy()
        assert similarity[inside & like].min() >= phase.pos_min - 1e-6
        assert similarity[inside & ~like].max() < phase.neg_max + 1e-6


def test_categories_are_equal_but_for_those_that_have_no_more(case):
    supply = supply_of(case.counts)
    easy = plan(supply, CurriculumConfig()).phases[0]

    positives, negatives = easy.balance.T
    available = supply.sampled[:, 1, :, cell_of(0.52) :].sum(axis=(1, 2))
    assert np.ptp(negatives) <= 1
    assert (np.minimum(positives.max(), available) - positives).max() <= 1
    assert positives.sum() == 2500


def test_the_literal_bands_are_known_to_miss_their_targets_before_anything_is_drawn(case):
    phases = plan(supply_of(case.counts), CurriculumConfig(phases=literal_phases())).phases

    assert [any("out of reach" in words for words in phase.explanations) for phase in phases] == [False, True, True]
    assert "allow at most 0.16" in phases[1].explanations[-1]
    assert "allow at most -0.05" in phases[2].explanations[-1]


@pytest.mark.parametrize("n_pairs", [1000, 10_000])
def test_pairs_are_matched_to_the_founding_test_set(case, n_pairs):
    result, frame = made(case, f"matched-{n_pairs}", phases=phases_like_test(case.counts.test, n_pairs))

    ours, theirs = cosines(case, frame), cosines(case, case.test)
    moved = []
    for label in (0, 1):
        mine, other = ours[frame["label"] == label], theirs[case.test["label"] == label]
        assert wasserstein_distance(mine, other) < 0.01
        moved.append(mine.mean() - other.mean())
    assert abs(moved[1] - moved[0]) < 0.01  # separability
    negatives = frame[frame["label"] == 0]
    assert (negatives["category1"] == negatives["category2"]).mean() == pytest.approx(0.7, abs=0.001)
    assert (len(frame), result["n_pairs"]) == (n_pairs, n_pairs)
    assert shared_with_test(case, frame) == 0

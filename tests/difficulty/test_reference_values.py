"""The values of shared/data/README.md to their last digit: MiniLM in fp32, 256 tokens, on sets small enough for a test.

TF-IDF there is fitted on every text of all splits, a text that occurs twice counted twice. The product fits it on
unique texts of the sets looked at, which moves the last digit; both are stated here.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from simtune_core.datasets import load_pairs, save_pairs
from simtune_core.difficulty.job import measure_set
from simtune_core.difficulty.scoring import score_sets
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.scoring import score_pairs
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.evaluation.config import EvaluationConfig
from simtune_core.evaluation.metrics import roc_auc
from simtune_core.evaluation.thresholds import choose_threshold, threshold_table
from simtune_core.pairs import SCORE_CUT
from simtune_core.workspace import open_workspace

NAMES = {
    "text_a": "sentence1", "text_b": "sentence2", "id_a": "id1", "id_b": "id2",
    "category_a": "category1", "category_b": "category2",
}  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """A row of the table: what stands there, and the set it stands for."""

    set: str
    spearman: str
    roc_auc: str
    best_f1: str
    threshold: str
    fpr: str
    separability: str
    tfidf: str


MINILM = (
    Reference("biosses_pairs", "0.817", "0.910", "0.850", "0.52", "30.0", "0.260", "0.896"),
    Reference("gitbugs_dup_pairs", "0.775", "0.947", "0.896", "0.58", "5.7", "0.351", "0.912"),
    Reference("itsm10k_founding_pairs:test", "0.467", "0.770", "0.719", "0.33", "73.6", "0.144", "0.947"),
)
# Sets whose texts would take too long to embed in a test: TF-IDF alone.
TFIDF_ONLY = (
    ("itsm10k_category_pairs:test", "0.532"), ("stsb_pairs:test", "0.842"),
    ("banking77_category_pairs:test", "0.583"), ("clinc150_category_pairs:test", "0.656"),
)  # fmt: skip


@pytest.fixture(scope="session")
def data(tmp_path_factory, real_data):
    """Return a function that gives a pair set of the real data by its reference, all in one workspace."""
    workspace = open_workspace(tmp_path_factory.mktemp("reference") / "workspace")

    def loaded(ref):
        stem = ref.partition(":")[0]
        if not workspace.dataset(stem).exists():
            save_pairs(workspace, stem, pd.read_parquet(real_data(stem)).rename(columns=NAMES), provenance={})
        return load_pairs(workspace, ref)

    loaded.workspace = workspace
    return loaded


def tfidf_of_all_texts(pairs, whole):
    """Return ROC-AUC of TF-IDF fitted on every text of all splits, repeats counted."""
    matrix = tfidf_matrix([*whole.frame["sentence1"], *whole.frame["sentence2"]])
    half = len(whole)
    inside = np.ones(half, dtype=bool) if len(pairs) == half else (whole.frame["split"] == "test").to_numpy()
    cosines = np.asarray(matrix[:half].multiply(matrix[half:]).sum(axis=1)).ravel()[inside]
    return roc_auc(cosines, pairs.labels())


@pytest.mark.parametrize("reference", MINILM, ids=lambda reference: reference.set)
def test_minilm_gives_the_values_of_the_table(data, minilm, reference):
    pairs = data(reference.set)
    (scored,) = score_sets(data.workspace, minilm, [pairs], precision="fp32", cut=SCORE_CUT)
    side = measure_set(scored).side
    table = threshold_table(scored.cosines, scored.labels)
    best = table.confusion_at(choose_threshold(table, EvaluationConfig(threshold_rule="best_f1")))
    least_similar = scored.cosines[
        scored.cosines >= choose_threshold(table, EvaluationConfig(threshold_rule="best_f1"))
    ]

    assert f"{side.spearman_cosine:.3f}" == reference.spearman
    assert f"{side.roc_auc:.3f}" == reference.roc_auc
    assert f"{side.separability:.3f}" == reference.separability
    assert (f"{best.f1:.3f}", f"{100 * best.fpr:.1f}") == (reference.best_f1, reference.fpr)
    assert f"{least_similar.min():.2f}" == reference.threshold  # the table's is the least similarity called similar


@pytest.mark.parametrize(
    ("ref", "expected"), [*((each.set, each.tfidf) for each in MINILM), *TFIDF_ONLY], ids=lambda value: value
)
def test_tfidf_fitted_on_every_text_of_all_splits_gives_the_table(data, ref, expected):
    assert f"{tfidf_of_all_texts(data(ref), data(ref.partition(':')[0])):.3f}" == expected


def test_on_unique_texts_tfidf_is_the_same_but_for_the_last_digit(data):
    test, whole, easy = (data(ref) for ref in (MINILM[2].set, "itsm10k_founding_pairs", "itsm10k_easy_train_pairs"))
    tfidf = resolve_encoder(data.workspace, "tfidf")

    fitted_on = {"all splits": [test, whole], "the test split": [test], "both sets of the story": [test, easy]}
    found = {
        corpus: f"{roc_auc(score_pairs(data.workspace, tfidf, sets)[0], test.labels()):.3f}"
        for corpus, sets in fitted_on.items()
    }
    assert found == {"all splits": "0.948", "the test split": "0.951", "both sets of the story": "0.949"}

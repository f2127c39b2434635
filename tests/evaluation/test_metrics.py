"""Tests of simtune_core.evaluation.metrics: by hand, against three authorities, by property."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.errors import DataFaultError
from simtune_core.evaluation.metrics import (
    ScoreSummary,
    average_precision,
    midranks,
    pearson,
    roc_auc,
    spearman,
    spearman_ceiling,
    spearman_ceiling_of,
    summarise_scores,
)

PAIRS = st.lists(st.tuples(st.integers(-10, 10), st.integers(0, 1)), min_size=4, max_size=60).filter(
    lambda rows: len({label for _, label in rows}) == 2 and len({score for score, _ in rows}) > 1
)


def drawn(n=400, seed=0, tied=True):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    scores = np.clip(rng.normal(0.3 + 0.2 * labels, 0.2), -1, 1)
    return (scores.round(2) if tied else scores).astype(np.float32), labels


def test_summarises_a_hand_computed_pair_set():
    summary = summarise_scores([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0], [1, 1, 0, 0])

    # ROC-AUC: 3 wins and 1 tie of 4. AP: recall 1/2 at precision 1, then 1/2 more at precision 2/3.
    # Ranks 4, 2.5, 2.5, 1 and 3.5, 3.5, 1.5, 1.5: sum of products 3, sums of squares 4.5 and 4.
    # Pearson: deviations .4, 0, 0, -.4 and +-.5: 0.4 / sqrt(0.32 * 1). Ceiling: sqrt(1 - (6 + 6) / 60).
    assert summary == ScoreSummary(
        n=4,
        n_positive=2,
        prevalence=0.5,
        spearman_cosine=pytest.approx(3 / np.sqrt(18)),
        pearson_cosine=pytest.approx(0.4 / np.sqrt(0.32)),
        roc_auc=pytest.approx(0.875),
        cosine_ap=pytest.approx(0.5 + 0.5 * 2 / 3),
        spearman_ceiling=pytest.approx(np.sqrt(0.8)),
    )


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_equals_scikit_learn_and_scipy_also_with_ties(rows):
    from scipy import stats
    from sklearn import metrics

    scores, labels = map(np.array, zip(*rows, strict=True))

    assert roc_auc(scores, labels) == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-9)
    assert average_precision(scores, labels) == pytest.approx(metrics.average_precision_score(labels, scores), abs=1e-9)
    assert spearman(scores, labels) == pytest.approx(stats.spearmanr(scores, labels).statistic, abs=1e-9)
    assert pearson(scores, labels) == pytest.approx(stats.pearsonr(scores, labels).statistic, abs=1e-9)
    assert midranks(scores).tolist() == stats.rankdata(scores).tolist()


def test_equals_the_evaluators_of_sentence_transformers_on_the_same_scores():
    from sentence_transformers.sentence_transformer.evaluation import (
        BinaryClassificationEvaluator,
        EmbeddingSimilarityEvaluator,
    )

    scores, labels = drawn()
    texts = [str(row) for row in range(len(scores))]
    model = model_with_cosines(scores)
    others = [f"other {text}" for text in texts]
    similarity = EmbeddingSimilarityEvaluator(texts, others, labels.tolist(), main_similarity="cosine", write_csv=False)
    binary = BinaryClassificationEvaluator(texts, others, labels.tolist(), write_csv=False)

    theirs = similarity(model) | binary(model)

    ours = summarise_scores(scores, labels, labels)
    assert ours.spearman_cosine == pytest.approx(theirs["spearman_cosine"], abs=1e-6)
    assert ours.pearson_cosine == pytest.approx(theirs["pearson_cosine"], abs=1e-6)
    assert ours.cosine_ap == pytest.approx(theirs["cosine_ap"], abs=1e-6)


def model_with_cosines(scores):
    """Return a SentenceTransformer whose text "i" and "other i" have the cosine scores[i]."""
    import torch
    from sentence_transformers import SentenceTransformer

    class Planar(SentenceTransformer):
        def encode(self, sentences, **kwargs):
            del kwargs
            cosines = torch.tensor(
                [1.0 if not text.startswith("other ") else float(scores[int(text[6:])]) for text in sentences]
            )
            return torch.stack([cosines, torch.sqrt(1 - cosines**2)], dim=1)

    return Planar(modules=[torch.nn.Identity()], device="cpu")


@pytest.mark.parametrize("metric", [spearman, pearson])
def test_a_correlation_with_constant_scores_or_one_class_has_no_value(metric):
    assert metric([0.4, 0.4, 0.4], [0, 1, 1]) is None
    assert metric([0.1, 0.2, 0.3], [1, 1, 1]) is None
    assert metric([0.1], [1]) is None


def test_one_class_has_no_roc_auc_and_constant_scores_are_a_coin():
    assert roc_auc([0.1, 0.2], [1, 1]) is None
    assert average_precision([0.1, 0.2], [0, 0]) is None
    assert roc_auc([0.4, 0.4, 0.4], [0, 1, 1]) == 0.5
    assert average_precision([0.4, 0.4, 0.4], [0, 1, 1]) == pytest.approx(2 / 3)


def test_nearly_constant_scores_far_from_zero_do_not_overflow_or_warn():
    assert pearson([1e-200, 2e-200, 3e-200], [0, 1, 1]) is None
    assert spearman([1e-200, 2e-200, 3e-200], [0, 1, 1]) == pytest.approx(np.sqrt(0.75))


def test_the_ceiling_is_what_perfect_scores_without_ties_reach():
    labels = np.repeat([0, 1], [700, 300])

    assert spearman(np.arange(1000), labels) == pytest.approx(spearman_ceiling_of(labels), abs=1e-12)
    assert spearman_ceiling(0.3) == pytest.approx(spearman_ceiling_of(labels), abs=1e-6)
    assert spearman_ceiling(0.5) == pytest.approx(0.8660254)
    assert spearman_ceiling_of([0.2, 0.4, 0.8]) == 1.0


def test_there_is_no_ceiling_where_spearman_has_no_value():
    assert spearman_ceiling(0.0) is None
    assert spearman_ceiling(1.0) is None
    assert spearman_ceiling_of([1, 1]) is None


@settings(max_examples=40, deadline=None)
@given(PAIRS)
def test_spearman_and_roc_auc_are_one_number_on_labels_when_scores_have_no_ties(rows):
    labels = np.array([label for _, label in rows])
    scores = np.random.default_rng(len(rows)).permutation(len(rows))

    expected = (2 * roc_auc(scores, labels) - 1) * spearman_ceiling_of(labels)
    assert spearman(scores, labels) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([0.1, 0.2], [1], "one score for every label or target, got 2 scores and 1 targets"),
        ([0.1, float("nan")], [0, 1], "scores must be finite numbers; 1 are not"),
        ([0.1, 0.2], [0, 2], r"Labels must be 0 or 1, got \[2.0\]"),
        ([], [], "at least one pair"),
    ],
)
def test_rejects_bad_input_and_says_what_it_got(scores, labels, message):
    with pytest.raises(DataFaultError, match=message):
        roc_auc(scores, labels)

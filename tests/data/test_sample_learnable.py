"""What the real encoder makes of the bundled sample: hard for it, learnable, and the easy set repeats the mistake."""

import pytest

from simtune_core.datasets import content_id, load_pairs
from simtune_core.encoders.embedding import embed
from simtune_core.encoders.scoring import score_pairs
from simtune_core.evaluation.metrics import roc_auc
from simtune_core.pairs import PairSet
from simtune_core.training.config import TrainingConfig
from simtune_core.training.head import fit_head, indexed_pairs, pair_cosines
from simtune_core.workflows.data import load_sample
from simtune_core.workspace import open_workspace


def among(pairs, n_texts):
    """Return the pairs among the first texts of a set; the gain of a head is less with fewer, and still shows."""
    texts = pairs.unique_texts()[:n_texts]
    inside = pairs.frame["sentence1"].isin(texts) & pairs.frame["sentence2"].isin(texts)
    frame = pairs.frame[inside].reset_index(drop=True)
    return PairSet(frame, pairs.ref, content_id(frame))


@pytest.fixture(scope="module")
def scored(tmp_path_factory, minilm):
    """Return ROC-AUC of the untouched encoder on test and easy pairs, and of a head trained on train, on test."""
    workspace = open_workspace(tmp_path_factory.mktemp("sample"))
    load_sample(workspace)
    names = ("sample:train", "sample:dev", "sample:test", "sample_easy")
    train, dev, test, easy = (load_pairs(workspace, name) for name in names)
    train, easy = among(train, 1200), among(easy, 300)  # texts; all 2,031 and 1,727 only take longer to embed
    texts = list(dict.fromkeys(text for each in (train, dev, test) for text in each.unique_texts()))
    vectors = embed(workspace, minilm, texts).vectors
    row = {text: place for place, text in enumerate(texts)}
    on_train, on_dev, on_test = (indexed_pairs(each, row) for each in (train, dev, test))
    fit = fit_head(vectors, on_train, on_dev, TrainingConfig().effective())
    untouched, (on_easy,) = score_pairs(workspace, minilm, [test])[0], score_pairs(workspace, minilm, [easy])
    return {
        "untouched": roc_auc(untouched, test.labels()),
        "head": roc_auc(pair_cosines(vectors, fit.weight, on_test), test.labels()),
        "easy": roc_auc(on_easy, easy.labels()),
    }


def test_the_test_pairs_are_hard_for_the_untouched_encoder(scored):
    assert 0.75 <= scored["untouched"] <= 0.85


def test_a_linear_map_on_frozen_embeddings_gains_003_or_more(scored):
    assert scored["head"] - scored["untouched"] >= 0.03


def test_the_easy_pairs_teach_nothing_the_encoder_does_not_know(scored):
    assert scored["easy"] >= 0.97

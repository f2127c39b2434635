"""What scores pairs for a veto: TF-IDF, the bundled encoder, and a cross-encoder's folder."""

import json

import numpy as np
import pytest

from simtune_core.curriculum.mining.veto import is_cross_encoder, pair_scorer
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.loading import load_model
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.errors import EncoderError

TEXTS = ("the printer jams", "printer jam again", "password expired")
FIRST, SECOND = np.array([0, 0, 1]), np.array([1, 2, 2])


def tiny_cross_encoder(folder, tokenizer, n_labels=1):
    """Save a cross-encoder of two layers with random weights, as sentence-transformers would."""
    import torch
    from sentence_transformers import CrossEncoder
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=tokenizer.vocab_size, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=16, num_labels=n_labels,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder / "plain")
    tokenizer.save_pretrained(folder / "plain")
    model = CrossEncoder(str(folder / "plain"), local_files_only=True)
    model.save_pretrained(str(folder / "saved"))
    return model, folder / "saved"


@pytest.fixture(scope="module")
def cross(minilm, tmp_path_factory):
    return tiny_cross_encoder(tmp_path_factory.mktemp("cross"), load_model(minilm).tokenizer)


def test_tfidf_scores_are_cosines_of_vectors_fitted_on_the_texts(workspace):
    scorer = pair_scorer(workspace, resolve_encoder(workspace, "tfidf"), TEXTS)
    vectors = tfidf_matrix(TEXTS).toarray()

    np.testing.assert_allclose(scorer.score(FIRST, SECOND), (vectors[FIRST] * vectors[SECOND]).sum(axis=1), atol=1e-6)


def test_a_bi_encoder_scores_as_sentence_transformers_does(workspace, minilm):
    vectors = load_model(minilm).encode(list(TEXTS), normalize_embeddings=True)
    scorer = pair_scorer(workspace, minilm, TEXTS, precision="fp32")

    np.testing.assert_allclose(scorer.score(FIRST, SECOND), (vectors[FIRST] * vectors[SECOND]).sum(axis=1), atol=1e-5)


def test_a_cross_encoder_is_known_by_its_folder_and_predicts_as_it_does_itself(workspace, cross, minilm):
    model, folder = cross
    encoder = resolve_encoder(workspace, str(folder))
    pairs = [(TEXTS[one], TEXTS[other]) for one, other in zip(FIRST, SECOND, strict=True)]

    assert is_cross_encoder(encoder)
    assert not is_cross_encoder(minilm)
    found = pair_scorer(workspace, encoder, TEXTS).score(FIRST, SECOND)
    np.testing.assert_allclose(found, model.predict(pairs), atol=1e-6)
    assert pair_scorer(workspace, encoder, TEXTS).score(FIRST[:0], SECOND[:0]).shape == (0,)


def test_a_cross_encoder_of_several_outputs_is_refused(workspace, tmp_path, minilm):
    _, folder = tiny_cross_encoder(tmp_path, load_model(minilm).tokenizer, n_labels=3)

    with pytest.raises(EncoderError, match="must have one output"):
        pair_scorer(workspace, resolve_encoder(workspace, str(folder)), TEXTS)


def test_a_folder_that_only_says_it_is_one_is_a_sentence(workspace, tmp_path, cross):
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"architectures": ["BertForSequenceClassification"]}))
    (folder / "model.safetensors").write_bytes(b"no weights")

    with pytest.raises(EncoderError, match="cannot be loaded as a cross-encoder"):
        pair_scorer(workspace, resolve_encoder(workspace, str(folder)), TEXTS)

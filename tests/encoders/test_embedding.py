"""Tests of embedding: against sentence-transformers itself, and the cache by what it may and may not do."""

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.embedding import embed
from simtune_core.encoders.scoring import score_pairs
from simtune_core.errors import EncoderError
from simtune_core.pairs import PairSet, with_pair_columns

TEXTS = ["vpn down since monday", "printer jams", "vpn down since monday", "cannot log in to the portal, pls reset pw"]


def test_equals_sentence_transformers_and_embeds_each_text_once(workspace, minilm):
    made = embed(workspace, minilm, TEXTS, precision="fp32")

    expected = SentenceTransformer(str(minilm.folder)).encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(made.vectors, expected, atol=1e-6)
    assert (made.n_unique, made.n_computed) == (3, 3)


def test_a_second_look_computes_nothing_and_a_new_text_only_itself(workspace, minilm):
    first = embed(workspace, minilm, TEXTS, precision="fp32")
    again = embed(workspace, minilm, TEXTS[::-1], precision="fp32")
    more = embed(workspace, minilm, [*TEXTS, "a new one"], precision="fp32")

    assert (again.n_computed, more.n_computed) == (0, 1)
    np.testing.assert_array_equal(again.vectors[::-1], first.vectors)


def test_a_damaged_cache_file_is_computed_again(workspace, minilm):
    first = embed(workspace, minilm, TEXTS, precision="fp32")
    (part,) = workspace.cache.rglob("part-*.npz")
    part.write_bytes(part.read_bytes()[:100])

    again = embed(workspace, minilm, TEXTS, precision="fp32")
    assert again.n_computed == 3
    np.testing.assert_allclose(again.vectors, first.vectors, atol=1e-6)


def test_bf16_keeps_the_similarities(workspace, minilm):
    full = embed(workspace, minilm, TEXTS, precision="fp32").vectors
    half = embed(workspace, minilm, TEXTS, precision="bf16").vectors

    assert np.einsum("ij,ij->i", full, half).min() > 0.99


def test_tfidf_scores_are_the_cosines_of_scikit_learn(workspace):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics.pairwise import cosine_similarity

    frame = with_pair_columns(_frame([("vpn down", "vpn is down"), ("printer jams", "vpn down")]))
    (scores,) = score_pairs(workspace, resolve_encoder(workspace, "tfidf"), [PairSet(frame, "x@v0001", "x")])

    vectorizer = TfidfVectorizer(sublinear_tf=True).fit(["vpn down", "printer jams", "vpn is down"])
    matrix = cosine_similarity(vectorizer.transform(frame.sentence1), vectorizer.transform(frame.sentence2))
    np.testing.assert_allclose(scores, matrix.diagonal(), atol=1e-6)


def test_tfidf_is_not_embedded(workspace):
    with pytest.raises(EncoderError, match="sparse"):
        embed(workspace, resolve_encoder(workspace, "tfidf"), TEXTS)


def _frame(pairs):
    import pandas as pd

    return pd.DataFrame([{"sentence1": a, "sentence2": b, "label": 1.0} for a, b in pairs])

"""A small world of records with vectors, in which it is known whether training can help."""

import numpy as np
import pandas as pd

from simtune_core.difficulty.preflight.looking import Looked, shared_with
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.pairs import PairSet, with_pair_columns
from simtune_core.training.head import indexed_pairs, pair_cosines

DIM = 16


def records(seed, n, *, signal=0.8):
    """Return vectors and topics: two coordinates tell the topic, the others are noise; a map could see it."""
    rng = np.random.default_rng(seed)
    topics = rng.integers(0, 4, n)
    vectors = rng.standard_normal((n, DIM)).astype(np.float32)
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], dtype=np.float32)
    vectors[:, :2] = signal * corners[topics] + 0.1 * vectors[:, :2]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), topics


def pairs_of(topics, n, *, seed, ref, first_record=0):
    """Return n pairs of records, half of one topic and half of two; the ids count from `first_record`."""
    rng = np.random.default_rng(seed)
    one, two = rng.integers(0, len(topics), (2, 20 * n))
    same = topics[one] == topics[two]
    rows = np.concatenate([np.flatnonzero(same & (one != two))[: n // 2], np.flatnonzero(~same)[: n // 2]])
    one, two = one[rows] + first_record, two[rows] + first_record
    frame = pd.DataFrame(
        {
            "sentence1": [f"text {row}" for row in one], "sentence2": [f"text {row}" for row in two],
            "id1": [f"r{row}" for row in one], "id2": [f"r{row}" for row in two],
            "label": same[rows].astype(int),
        }
    )  # fmt: skip
    return PairSet(with_pair_columns(frame), ref, f"content of {ref}")


def looked_at(vectors, *sets, tfidf=None):
    """Return sets of pairs over one matrix, whose row i is the vector of `text i`, scored by their cosines."""
    row_of = {f"text {row}": row for row in range(len(vectors))}
    rows = [indexed_pairs(each, row_of) for each in sets]
    identity = np.eye(vectors.shape[1], dtype=np.float32)
    scored = []
    for each, indexed in zip(sets, rows, strict=True):
        cosines = pair_cosines(vectors, identity, indexed)
        words = np.random.default_rng(7).uniform(size=len(each)).astype(np.float32)
        scored.append(ScoredSet(each, cosines, words if tfidf is None else tfidf[each.ref], "minilm"))
    shared = shared_with(sets[0], sets[1]) if len(sets) == 2 else np.zeros(len(sets[0]), dtype=bool)
    return Looked(tuple(scored), tuple(len(each) for each in sets), tuple(rows), vectors, shared)


def pair_set(name, texts, *, ids):
    """Return pairs of a text of each record with a text of its own that nobody else has."""
    frame = pd.DataFrame(
        {
            "sentence1": texts, "sentence2": [f"{text} of {name}, once more" for text in texts],
            "id1": ids, "label": [1] * len(texts),
        }
    )  # fmt: skip
    return PairSet(with_pair_columns(frame), f"{name}@v0001", f"content of {name}")

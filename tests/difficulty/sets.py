"""Scored sets with given similarities, for tests of what is computed from them."""

import numpy as np
import pandas as pd

from simtune_core.difficulty.scored import ScoredSet
from simtune_core.pairs import PairSet, with_pair_columns


def scored_set(cosines, labels, *, tfidf=None, ref="a@v0001", **columns):
    """Return a set of these similarities and labels; `columns` are further ones, such as `id1` or `score`."""
    n = len(cosines)
    texts = {
        "sentence1": [f"first {row} of {ref}" for row in range(n)],
        "sentence2": [f"second {row} of {ref}" for row in range(n)],
    }
    frame = pd.DataFrame({**texts, "label": labels, **columns})
    pairs = PairSet(with_pair_columns(frame), ref, f"content of {ref}")
    values = np.asarray(cosines, dtype=np.float32)
    return ScoredSet(pairs, values, values if tfidf is None else np.asarray(tfidf, dtype=np.float32), "minilm")


def random_set(seed, n, *, n_records, names="r", graded=False, ref="a@v0001"):
    """Return a seeded set whose pairs share records, with categories and, if asked for, graded scores."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    cosines = np.round(np.clip(0.35 + 0.2 * labels + 0.2 * rng.normal(size=n), -1, 1), 2)  # ties
    first, second = rng.integers(n_records, size=(2, n))
    columns = {
        "id1": [f"{names}{row}" for row in first], "id2": [f"{names}{row}" for row in second],
        "category1": [f"c{row % 3}" for row in first],
        "category2": [f"c{row % 3}" if row % 11 else None for row in second],
    }  # fmt: skip
    if graded:
        columns["score"] = np.round(np.clip(0.3 + 0.4 * labels + 0.1 * rng.normal(size=n), 0, 1), 1)
    return scored_set(cosines, labels, ref=ref, **columns)

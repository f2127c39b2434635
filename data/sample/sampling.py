"""Chooses pairs of tickets: hard ones for train, dev and test, and the story's too easy ones.

Writes no text and no file.
A pair is positive exactly when both tickets belong to the same duplicate group.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

N_PAIRS = {"train": 4400, "dev": 1000, "test": 1200}
N_EASY_PAIRS = 2000
# A margin inside the story's 0.52 and 0.36, since IDF depends on which texts are looked at.
EASY_POSITIVE_MIN, EASY_NEGATIVE_MAX = 0.54, 0.33
POSITIVE_MAX = 0.60
NEGATIVE_SHARES = {
    "same entity": 0.28,
    "same scenario": 0.01,
    "same reporter": 0.20,
    "same category": 0.39,
    "any": 0.12,
}
NEGATIVE_TILT, POSITIVE_TILT = 4.0, 2.0  # above 0: look-alikes are drawn more often


@dataclass(frozen=True, slots=True)
class Candidates:
    """All pairs of some records; shape (n_pairs,) each."""

    first: np.ndarray
    second: np.ndarray
    similarity: np.ndarray


def tfidf_vectors(texts: pd.Series) -> np.ndarray:
    """Vectorise texts as TF-IDF with the settings of the product; dense, shape (n_texts, n_terms)."""
    return TfidfVectorizer(sublinear_tf=True, dtype=np.float32).fit_transform(texts).toarray()


def sample_pairs(records: pd.DataFrame, vectors: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Sample half positive, half negative pairs of every split.

    Args:
        records: The tickets with their hidden columns `split`, `scenario`, `entity`, `reporter`.
        vectors: TF-IDF of the records; shape (n_records, n_terms).
        rng: Source of randomness.

    Returns:
        A pair set with the columns of the contract.
    """
    frames = []
    for split, n_pairs in N_PAIRS.items():
        found = _candidates(np.flatnonzero(records["split"] == split), vectors)
        same = _same(records, found)
        positive = same["duplicate_group"] & (found.similarity <= POSITIVE_MAX)
        chosen = [_draw(found, positive, n_pairs // 2, POSITIVE_TILT, rng)]
        taken = same["duplicate_group"].copy()
        for kind, share in NEGATIVE_SHARES.items():
            drawn = _draw(found, _kind(kind, same) & ~taken, round(share * n_pairs / 2), NEGATIVE_TILT, rng)
            taken[drawn] = True
            chosen.append(drawn)
        frames.append(_as_pairs(records, found, np.concatenate(chosen), rng))
    return pd.concat(frames, ignore_index=True)


def sample_easy_pairs(records: pd.DataFrame, vectors: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Sample training pairs that repeat the story's mistake: look-alike positives, unlike negatives."""
    found = _candidates(np.flatnonzero(records["split"] == "train"), vectors)
    same = _same(records, found)
    positive = same["duplicate_group"] & (found.similarity >= EASY_POSITIVE_MIN)
    negative = ~same["scenario"] & ~same["entity"] & (found.similarity <= EASY_NEGATIVE_MAX)
    n_positive = min(N_EASY_PAIRS // 2, int(positive.sum()))
    chosen = [_draw(found, positive, n_positive, 0.0, rng), _draw(found, negative, N_EASY_PAIRS - n_positive, 0.0, rng)]
    return _as_pairs(records, found, np.concatenate(chosen), rng)


def _candidates(rows: np.ndarray, vectors: np.ndarray) -> Candidates:
    """Pair every record with every later one; similarities are rounded so that all machines draw alike."""
    left, right = np.triu_indices(len(rows), k=1)
    block = vectors[rows]
    similarity = np.round((block @ block.T)[left, right].astype(np.float64), 3)
    return Candidates(rows[left], rows[right], similarity)


def _same(records: pd.DataFrame, found: Candidates) -> dict[str, np.ndarray]:
    """For each hidden or visible column, whether the two records of a pair agree in it."""
    columns = ("duplicate_group", "scenario", "entity", "reporter", "category")
    codes = {column: pd.factorize(records[column])[0] for column in columns}
    return {column: code[found.first] == code[found.second] for column, code in codes.items()}


def _kind(kind: str, same: dict[str, np.ndarray]) -> np.ndarray:
    """Which pairs are negatives of one kind; only the kind "same scenario" may share the problem."""
    if kind == "same scenario":
        return same["scenario"]
    if kind == "same entity":
        return same["entity"] & ~same["scenario"]
    if kind == "same reporter":
        return same["reporter"] & ~same["scenario"]
    if kind == "same category":
        return same["category"] & ~same["scenario"]
    return ~same["scenario"]


def _draw(found: Candidates, allowed: np.ndarray, n_pairs: int, tilt: float, rng: np.random.Generator) -> np.ndarray:
    """Draw pairs without replacement, weighted by exp(tilt * similarity)."""
    rows = np.flatnonzero(allowed)
    weights = np.exp(tilt * found.similarity[rows])
    return rng.choice(rows, size=n_pairs, replace=False, p=weights / weights.sum())


def _as_pairs(records: pd.DataFrame, found: Candidates, chosen: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Lay the chosen pairs out as a pair set, in random order and with random sides."""
    chosen = rng.permutation(chosen)
    flip = rng.random(len(chosen)) < 0.5
    left = np.where(flip, found.second[chosen], found.first[chosen])
    right = np.where(flip, found.first[chosen], found.second[chosen])
    first, second = records.iloc[left].reset_index(drop=True), records.iloc[right].reset_index(drop=True)
    return pd.DataFrame(
        {
            "sentence1": first["text"],
            "sentence2": second["text"],
            "label": (first["duplicate_group"] == second["duplicate_group"]).astype("int64"),
            "id1": first["id"],
            "id2": second["id"],
            "category1": first["category"],
            "category2": second["category"],
            "split": first["split"],
        }
    )

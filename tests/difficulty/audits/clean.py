"""Pair sets without a fault, made of seeded words, for tests that plant one."""

from itertools import product

import numpy as np
import pandas as pd

from simtune_core.difficulty.audits.config import AuditConfig
from simtune_core.difficulty.audits.corpus import build_corpus
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.pairs import PairSet, with_pair_columns

SYLLABLES = ("ba", "co", "di", "fu", "ge", "ki", "lo", "mu", "ne", "po", "ra", "si", "tu", "ve", "wo", "za")
WORDS = tuple("".join(parts) for parts in product(SYLLABLES, SYLLABLES, ("net", "rix", "dal")))
CATEGORIES = ("network", "hardware", "access")
CONFIG = AuditConfig()


def words(rng, n=12):
    return " ".join(rng.choice(WORDS, n))


def clean_set(seed, ref, *, n=240):
    """Return a set that gives no finding: every record in two pairs, labels told by nothing alone, half of each class.

    The records are numbered by the seed, so that sets of other seeds share none. The dissimilar pairs join records
    that no similar ones join.
    """
    rng = np.random.default_rng(seed)
    texts = [words(rng, rng.integers(8, 14)) for _ in range(n)]
    ids = [f"R{seed}-{number}" for number in range(n)]
    categories = rng.choice(CATEGORIES, n)
    first = np.arange(n)
    second = np.where(first % 2 == 0, first + 1, (first + 6) % n)  # even: similar to the next; odd: not to one far off
    labels = (first % 2 == 0).astype(int)
    frame = pd.DataFrame(
        {
            "sentence1": [texts[i] for i in first], "sentence2": [texts[i] for i in second], "label": labels,
            "id1": [ids[i] for i in first], "id2": [ids[i] for i in second],
            "category1": categories[first], "category2": categories[second],
        }
    )  # fmt: skip
    cosines = np.clip(0.35 + 0.2 * labels + 0.2 * rng.normal(size=n), -1, 1)
    tfidf = np.clip(0.2 + 0.1 * labels + 0.15 * rng.normal(size=n), 0, 1)
    return scored(frame, cosines, ref=ref, tfidf=tfidf)


def scored(frame, cosines=None, *, ref="a@v0001", tfidf=None, space="MiniLM", cut=0.6):
    """Return a frame as a scored set; all similarities are 0.5 unless given."""
    pairs = PairSet(with_pair_columns(pd.DataFrame(frame)), ref, f"content of {ref}")
    values = np.full(len(pairs), 0.5) if cosines is None else np.asarray(cosines, dtype=float)
    lexical = np.full(len(pairs), 0.25) if tfidf is None else np.asarray(tfidf, dtype=float)
    return ScoredSet(pairs, values.astype(np.float32), lexical.astype(np.float32), space, cut)


def with_rows(base, rows, cosine=0.5):
    """Return a scored set with further pairs, each a dict of columns."""
    frame = pd.concat([base.pairs.frame, with_pair_columns(pd.DataFrame(rows))], ignore_index=True)
    cosines, tfidf = ([*values, *[cosine] * len(rows)] for values in (base.cosines, base.tfidf))
    return scored(frame, cosines, ref=base.ref, tfidf=tfidf, space=base.space, cut=base.cut)


def pair(sentence1, sentence2, label=1, **columns):
    return {"sentence1": sentence1, "sentence2": sentence2, "label": label, **columns}


def corpus_of(*sets, config=CONFIG):
    return build_corpus([getattr(each, "pairs", each) for each in sets], config)


def by_code(audits):
    """Return the audits by code; a code that is there twice is a fault of the test."""
    found = {audit.code: audit for audit in audits}
    assert len(found) == len(audits)
    return found

"""The texts and records of several pair sets as numbers, so that what the sets have in common is found at once.

Finds nothing itself: leakage.py and contradictions.py do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.difficulty.audits.config import AuditConfig
from simtune_core.near_duplicates import Progress, near_duplicate_groups
from simtune_core.pairs import PairSet

Numbers = NDArray[np.int64]
NO_RECORD = -1
_SAME_NUMBERING = 0.5  # share of common ids with a common text from which on two datasets number the same records


@dataclass(frozen=True, eq=False)
class Part:
    """One pair set of a corpus; every array has one row a side of a pair, shape (n_pairs, 2).

    Attributes:
        pairs: The set.
        texts: Number of the text in `Corpus.texts`.
        keys: Number of the text after `normalise`: equal texts have equal numbers.
        groups: Number of its group of near-duplicates.
        records: Number of the record; NO_RECORD where the pair names none.
    """

    pairs: PairSet
    texts: Numbers
    keys: Numbers
    groups: Numbers
    records: Numbers

    @property
    def ref(self) -> str:
        """Return the reference of the set."""
        return self.pairs.ref

    @cached_property
    def has_records(self) -> bool:
        """Tell whether any pair names its records."""
        return bool((self.records != NO_RECORD).any())

    def side(self, row: int) -> tuple[str, str]:
        """Return text and id of one row of a flattened array; the id is empty where there is none."""
        pair, side = divmod(row, 2)
        shown = self.pairs.frame.iloc[pair]
        record = shown[f"id{side + 1}"]
        return str(shown[f"sentence{side + 1}"]), "" if pd.isna(record) else str(record)


@dataclass(frozen=True, eq=False)
class Corpus:
    """Several pair sets with common numbers.

    Attributes:
        parts: The sets.
        texts: Every text once.
        first_of_key: Place in `texts` of the first text of each key.
        n_groups: How many groups of near-duplicates there are.
        n_records: How many records are named.
        n_looked: Among how many of them near-duplicates were looked for.
        other_numbering: Datasets whose ids coincide with those of another but stand for other texts.
    """

    parts: tuple[Part, ...]
    texts: list[str]
    first_of_key: Numbers
    n_groups: int
    n_records: int
    n_looked: int
    other_numbering: tuple[str, ...]

    @property
    def n_keys(self) -> int:
        """Return how many texts there are after `normalise`."""
        return len(self.first_of_key)

    def text_of(self, key: int) -> str:
        """Return the first text of a key."""
        return self.texts[self.first_of_key[key]]

    @property
    def sampled(self) -> str:
        """Return the sentence that must follow a number of near-duplicates; empty where every text was looked at."""
        if self.n_looked == self.n_keys:
            return ""
        return (
            f" Near-duplicates were looked for among {self.n_looked:,} of {self.n_keys:,} texts, the smaller sets "
            "first, so there may be more."
        )

    @cached_property
    def components(self) -> tuple[Numbers, ...]:
        """Return the component of each pair: pairs are joined by a common record, text or near-duplicate.

        Two records of one category are not joined. Shape (n_pairs,) for each part.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        edges = [part.groups.T for part in self.parts]
        for part in self.parts:
            named = part.records != NO_RECORD
            edges.append(np.stack([part.groups[named], part.records[named] + self.n_groups]))
        first, second = np.concatenate(edges, axis=1)
        n = self.n_groups + self.n_records
        graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(n, n))
        labels = connected_components(graph, directed=False)[1].astype(np.int64)
        return tuple(labels[part.groups[:, 0]] for part in self.parts)


def build_corpus(sets: Sequence[PairSet], config: AuditConfig, progress: Progress | None = None) -> Corpus:
    """Number the texts and records of pair sets.

    Args:
        sets: At least one set.
        config: How alike near-duplicates are, and among how many texts they are looked for.
        progress: Called with (texts done, texts to do, what is being done).
    """
    sizes = [2 * len(each) for each in sets]
    sides = pd.concat([each.frame[f"sentence{side}"] for each in sets for side in (1, 2)], ignore_index=True)
    texts, unique = pd.factorize(sides)
    names = [str(text) for text in unique]
    keys = near_duplicate_groups(names, threshold=1.0)
    of_text = _by_side(texts.astype(np.int64), sizes)
    _, first = np.unique(keys, return_index=True)
    groups, n_looked = _groups_of_keys(
        [names[place] for place in first], [keys[part] for part in of_text], config, progress
    )
    ids, scopes = _ids(sets), _scopes(sets)
    taken = [groups[keys[part]] for part in of_text]
    other = _other_numberings(ids, scopes, taken)
    known = pd.concat([_scoped(part, scope, other) for part, scope in zip(ids, scopes, strict=True)], ignore_index=True)
    records, distinct = pd.factorize(known)  # a missing id is -1
    of_record = _by_side(records.astype(np.int64), sizes)
    parts = tuple(
        Part(each, text, keys[text], group, record)
        for each, text, group, record in zip(sets, of_text, taken, of_record, strict=True)
    )
    n_groups = int(groups.max(initial=-1)) + 1
    return Corpus(parts, names, first, n_groups, len(distinct), n_looked, tuple(sorted(other)))


def _by_side(values: Numbers, sizes: Sequence[int]) -> list[Numbers]:
    """Return each set's part of a long array as (n_pairs, 2): first all first sides, then all second ones."""
    parts = np.split(values, np.cumsum(sizes)[:-1])
    return [np.ascontiguousarray(part.reshape(2, -1).T) for part in parts]


def _groups_of_keys(
    texts: Sequence[str], parts: Sequence[Numbers], config: AuditConfig, progress: Progress | None
) -> tuple[Numbers, int]:
    """Return the group of near-duplicates of each key, and among how many keys they were looked for."""
    n = len(texts)
    looked = np.arange(n)
    if n > config.max_texts:  # the smaller a set, the sooner all of its texts are in: leaks into a test set are found
        size = np.full(n, np.iinfo(np.int64).max)
        for part in parts:
            np.minimum.at(size, part.ravel(), len(part))
        chance = np.random.default_rng(config.seed).permutation(n)
        looked = np.sort(np.lexsort((chance, size))[: config.max_texts])
    near = near_duplicate_groups(
        [texts[key] for key in looked.tolist()], threshold=config.near_duplicate, progress=progress
    )
    groups = np.full(n, -1, dtype=np.int64)
    groups[looked] = near
    alone = np.flatnonzero(groups < 0)
    groups[alone] = int(near.max(initial=-1)) + 1 + np.arange(len(alone))
    return groups, len(looked)


def _ids(sets: Sequence[PairSet]) -> list[pd.Series]:
    return [pd.concat([each.frame["id1"], each.frame["id2"]], ignore_index=True) for each in sets]


def _scopes(sets: Sequence[PairSet]) -> list[str]:
    """Return the dataset of each set: the splits and versions of one number the same records."""
    return [each.ref.partition(":")[0].partition("@")[0] for each in sets]


def _scoped(ids: pd.Series, scope: str, other: set[str]) -> pd.Series:
    """Return ids that are told apart from those of a dataset with other records under the same numbers."""
    return ids if scope not in other else scope + ":" + ids


def _other_numberings(ids: Sequence[pd.Series], scopes: Sequence[str], groups: Sequence[Numbers]) -> set[str]:
    """Return the datasets whose ids coincide with an earlier one's while their texts do not."""
    tables: dict[str, pd.DataFrame] = {}
    for part, scope, group in zip(ids, scopes, groups, strict=True):
        table = pd.DataFrame({"id": part, "group": group.T.ravel()}).dropna().drop_duplicates()
        tables[scope] = pd.concat([tables[scope], table]) if scope in tables else table
    other = set()
    for first, second in combinations(tables, 2):
        common = set(tables[first]["id"]) & set(tables[second]["id"])
        same = tables[first].merge(tables[second], on=["id", "group"])["id"].nunique()
        if common and same < _SAME_NUMBERING * len(common):
            other.add(second)
    return other

"""A pair set with the similarities of its pairs: what every measurement and audit of difficulty looks at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simtune_core.errors import DataFaultError
from simtune_core.pairs import SCORE_CUT, PairSet

UNKNOWN = -1  # of `same_category`: a category is missing


@dataclass(frozen=True, eq=False)
class ScoredSet:
    """A pair set in one encoder's space, with TF-IDF beside it.

    Attributes:
        pairs: The set.
        cosines: Cosine similarity in the encoder's space, in [-1, 1]; shape (n_pairs,).
        tfidf: TF-IDF cosine of the same pairs, in [0, 1]; shape (n_pairs,). The same numbers where TF-IDF
            is the space.
        space: What the encoder is called on a page.
        cut: A graded pair counts as similar from this score on.
    """

    pairs: PairSet
    cosines: NDArray[np.float32]
    tfidf: NDArray[np.float32]
    space: str
    cut: float = SCORE_CUT

    def __post_init__(self) -> None:
        """Refuse similarities that are not one a pair."""
        if not len(self.pairs) == len(self.cosines) == len(self.tfidf):
            raise DataFaultError(
                f"{self.pairs.ref} must have one similarity a pair: got {len(self.cosines):,} cosines and "
                f"{len(self.tfidf):,} of TF-IDF for {len(self.pairs):,} pairs."
            )

    @property
    def ref(self) -> str:
        """Return the reference of the set."""
        return self.pairs.ref

    @cached_property
    def labels(self) -> NDArray[np.int8]:
        """Return 1 for a similar pair, 0 for a dissimilar one; shape (n_pairs,)."""
        return self.pairs.labels(self.cut)

    @cached_property
    def same_category(self) -> NDArray[np.int8]:
        """Return 1 where both records have the same category, 0 where not, UNKNOWN where one is missing."""
        first, second = self.pairs.frame["category1"], self.pairs.frame["category2"]
        same = (first == second).to_numpy(dtype=bool, na_value=False)
        return np.where((first.isna() | second.isna()).to_numpy(), UNKNOWN, same).astype(np.int8)

    @cached_property
    def phases(self) -> dict[str, NDArray[np.bool_]]:
        """Return which pairs are in each phase, in order of first appearance; empty where the set has no phases.

        Pairs without a phase in a set with phases are in none.
        """
        column = self.pairs.frame["phase"]
        return {str(name): (column == name).to_numpy(dtype=bool, na_value=False) for name in column.dropna().unique()}

"""Mined pairs as a table: the rows of each anchor together, its positives first, and how each row came to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from simtune_core.curriculum.mining.anchored import Chosen
from simtune_core.curriculum.mining.neighbourhood import Anchors, Corpus
from simtune_core.curriculum.rules import NEGATIVE_ROLES, POSITIVE_ROLES
from simtune_core.datasets import DETAIL_COLUMNS
from simtune_core.pairs import PAIR_COLUMNS, PairSet, with_pair_columns


@dataclass(frozen=True, slots=True, eq=False)
class Assembled:
    """A table of pairs and what lies beside it, row by row.

    Attributes:
        frame: PAIR_COLUMNS.
        details: DETAIL_COLUMNS.
    """

    frame: pd.DataFrame
    details: pd.DataFrame


def assembled(rows: pd.DataFrame) -> Assembled:
    """Part rows into pairs and details.

    Args:
        rows: PAIR_COLUMNS, as far as known, and `similarity`; in the order in which they are saved.
    """
    frame = with_pair_columns(rows)
    roles = roles_of(frame["label"], frame["category1"], frame["category2"])
    details = pd.DataFrame({"similarity": rows["similarity"].to_numpy(np.float64), "role": roles})
    return Assembled(frame, details.reindex(columns=list(DETAIL_COLUMNS)))


def roles_of(labels: ArrayLike, category1: pd.Series, category2: pd.Series) -> NDArray[np.object_]:
    """Return the role of each pair: positive, cross_category, other_category, same_category.

    A pair of which a category is unknown is a `positive`, or a negative of `other_category`, as the label rules have
    it.

    Args:
        labels: 1 or 0; shape (n_pairs,).
        category1: Of the first records.
        category2: Of the second.
    """
    both = (category1.notna() & category2.notna()).to_numpy(bool)
    same = (category1.to_numpy(object) == category2.to_numpy(object)) & both
    positive = np.where(same | ~both, *POSITIVE_ROLES)
    negative = np.where(same, NEGATIVE_ROLES[1], NEGATIVE_ROLES[0])
    return np.where(np.asarray(labels) == 1, positive, negative).astype(object)


def assemble(
    pairs: PairSet, corpus: Corpus, anchors: Anchors, scores: NDArray[np.float32], chosen: Chosen
) -> Assembled:
    """Put positives and mined negatives together, anchor by anchor within each phase.

    An anchor in several phases deals its negatives out to them in turn.

    Args:
        pairs: Where the positives come from; phase and split are theirs.
        corpus: Texts and records.
        anchors: Anchors and positives.
        scores: Cosine of each positive; shape (n_positives,).
        chosen: The negatives.
    """
    positives = anchors.positives
    group = positives.groupby(["anchor", "phase"], sort=False, dropna=False).ngroup().to_numpy()
    source = pairs.frame.iloc[positives["source"]].reset_index(drop=True)
    upper = source.assign(label=1.0, score=np.nan, similarity=scores, group=group, below=0)
    upper["place"] = np.arange(len(upper))
    first = upper.assign(anchor=positives["anchor"].to_numpy()).drop_duplicates("group")
    turn = pd.Series(chosen.anchors).groupby(chosen.anchors).cumcount().to_numpy()
    groups = first.groupby("anchor", sort=False)["group"].agg(list).to_dict()
    dealt = [groups[anchor][k % len(groups[anchor])] for anchor, k in zip(chosen.anchors.tolist(), turn, strict=True)]
    lower = first.set_index("group").loc[dealt].reset_index()
    records = corpus.frame.iloc[chosen.positions].reset_index(drop=True)
    lower = lower.assign(
        label=0.0,
        sentence2=np.array(corpus.texts, dtype=object)[chosen.positions],
        id2=records["id"],
        category2=records["category"],
        similarity=chosen.scores,
        below=1,
        place=turn,
    )
    both = pd.concat([upper, lower], ignore_index=True).sort_values(["group", "below", "place"], kind="stable")
    return assembled(both[[*PAIR_COLUMNS, "similarity"]].reset_index(drop=True))

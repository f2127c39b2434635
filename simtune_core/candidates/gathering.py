"""The records that are paired: those of a table, or those that the pairs of a pair set are made of; some left apart.

Knows no encoder and no counts. What is left out is counted, and said in a finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from simtune_core.candidates.counted import Source
from simtune_core.candidates.given_pairs import GivenPairs, take_apart
from simtune_core.datasets import find_dataset, load_pairs, load_records
from simtune_core.errors import DataFaultError
from simtune_core.findings import Finding, finding
from simtune_core.near_duplicates import NEAR_DUPLICATE, Progress, near_duplicate_pairs, normalise
from simtune_core.pairs import PairSet
from simtune_core.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Records to pair.

    Attributes:
        frame: Columns `id, text, category, duplicate_group`, null where unknown; one row a record.
        ref: Canonical reference of where they come from.
        content_id: Of the same.
        source: Whether that is records or a pair set.
        given: The only pairs that count, of a pair set; None where every pair does.
        n_apart_records: Records left out because a set kept apart holds them, by id or by text.
        n_apart_near: Records left out because their text is nearly one of such a set.
        findings: What a researcher should know of it.
    """

    frame: pd.DataFrame
    ref: str
    content_id: str
    source: Source
    given: GivenPairs | None = None
    n_apart_records: int = 0
    n_apart_near: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def has_known(self) -> bool:
        """Tell whether positives are known: duplicate groups, or labels."""
        return self.given is not None or bool(self.frame["duplicate_group"].notna().any())

    @property
    def n_left_out(self) -> int:
        """Return how many records are not paired."""
        return self.n_apart_records + self.n_apart_near


def gather(workspace: Workspace, ref: str, apart: Sequence[str], progress: Progress | None = None) -> Gathered:
    """Load what is to be paired, without what is to be kept apart.

    Args:
        workspace: Where everything lies.
        ref: Records or a pair set.
        apart: Pair sets whose records, and near-duplicates of whose texts, are left out.
        progress: Called with (texts done, texts to do, what is being done).

    Raises:
        WorkspaceError: If one of them is not there.
        DataFaultError: If fewer than two records, or no pair, are left.
    """
    gathered = _loaded(workspace, ref)
    if apart:
        gathered = _without(gathered, [load_pairs(workspace, each) for each in apart], progress)
    told = f" after {gathered.n_left_out:,} records were kept apart" if apart else ""
    if gathered.given is None and len(gathered.frame) < 2:
        raise DataFaultError(
            f"{gathered.ref} must hold at least two records to pair, got {len(gathered.frame)}{told}; choose another "
            "table."
        )
    if gathered.given is not None and not len(gathered.given):
        raise DataFaultError(f"{gathered.ref} must hold at least one pair of two records, got 0{told}; choose another.")
    return gathered


def _loaded(workspace: Workspace, ref: str) -> Gathered:
    if find_dataset(workspace, ref)[0].kind == "pairs":
        pairs = load_pairs(workspace, ref)
        apart = take_apart(pairs)
        found = (*apart.findings, *_splits_mixed(pairs.ref, pairs.frame["split"], "pairs"))
        return Gathered(apart.frame, pairs.ref, pairs.content_id, "pairs", apart.given, findings=found)
    records = load_records(workspace, ref)
    frame = records.frame[["id", "text", "category", "duplicate_group"]]
    found = (*_splits_mixed(records.ref, records.frame["split"], "records"), *_identical_texts(frame))
    return Gathered(frame, records.ref, records.content_id, "records", findings=found)


def _without(gathered: Gathered, apart: Sequence[PairSet], progress: Progress | None) -> Gathered:
    """Leave out the records of other sets: by id, by text, and by near-duplicate text."""
    frame = gathered.frame
    ids = {each for pairs in apart for side in ("id1", "id2") for each in pairs.frame[side].dropna()}
    texts = list(dict.fromkeys(text for pairs in apart for text in pairs.unique_texts()))
    equal = (frame["id"].isin(ids) | frame["text"].isin(set(texts))).to_numpy()
    near = near_duplicate_pairs(frame["text"].tolist(), texts, progress=progress)
    keys = frame["text"].map(normalise)
    alike = keys.isin(set(keys.iloc[np.unique(near.first)])).to_numpy() & ~equal
    kept = ~(equal | alike)
    n_equal, n_alike, refs = int(equal.sum()), int(alike.sum()), ", ".join(pairs.ref for pairs in apart)
    words = (
        f"{n_equal + n_alike:,} of {len(frame):,} records were left out to stay apart from {refs}: {n_equal:,} are in "
        f"it, {n_alike:,} are near-duplicates of its texts (Jaccard similarity {NEAR_DUPLICATE} or more)."
        if n_equal + n_alike
        else f"No record had to be left out to stay apart from {refs}."
    )
    return replace(
        gathered,
        frame=frame[kept].reset_index(drop=True),
        given=None if gathered.given is None else gathered.given.among(kept),
        n_apart_records=n_equal,
        n_apart_near=n_alike,
        findings=(*gathered.findings, finding("kept_apart", "info", words)),
    )


def _splits_mixed(ref: str, column: pd.Series, what: str) -> list[Finding]:
    splits = sorted(column.dropna().unique())
    if len(splits) < 2:
        return []
    return [
        finding(
            "splits_mixed",
            "warning",
            f"{ref} holds the splits {', '.join(splits)}; pairs made of all of them put test {what} into training. "
            f"Count the candidates of one split, such as {ref}:{splits[-1]}.",
        )
    ]


def _identical_texts(frame: pd.DataFrame) -> list[Finding]:
    n_identical = int(frame["text"].duplicated().sum())
    if not n_identical:
        return []
    return [
        finding(
            "identical_texts",
            "warning",
            f"{n_identical:,} records repeat the text of another; their pairs have similarity 1 and teach nothing. "
            "Remove repeated texts at import.",
        )
    ]

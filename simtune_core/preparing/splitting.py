"""Train, dev and test by connected component: no record, and no near-duplicate of one, in two splits.

Records are nodes and pairs are edges; records of one text, of near-duplicate texts or of one duplicate group are
joined, too. Whole components go to one split, stratified by label and category as well as whole components allow, or in
the order of time. Reads and writes nothing; drops nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simtune_core.errors import DataFaultError
from simtune_core.near_duplicates import NEAR_DUPLICATE, near_duplicate_groups
from simtune_core.pairs import SCORE_CUT, PairSet
from simtune_core.preparing.allocation import allocate
from simtune_core.preparing.split_report import Grouped, SplitReport, report_on, require_classes
from simtune_core.records import Records
from simtune_core.settings import Settings

TIME = "time"  # the column of records that a split by time goes by
_SUM_TOLERANCE = 1e-6
_HASH_KEY = 16  # bytes that pandas' hash of strings takes as its key

Progress = Callable[[int, int, str], None]


class SplitConfig(Settings):
    """How a dataset is divided into train, dev and test."""

    train: float = Field(0.8, ge=0.0, le=1.0, description="Share of the rows to train on.")
    dev: float = Field(0.1, ge=0.0, le=1.0, description="Share of the rows to choose epochs and thresholds on.")
    test: float = Field(0.1, ge=0.0, le=1.0, description="Share of the rows to judge on, once.")
    by: Literal["components", "time"] = Field(
        "components",
        description="components: drawn at random, stratified. time: the oldest rows train, the newest test.",
    )
    stratify: bool = Field(
        True, description="Give every split the same shares of labels and categories, as far as whole components allow."
    )
    near_duplicates: bool = Field(
        True, description="Keep texts that are nearly the same in one split; equal texts always are."
    )
    threshold: float = Field(
        NEAR_DUPLICATE,
        ge=0.5,
        le=1.0,
        description="Two texts are nearly the same from this Jaccard similarity of their character 5-grams on.",
    )
    seed: int = Field(42, ge=0, le=2**31 - 1, description="Another seed draws other components.")

    @model_validator(mode="after")
    def _whole(self) -> SplitConfig:
        total = self.train + self.dev + self.test
        if abs(total - 1) > _SUM_TOLERANCE:
            raise ValueError(f"The shares of train, dev and test must add up to 1, got {total:g}")
        if sum(share > 0 for share in self.shares.values()) < 2:
            raise ValueError("At least two of train, dev and test must have a share above 0")
        return self

    @property
    def shares(self) -> dict[str, float]:
        """Return the wanted share of each split, in order."""
        return {"train": self.train, "dev": self.dev, "test": self.test}


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A split of every row, and how it came out.

    Attributes:
        splits: Name of the split of each row; object array of shape (n_rows,).
        components: The connected component of each row, numbered from 0; shape (n_rows,).
        report: Sizes and shares beside the wanted ones, and findings.
    """

    splits: NDArray[np.object_]
    components: NDArray[np.int64]
    report: SplitReport


def split_pairs(pairs: PairSet, config: SplitConfig, progress: Progress | None = None) -> Split:
    """Divide pairs; two pairs that share a record, a text or a near-duplicate of one are in one split.

    Args:
        pairs: The pairs.
        config: Shares, seed, what joins and what is balanced.
        progress: As in `near_duplicate_groups`.

    Raises:
        DataFaultError: If there are no pairs, a split would stay empty, a label cannot be in every split, or a split
            by time is asked for and a pair has no time.
    """
    frame, n = pairs.frame, len(pairs)
    times = _times(pairs.ref, frame, "pairs", config)
    nodes, names = pd.factorize(np.concatenate(pairs.record_ids()).astype(object))
    texts = _text_groups([*frame["sentence1"], *frame["sentence2"]], config, progress)
    of_record = _components(len(names), (nodes[:n], nodes[n:]), [(nodes, texts)])
    grouped = Grouped(
        ref=pairs.ref,
        what="pairs",
        components=of_record[nodes[:n]],
        keys=_keys(of_record, list(names), config.seed),
        labels=_labels(pairs),
        categories=_known(frame["category1"], frame["category2"]),
        n_records=len(names),
    )
    return _divide(grouped, times, config)


def split_records(records: Records, config: SplitConfig, progress: Progress | None = None) -> Split:
    """Divide records; those of one duplicate group, of one text or of near-duplicate texts are in one split.

    Raises:
        DataFaultError: If there are no records, a split would stay empty, or a split by time is asked for and a record
            has no time.
    """
    frame = records.frame
    times = _times(records.ref, frame, "records", config)
    nodes, names = pd.factorize(frame["id"].astype(object))
    texts = _text_groups(frame["text"].tolist(), config, progress)
    groups = pd.factorize(frame["duplicate_group"])[0]
    of_record = _components(len(names), (nodes, nodes), [(nodes, texts), (nodes[groups >= 0], groups[groups >= 0])])
    grouped = Grouped(
        ref=records.ref,
        what="records",
        components=of_record[nodes],
        keys=_keys(of_record, list(names), config.seed),
        labels=None,
        categories=_known(frame["category"]),
        n_records=len(names),
    )
    return _divide(grouped, times, config)


def _divide(grouped: Grouped, times: NDArray[np.int64] | None, config: SplitConfig) -> Split:
    """Give every component to a split, at random or by its newest row, and report."""
    wanted = {name: share for name, share in config.shares.items() if share > 0}
    if times is None:
        if config.stratify:
            require_classes(grouped, list(wanted))
        cells = _cells(grouped, stratify=config.stratify)
        chosen = allocate(grouped.components, cells, grouped.keys, list(wanted.values()))
    else:
        chosen = _by_time(grouped.components, times, list(wanted.values()))
    splits = np.array(list(wanted), dtype=object)[chosen[grouped.components]]
    return Split(splits, grouped.components, report_on(grouped, splits, wanted, times))


def _text_groups(texts: Sequence[str], config: SplitConfig, progress: Progress | None) -> NDArray[np.int64]:
    """Return the group of each text: equal texts always share one, near-duplicates if they are to be joined."""
    codes, unique = pd.factorize(np.array(texts, dtype=object), sort=True)  # sorted: the order of rows decides nothing
    if not config.near_duplicates:
        return codes.astype(np.int64)
    return near_duplicate_groups(unique.tolist(), threshold=config.threshold, progress=progress)[codes]


def _components(
    n_records: int,
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    joins: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> NDArray[np.int64]:
    """Return the connected component of each record, numbered from 0; shape (n_records,).

    Args:
        n_records: How many records there are.
        pairs: The records on either side of each pair.
        joins: Records and, for each of them, the text or group that it shares with others; numbers from 0.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges, n_nodes = [pairs], n_records
    for records, shared in joins:
        edges.append((records, shared + n_nodes))
        n_nodes += int(shared.max(initial=-1)) + 1
    first, second = (np.concatenate(part) for part in zip(*edges, strict=True))
    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(n_nodes, n_nodes))
    labels = connected_components(graph, directed=False)[1][:n_records]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _keys(of_record: NDArray[np.int64], names: Sequence[str], seed: int) -> NDArray[np.uint64]:
    """Return a number for each component that its records and the seed decide, whatever the order of the rows."""
    hashed = pd.util.hash_array(np.asarray(names, dtype=object), hash_key=f"{seed:0{_HASH_KEY}d}", categorize=False)
    keys = np.full(int(of_record.max()) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(keys, of_record, hashed)
    return keys


def _labels(pairs: PairSet) -> NDArray[np.float64]:
    """Return 1 or 0 for each pair, NaN where neither a label nor a score is known; a score counts from the cut on."""
    label, score = (pairs.frame[name].to_numpy(np.float64) for name in ("label", "score"))
    by_score = np.where(np.isnan(score), np.nan, score >= SCORE_CUT)
    return np.where(np.isnan(label), by_score, label)


def _known(*columns: pd.Series) -> tuple[NDArray[np.object_], ...]:
    """Return columns of categories without nulls (an empty name); nothing where no category is known at all."""
    if all(column.isna().all() for column in columns):
        return ()
    return tuple(column.fillna("").to_numpy(dtype=object) for column in columns)


def _cells(grouped: Grouped, *, stratify: bool) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the cells to balance: all rows, by label, by category and by both; a pair counts for both its sides."""
    rows = np.arange(len(grouped.components))
    cells, n = [(rows, np.zeros(len(rows), dtype=np.int64))], 1
    if not stratify:
        return cells
    labels = np.zeros(len(rows), dtype=np.int64)
    if grouped.labels is not None:
        labels = np.where(np.isnan(grouped.labels), 2, grouped.labels).astype(np.int64)
        cells.append((rows, labels + n))
        n += 3
    if grouped.categories:
        codes, names = pd.factorize(np.concatenate(grouped.categories), sort=True)
        sides = np.tile(rows, len(grouped.categories))
        cells.append((sides, codes + n))
        n += len(names)
        cells.append((sides, labels[sides] * len(names) + codes + n))
    return cells


def _by_time(components: NDArray[np.int64], times: NDArray[np.int64], fractions: Sequence[float]) -> NDArray[np.int64]:
    """Return the split of each component: oldest first by its newest row, equal times together.

    So nothing in an earlier split is newer than any component of a later one; a component that began before the border
    and goes on after it takes its older rows along, which the report counts.
    """
    newest = np.full(int(components.max()) + 1, np.iinfo(np.int64).min)
    np.maximum.at(newest, components, times)
    moments, place = np.unique(newest, return_inverse=True)
    ends = np.r_[0, np.cumsum(np.bincount(place, weights=np.bincount(components)))]
    borders = np.cumsum(fractions)[:-1] * len(components)
    cuts = np.array([int(np.argmin(np.abs(ends - border))) for border in borders])
    for split in range(len(cuts)):  # a moment at least for each split, where there are so many
        cuts[split] = max(cuts[split], split + 1, cuts[split - 1] + 1 if split else 1)
    cuts = np.minimum(cuts, len(moments) - np.arange(len(cuts), 0, -1))
    return np.searchsorted(cuts, np.arange(len(moments)), side="right")[place]


def _times(ref: str, frame: pd.DataFrame, what: str, config: SplitConfig) -> NDArray[np.int64] | None:
    """Return numbers in the order of the rows' times, equal for equal times; None where time does not matter.

    Raises:
        DataFaultError: If there are no rows, no times, or some that cannot be read.
    """
    if frame.empty:
        raise DataFaultError(f"{ref} must have rows to be split, and it has none.")
    if config.by != "time":
        return None
    if TIME not in frame or frame[TIME].isna().all():
        hint = " Pairs keep no time: split the records they are made of." if what == "pairs" else ""
        raise DataFaultError(
            f"A split by time needs the column {TIME!r}, and {ref} has none; import the data again with a column "
            f"chosen for it, or split by components.{hint}"
        )
    values = frame[TIME]
    if not pd.api.types.is_datetime64_any_dtype(values):
        numbers = pd.to_numeric(values, errors="coerce")
        whole = bool(numbers.notna().all())
        values = numbers if whole else pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601")
    missing = np.flatnonzero(values.isna().to_numpy())
    if len(missing):
        raise DataFaultError(
            f"A split by time needs a time in every row, such as 2024-05-31 or 2024-05-31T08:30; {len(missing):,} "
            f"of the {len(values):,} {what} of {ref} have none, row {missing[0] + 1:,} first."
        )
    return np.unique(values.to_numpy(), return_inverse=True)[1].astype(np.int64)

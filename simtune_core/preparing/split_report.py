"""How a split came out: sizes, labels and categories of each part beside the wanted ones, and what fell short.

Divides nothing itself; refuses what must not pass silently: an empty part, a label that cannot be in every part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.errors import DataFaultError
from simtune_core.findings import Finding, finding

What = Literal["pairs", "records"]
SIZE_TOLERANCE = 0.01  # a part's share may be off by so much before a word is said
SHOWN_CATEGORIES = 200  # the largest ones are reported one by one
_NAMED = 5  # classes named in a sentence


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """The rows of a dataset in their connected components.

    Attributes:
        ref: The dataset.
        what: Whether the rows are pairs or records.
        components: The component of each row, numbered from 0; shape (n_rows,).
        keys: A number for each component that its records decide; shape (n_components,).
        labels: 1, 0 or NaN where unknown, shape (n_rows,); None for records.
        categories: The category of each row, or of each side of each pair, empty text where unknown; no array where
            no category is known.
        n_records: How many records there are.
    """

    ref: str
    what: What
    components: NDArray[np.int64]
    keys: NDArray[np.uint64]
    labels: NDArray[np.float64] | None
    categories: tuple[NDArray[np.object_], ...]
    n_records: int


@dataclass(frozen=True, slots=True)
class SplitPart:
    """One part of a split.

    Attributes:
        name: train, dev or test.
        wanted: The share of the rows asked for.
        share: The share of the rows that it has.
        n_rows: Its rows.
        n_components: Its connected components.
        positive_share: Share of pairs with label 1 among those with a label; None where there are none.
        n_categories: How many categories it has rows of.
    """

    name: str
    wanted: float
    share: float
    n_rows: int
    n_components: int
    positive_share: float | None
    n_categories: int


@dataclass(frozen=True, slots=True)
class ClassShare:
    """How one label or category spreads over the parts.

    Attributes:
        kind: label or category.
        name: The label or category.
        n_rows: How many rows have it; a pair of two categories counts for both.
        wanted: Its share in the whole set, which is what every part should have.
        shares: Its share in each part, by the part's name.
    """

    kind: Literal["label", "category"]
    name: str
    n_rows: int
    wanted: float
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SplitReport:
    """How a split came out.

    Attributes:
        what: Whether the rows are pairs or records.
        n_rows: All rows; each is in one part.
        n_records: All records.
        n_components: All connected components; each is in one part.
        largest_rows: Rows of the largest component.
        largest_split: The part that has it.
        parts: The parts, in order.
        classes: Labels, then the largest categories.
        findings: What fell short, as `--json` holds it.
        n_dropped: Rows left out: none, whatever the split.
    """

    what: What
    n_rows: int
    n_records: int
    n_components: int
    largest_rows: int
    largest_split: str
    parts: tuple[SplitPart, ...]
    classes: tuple[ClassShare, ...]
    findings: tuple[Finding, ...]
    n_dropped: int = 0

    @property
    def largest_share(self) -> float:
        """Return the share of all rows that lie in the largest component."""
        return self.largest_rows / self.n_rows

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON."""
        value = asdict(self) | {"largest_share": self.largest_share}
        return value | {"classes": [asdict(each) | {"shares": dict(each.shares)} for each in self.classes]}


def require_classes(grouped: Grouped, names: Sequence[str]) -> None:
    """Refuse to stratify by a label that cannot be in every part.

    Raises:
        DataFaultError: If every pair has the same label, or a label lies in fewer components than there are parts.
    """
    if grouped.labels is None:
        return
    labels = grouped.labels[~np.isnan(grouped.labels)].astype(np.int64)
    components = grouped.components[~np.isnan(grouped.labels)]
    present = np.unique(labels)
    if len(present) == 1:
        raise DataFaultError(
            f"Every pair of {grouped.ref} has label {present[0]}, so there is no label to stratify by and no metric "
            f"that needs both is defined: add pairs with label {1 - present[0]}, or switch stratification off."
        )
    for label in present:
        n_rows, n_components = int((labels == label).sum()), len(np.unique(components[labels == label]))
        if n_components < len(names):
            raise DataFaultError(
                f"Label {label} of {grouped.ref} has {_rows(n_rows, 'pairs')} in {n_components} connected "
                f"component{'s' if n_components > 1 else ''}, too few to be in each of {', '.join(names)}: add "
                f"pairs of label {label} from other records, ask for fewer splits, or switch stratification off."
            )


def report_on(
    grouped: Grouped, splits: NDArray[np.object_], wanted: Mapping[str, float], times: NDArray[np.int64] | None
) -> SplitReport:
    """Count what each part holds.

    Args:
        grouped: The rows.
        splits: The part of each row, shape (n_rows,).
        wanted: The wanted share of each part, all above 0, in order.
        times: Numbers in the order of the rows' times, shape (n_rows,); None for a split that time did not decide.

    Raises:
        DataFaultError: If a part is empty.
    """
    sizes = np.bincount(grouped.components)
    largest = int(np.argmax(sizes))
    parts = tuple(_part(grouped, splits == name, name, share) for name, share in wanted.items())
    _require_rows(grouped, parts, int(sizes[largest]))
    where = str(splits[np.flatnonzero(grouped.components == largest)[0]])
    classes = (*_label_shares(grouped, splits, wanted), *_category_shares(grouped, splits, wanted))
    report = SplitReport(
        what=grouped.what,
        n_rows=len(splits),
        n_records=grouped.n_records,
        n_components=len(sizes),
        largest_rows=int(sizes[largest]),
        largest_split=where,
        parts=parts,
        classes=tuple(each for each in classes if each.kind == "label")
        + tuple(each for each in classes if each.kind == "category")[:SHOWN_CATEGORIES],
        findings=(),
    )
    found = (*_size_findings(report), *_class_findings(report, classes), *_time_findings(splits, times, list(wanted)))
    return SplitReport(**{name: getattr(report, name) for name in report.__slots__} | {"findings": found})


def _part(grouped: Grouped, inside: NDArray[np.bool_], name: str, wanted: float) -> SplitPart:
    labels = np.empty(0) if grouped.labels is None else grouped.labels[inside]
    known = labels[~np.isnan(labels)]
    categories: set[str] = set().union(*(set(column[inside]) for column in grouped.categories)) - {""}
    return SplitPart(
        name=name,
        wanted=wanted,
        share=float(inside.mean()),
        n_rows=int(inside.sum()),
        n_components=len(np.unique(grouped.components[inside])),
        positive_share=float(known.mean()) if len(known) else None,
        n_categories=len(categories),
    )


def _require_rows(grouped: Grouped, parts: Sequence[SplitPart], largest: int) -> None:
    empty = [part.name for part in parts if part.n_rows == 0]
    if not empty:
        return
    n = sum(part.n_rows for part in parts)
    n_components = sum(part.n_components for part in parts)
    raise DataFaultError(
        f"{' and '.join(empty)} would stay empty: the {n:,} {grouped.what} of {grouped.ref} are connected into "
        f"{n_components:,} component{'s' if n_components > 1 else ''} by shared records and texts, the largest with "
        f"{_rows(largest, grouped.what)} ({100 * largest / n:.0f} %), and a component cannot be divided without "
        "putting a record into two splits. Split the records first and draw pairs inside each split, or ask for fewer "
        "splits."
    )


def _label_shares(grouped: Grouped, splits: NDArray[np.object_], wanted: Mapping[str, float]) -> list[ClassShare]:
    if grouped.labels is None:
        return []
    known = ~np.isnan(grouped.labels)
    return _shares("label", grouped.labels[known].astype(np.int64).astype(str), splits[known], wanted)


def _category_shares(grouped: Grouped, splits: NDArray[np.object_], wanted: Mapping[str, float]) -> list[ClassShare]:
    if not grouped.categories:
        return []
    names = np.concatenate(grouped.categories)
    parts = np.tile(splits, len(grouped.categories))
    return _shares("category", names[names != ""], parts[names != ""], wanted)


def _shares(
    kind: Literal["label", "category"], names: NDArray[Any], splits: NDArray[np.object_], wanted: Mapping[str, float]
) -> list[ClassShare]:
    """Count names by part, the most frequent first."""
    codes, known = pd.factorize(names, sort=True)
    columns = pd.Categorical(splits, categories=list(wanted)).codes.astype(np.int64)
    counts = np.bincount(codes * len(wanted) + columns, minlength=len(known) * len(wanted)).reshape(-1, len(wanted))
    totals, of_part = counts.sum(axis=1), np.maximum(counts.sum(axis=0), 1)
    return [
        ClassShare(
            kind=kind,
            name=str(known[row]),
            n_rows=int(totals[row]),
            wanted=float(totals[row] / totals.sum()),
            shares=dict(zip(wanted, (counts[row] / of_part).tolist(), strict=True)),
        )
        for row in np.argsort(-totals, kind="stable")
    ]


def _size_findings(report: SplitReport) -> list[Finding]:
    off = [part for part in report.parts if abs(part.share - part.wanted) > SIZE_TOLERANCE]
    off = [part for part in off if abs(part.n_rows - part.wanted * report.n_rows) >= 1]
    if not off:
        return []
    told = ", ".join(f"{part.name} has {100 * part.share:.1f} % (wanted {100 * part.wanted:.1f} %)" for part in off)
    message = (
        f"The sizes are not as wanted: {told}. Whole components are kept together, and the largest has "
        f"{_rows(report.largest_rows, report.what)}, {100 * report.largest_share:.1f} % of all."
    )
    if report.what == "pairs" and report.largest_share > max(part.wanted for part in report.parts):
        message += " Split the records first and draw pairs inside each split to have the sizes wanted."
    return [finding("split_sizes_off", "warning", message)]


def _class_findings(report: SplitReport, classes: Sequence[ClassShare]) -> list[Finding]:
    found = []
    for each in classes:
        absent = [name for name, share in each.shares.items() if share == 0]
        if each.kind == "label" and absent:
            message = f"Label {each.name} ({_rows(each.n_rows, report.what)}) is absent from {' and '.join(absent)}."
            found.append(finding("label_missing", "warning", f"{message} Metrics that need both labels fail there."))
    categories = [each for each in classes if each.kind == "category"]
    absent_ones = [each for each in categories if 0 in each.shares.values()]
    if absent_ones:
        told = ", ".join(f"{each.name!r} ({each.n_rows:,})" for each in absent_ones[-_NAMED:])
        rest = f" and {len(absent_ones) - _NAMED:,} more" if len(absent_ones) > _NAMED else ""
        message = (
            f"{len(absent_ones):,} of {len(categories):,} categories are not in every split, because they have too few "
            f"rows or lie in too few components: {told}{rest}."
        )
        found.append(finding("categories_missing", "info", message))
    return found


def _time_findings(splits: NDArray[np.object_], times: NDArray[np.int64] | None, names: Sequence[str]) -> list[Finding]:
    if times is None:
        return []
    newest, n_older = -1, 0
    for name in names:
        own = times[splits == name]
        n_older += int((own <= newest).sum())
        newest = max(newest, int(own.max(initial=-1)))
    if n_older == 0:
        return []
    message = (
        f"{_rows(n_older, 'rows')} of a later split {'are' if n_older > 1 else 'is'} no newer than the newest of an "
        "earlier one: connected with newer rows, and a component goes where its newest row belongs."
    )
    return [finding("split_older_rows", "info", message)]


def _rows(n: int, what: str) -> str:
    return f"{n:,} {what if n != 1 else what.removesuffix('s')}"

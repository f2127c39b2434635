"""Audits of leakage: what two pair sets have in common, by record, text, near-duplicate text or through other pairs.

A leak is counted once: a shared record is no shared text, and a shared text no near-duplicate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.difficulty.audits.check import Check, share_of
from simtune_core.difficulty.audits.corpus import NO_RECORD, Corpus, Numbers, Part
from simtune_core.findings import EVIDENCE_ROWS, Audit, Fix, Severity
from simtune_core.importing.faults import counted
from simtune_core.near_duplicates import jaccard

_SPLIT = Fix("Split the records by component, so that what belongs together stays on one side.", "data")
RECORDS = Check("leaked_records", "Records in both sets", _SPLIT)
TEXTS = Check("leaked_texts", "Texts in both sets", _SPLIT)
NEAR = Check("leaked_near_duplicates", "Near-duplicate texts in both sets", _SPLIT)
COMPONENTS = Check("leaked_components", "Pairs joined across the sets", _SPLIT)
CHECKS = (RECORDS, TEXTS, NEAR, COMPONENTS)
_COMPARED = 20  # texts of a group among which the most similar one is looked for, to be shown

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Common:
    """What a part (`test`) has in common with another one (`train`); arrays have one row a side, shape (n_pairs, 2).

    Attributes:
        train: The set that may have been trained on.
        test: The set that judges.
        asked: Whether these two are what is to be trained on and judged by, and not two splits beside them.
    """

    train: Part
    test: Part
    asked: bool

    @cached_property
    def record(self) -> Bools:
        """Tell which sides of the test pairs name a record of the training pairs."""
        return np.isin(self.test.records, _named(self.train.records))

    @cached_property
    def text(self) -> Bools:
        """Tell which other sides have a text of the training pairs."""
        return np.asarray(np.isin(self.test.keys, self.train.keys) & ~self.record)

    @cached_property
    def near(self) -> Bools:
        """Tell which other sides have a near-duplicate of a text of the training pairs."""
        return np.asarray(np.isin(self.test.groups, self.train.groups) & ~self.record & ~self.text)

    @cached_property
    def touched(self) -> NDArray[np.bool_]:
        """Tell which test pairs share anything directly; shape (n_pairs,)."""
        return np.asarray((self.record | self.text | self.near).any(axis=1))

    @property
    def between(self) -> str:
        """Return how the two sets are called together."""
        return f"{self.train.ref} and {self.test.ref}"


def audit_leakage(corpus: Corpus, comparisons: Sequence[tuple[int, int]], *, n_asked: int) -> list[Audit]:
    """Look for what sets have in common.

    Args:
        corpus: The sets.
        comparisons: Places of two parts each, the one that may have been trained on first.
        n_asked: So many parts, from the first, are what is to be trained on and judged by; the others are splits beside
            them, and a leak into those makes no number wrong.

    Returns:
        One audit for each of `CHECKS`.
    """
    if not comparisons:
        reason = "There is no second set and no other split to compare with."
        return [check.not_applicable(reason) for check in CHECKS]
    pairs = [
        Common(corpus.parts[first], corpus.parts[second], max(first, second) < n_asked) for first, second in comparisons
    ]
    components = [(corpus.components[first], corpus.components[second]) for first, second in comparisons]
    return [
        _leaked_records(pairs, corpus),
        _leaked_texts(pairs),
        _leaked_near_duplicates(pairs, corpus),
        _leaked_components(pairs, components),
    ]


def _leaked_records(pairs: Sequence[Common], corpus: Corpus) -> Audit:
    numbered = [each for each in pairs if each.train.has_records and each.test.has_records]
    if not numbered:
        return RECORDS.not_applicable("The sets do not both name their records by id; texts are compared instead.")
    sentences, rows, total = [], list[dict[str, object]](), 0
    for each in numbered:
        shared = np.unique(each.test.records[each.record])
        if not len(shared):
            continue
        total += len(shared)
        n_all = len(_named(each.test.records))
        sentences.append(
            f"{share_of(len(shared), n_all)} records of {each.test.ref} are in {each.train.ref} too; "
            f"{share_of(int(each.record.any(axis=1).sum()), len(each.record))} of its pairs hold one."
        )
        for row, other in _places(shared, each.test.records, each.train.records):
            rows.append(_shown(each, row, other))
    if total:
        return RECORDS.found(
            _severity(each.asked and each.record.any() for each in numbered), " ".join(sentences), total, rows
        )
    note = ""
    if corpus.other_numbering:
        note = f" The ids of {', '.join(corpus.other_numbering)} coincide with others but stand for other texts."
    return RECORDS.clear(f"No record is in two sets ({_compared(numbered)}).{note}")


def _leaked_texts(pairs: Sequence[Common]) -> Audit:
    sentences, rows, total = [], list[dict[str, object]](), 0
    for each in pairs:
        shared = np.unique(each.test.keys[each.text])
        if not len(shared):
            continue
        total += len(shared)
        sentences.append(
            f"{share_of(len(shared), len(np.unique(each.test.keys)))} texts of {each.test.ref} are in {each.train.ref} "
            f"too, as other records or without an id; {share_of(int(each.text.any(axis=1).sum()), len(each.text))} of "
            "its pairs hold one."
        )
        rows += [_shown(each, row, other) for row, other in _places(shared, each.test.keys, each.train.keys)]
    if total:
        return TEXTS.found(
            _severity(each.asked and each.text.any() for each in pairs), " ".join(sentences), total, rows
        )
    return TEXTS.clear(f"No text of another record is in two sets, case and punctuation aside ({_compared(pairs)}).")


def _leaked_near_duplicates(pairs: Sequence[Common], corpus: Corpus) -> Audit:
    sentences, rows, total = [], list[dict[str, object]](), 0
    for each in pairs:
        texts = np.unique(each.test.keys[each.near])
        if not len(texts):
            continue
        total += len(texts)
        sentences.append(
            f"{share_of(len(texts), len(np.unique(each.test.keys)))} texts of {each.test.ref} are near-duplicates of "
            f"texts of {each.train.ref}; {share_of(int(each.near.any(axis=1).sum()), len(each.near))} of its pairs "
            "hold one."
        )
        rows += _alike(each)
    if total:
        return NEAR.found("warning", " ".join(sentences) + corpus.sampled, total, rows)
    return NEAR.clear(f"No near-duplicate texts are in two sets ({_compared(pairs)}).{corpus.sampled}")


def _leaked_components(pairs: Sequence[Common], components: Sequence[tuple[Numbers, Numbers]]) -> Audit:
    sentences, rows, total, alone = [], list[dict[str, object]](), 0, False
    for each, (train, test) in zip(pairs, components, strict=True):
        spanning = np.intersect1d(train, test)
        if not len(spanning):
            continue
        inside = np.isin(test, spanning)
        through = int((inside & ~each.touched).sum())
        total, alone = total + len(spanning), alone or not each.touched.any()
        sentences.append(
            f"{share_of(int(inside.sum()), len(test))} pairs of {each.test.ref} are joined with pairs of "
            f"{each.train.ref}, in {counted(len(spanning), 'component')}; {through:,} of them share no text "
            "themselves and are joined through other pairs only."
        )
        rows += _spanning_rows(each, train, test, spanning)
    if not total:
        return COMPONENTS.clear(f"No component of the pair graph spans two sets ({_compared(pairs)}).")
    return COMPONENTS.found("warning" if alone else "info", " ".join(sentences), total, rows)


def _spanning_rows(each: Common, train: Numbers, test: Numbers, spanning: Numbers) -> list[dict[str, object]]:
    """Return the components that span both sets as evidence, those with most test pairs first."""
    sizes = [
        np.bincount(np.searchsorted(spanning, part[np.isin(part, spanning)]), minlength=len(spanning))
        for part in (train, test)
    ]
    order = np.lexsort((-sizes[0], -sizes[1]))[:EVIDENCE_ROWS]
    rows = []
    for place in order:
        here, there = (int(np.flatnonzero(part == spanning[place])[0]) for part in (test, train))
        rows.append(
            {
                "in": each.test.ref,
                "pairs": int(sizes[1][place]),
                "one of them": each.test.side(2 * here)[0],
                "also in": each.train.ref,
                "pairs there": int(sizes[0][place]),
                "one of those": each.train.side(2 * there)[0],
            }
        )
    return rows


def _alike(each: Common) -> list[dict[str, object]]:
    """Return near-duplicates as evidence, each test text with the most similar training text of its group."""
    _, firsts = np.unique(np.where(each.near, each.test.keys, NO_RECORD), return_index=True)
    rows = [int(row) for row in firsts if each.near.ravel()[row]][:EVIDENCE_ROWS]
    _, others = np.unique(each.train.keys.ravel(), return_index=True)
    found = []
    for row in rows:
        partners = others[each.train.groups.ravel()[others] == each.test.groups.ravel()[row]][:_COMPARED]
        text = each.test.side(row)[0]
        alike = [jaccard(text, each.train.side(int(other))[0]) for other in partners]
        best = int(np.argmax(alike))
        found.append(_shown(each, row, int(partners[best])) | {"jaccard": round(alike[best], 3)})
    return found


def _shown(each: Common, row: int, other: int) -> dict[str, object]:
    """Return two sides as evidence: both texts, both sets, the ids where there are any."""
    (text, identity), (there, other_identity) = each.test.side(row), each.train.side(other)
    shown: dict[str, object] = {"text": text, "text there": there, "in": each.test.ref, "also in": each.train.ref}
    ids = {"id": identity, "id there": other_identity}
    return shown | {name: value for name, value in ids.items() if value}


def _places(values: Numbers, here: Numbers, there: Numbers) -> Iterator[tuple[int, int]]:
    """Yield where the first few values stand first in two arrays."""
    for value in values[:EVIDENCE_ROWS]:
        yield int(np.flatnonzero(here.ravel() == value)[0]), int(np.flatnonzero(there.ravel() == value)[0])


def _severity(wrong: Iterable[object]) -> Severity:
    return "error" if any(wrong) else "warning"


def _named(records: Numbers) -> Numbers:
    distinct = pd.unique(records.ravel())
    return distinct[distinct != NO_RECORD]


def _compared(pairs: Sequence[Common]) -> str:
    return "; ".join(each.between for each in pairs)

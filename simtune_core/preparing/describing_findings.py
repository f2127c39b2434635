"""What a researcher should know about a dataset before using it: one coded sentence each, with what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from simtune_core.findings import Finding, finding
from simtune_core.preparing.description import WHOLE, DescribingConfig, Description, SplitFacts


def find_all(described: Description, config: DescribingConfig) -> list[Finding]:
    """Run every check; what needs no attention says nothing."""
    found = [check_classes(split, described, config) for split in described.splits]
    found += [
        check_leaks(described),
        check_near_leaks(described),
        check_truncation(described, config),
        check_repeats(described, config),
        check_self_pairs(described),
        check_single_categories(described),
        check_absent_categories(described),
        check_size(described, config),
    ]
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted((each for each in found if each is not None), key=lambda each: order[each["severity"]])


def check_leaks(described: Description) -> Finding | None:
    """Find texts that stand in two splits: what is judged on the later one was partly seen in the earlier one."""
    leaks = [leak for leak in described.leaks if leak.n_texts]
    if not leaks:
        return None
    told = _some(f"{leak.n_texts:,} of {leak.first} in {leak.second} ({leak.n_rows:,} of its rows)" for leak in leaks)
    return finding(
        "leaked_texts",
        "warning",
        f"The same texts stand in several splits: {told}. Numbers on the later split are too good then; split the set "
        "again by connected component.",
    )


def check_near_leaks(described: Description) -> Finding | None:
    """Find texts that a text of an earlier split nearly repeats."""
    leaks = [leak for leak in described.leaks if leak.n_near_texts]
    if not leaks:
        return None
    told = _some(f"{leak.n_near_texts:,} of {leak.second} one of {leak.first}" for leak in leaks)
    return finding(
        "near_leaked_texts",
        "warning",
        f"Some texts repeat a text of another split but for small edits: {told}. Split the set again with "
        "near-duplicates kept together.",
    )


def check_classes(split: SplitFacts, described: Description, config: DescribingConfig) -> Finding | None:
    """Find a split in which a label is missing or rare."""
    n = split.n_positive + split.n_negative
    if described.kind != "pairs" or not n:
        return None
    fewer, name = min((split.n_positive, "similar"), (split.n_negative, "dissimilar"))
    where = _where(split)
    if fewer == 0:
        other = "dissimilar" if name == "similar" else "similar"
        return finding(
            "empty_class",
            "warning",
            f"All {n:,} labelled pairs{where} are {other}: ROC-AUC, separability and thresholds are not defined there. "
            f"Add {name} pairs, or split the set again.",
        )
    if fewer < config.minority_share * n:
        return finding(
            "class_imbalance",
            "warning",
            f"Only {fewer:,} of {n:,} labelled pairs{where} are {name} ({fewer / n:.1%}): accuracy and F1 say little "
            "there. Judge by ROC-AUC and MCC, or add such pairs.",
        )
    return None


def check_truncation(described: Description, config: DescribingConfig) -> Finding | None:
    """Find splits of which the encoder does not read many rows to their end."""
    lengths = described.lengths
    many = [
        (split, split.n_truncated)
        for split in described.splits
        if split.n_truncated is not None and split.n_truncated > config.truncated_share * split.n_rows
    ]
    if not many:
        return None
    told = _some(f"{n:,} of {split.n_rows:,} rows{_where(split)} ({n / split.n_rows:.1%})" for split, n in many)
    return finding(
        "truncated_texts",
        "warning",
        f"Texts are longer than the {lengths.limit:,} {lengths.unit} that the encoder reads: {told}. Texts alike up to "
        "there look identical to it. Put what matters first, shorten the texts, or take an encoder that reads more.",
    )


def check_repeats(described: Description, config: DescribingConfig) -> Finding | None:
    """Find many rows that repeat earlier ones."""
    repeats = described.repeats
    n = repeats.n_exact + repeats.n_near
    if n <= config.repeated_share * described.n_rows:
        return None
    what = "pair" if described.kind == "pairs" else "text"
    code = "repeated_pairs" if described.kind == "pairs" else "duplicate_texts"
    return finding(
        code,
        "warning",
        f"Rows that repeat an earlier {what}: {n:,} of {described.n_rows:,}, {repeats.n_exact:,} exactly and "
        f"{repeats.n_near:,} but for small edits. They count more than once in every number; drop them, or keep them "
        "in one split.",
    )


def check_self_pairs(described: Description) -> Finding | None:
    """Find pairs of a text with itself."""
    n = described.repeats.n_self
    if not n:
        return None
    return finding(
        "self_pairs",
        "warning",
        f"Pairs of a text with itself: {n:,} of {described.n_rows:,}. Every encoder scores them 1; drop them.",
    )


def check_single_categories(described: Description) -> Finding | None:
    """Find categories with one text only, from which no pair can be made."""
    categories = described.categories
    if categories is None or not categories.n_single:
        return None
    named = _some(map(_quoted, categories.single))
    return finding(
        "single_row_categories",
        "warning" if categories.n_single > 1 else "info",
        f"{categories.n_single:,} of {categories.n:,} categories hold a single text ({named}): no "
        "pair within it can be made, and it cannot be in two splits. Merge them into others, or leave them out.",
    )


def check_absent_categories(described: Description) -> Finding | None:
    """Find categories that some split lacks."""
    categories = described.categories
    if categories is None or not categories.n_absent:
        return None
    named = [f"{_quoted(each['category'])} in {each['split']}" for each in categories.absent]
    return finding(
        "empty_categories",
        "info",
        f"{categories.n_absent:,} times a category has no text in a split ({_some(named)}). Where that is not meant, "
        "split the set again, stratified by category.",
    )


def check_size(described: Description, config: DescribingConfig) -> Finding | None:
    """Find a set too small for most numbers."""
    if described.n_rows >= config.few_rows:
        return None
    return finding(
        "few_rows",
        "warning",
        f"The set has {described.n_rows:,} rows; with fewer than {config.few_rows} most numbers say nothing. Import "
        "more.",
    )


def mojibake_findings(texts: Sequence[str], places: NDArray[np.int64]) -> list[Finding]:
    """Say that texts were decoded with the wrong encoding.

    Args:
        texts: Different texts.
        places: Those that were.
    """
    if not len(places):
        return []
    first = _quoted(texts[int(places[0])])
    message = (
        f"{len(places):,} of {len(texts):,} different texts seem decoded with the wrong encoding, such as {first}: the "
        "encoder reads other words than were written. Import the file again and let the import repair them."
    )
    return [finding("mojibake", "warning", message)]


def not_sought(described: Description, config: DescribingConfig) -> Finding:
    """Say that texts which differ by small edits were not looked for."""
    return finding(
        "near_duplicates_not_sought",
        "info",
        f"The set has {described.n_unique_texts:,} different texts; among more than {config.near_duplicates_up_to:,} "
        "only those equal but for case and punctuation are counted as nearly the same.",
    )


def _where(split: SplitFacts) -> str:
    return "" if split.split == WHOLE else f" of {split.split}"


def _quoted(name: str) -> str:
    return repr(name[:60])


def _some(parts: Iterable[str]) -> str:
    return ", ".join(parts)

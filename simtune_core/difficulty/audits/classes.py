"""Audits of the classes: one missing or rare, categories with one class only, shares that differ between the sets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simtune_core.difficulty.audits.check import Check
from simtune_core.difficulty.audits.config import AuditConfig
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.findings import EVIDENCE_ROWS, Audit, Fix
from simtune_core.importing.faults import counted

ONE_CLASS = Check("one_class", "One class only", Fix("Choose a set with similar and dissimilar pairs.", "data"))
RARE = Check("rare_class", "A class with hardly any pairs", Fix("Add pairs of the rare class.", "data"))
CATEGORIES = Check(
    "one_sided_categories",
    "Categories with one class only",
    Fix("Balance the classes within each category.", "curriculum"),
)
PREVALENCE = Check(
    "prevalences_differ",
    "Shares of similar pairs in the two sets",
    Fix("Compare ROC-AUC, or Spearman as a share of its ceiling.", "evaluation"),
)


def audit_classes(scored: ScoredSet, config: AuditConfig) -> list[Audit]:
    """Look for a class, or a class of a category, that is missing or too small to measure anything."""
    return [_one_class(scored), _rare(scored, config), _one_sided(scored, config)]


def audit_prevalence(train: ScoredSet, test: ScoredSet, config: AuditConfig) -> Audit:
    """Compare the shares of similar pairs, which Spearman and every threshold depend on."""
    if not len(train.pairs) or not len(test.pairs):
        return PREVALENCE.not_applicable("A set has no pairs.")
    if not train.pairs.labelled or not test.pairs.labelled:
        return PREVALENCE.not_applicable("Scores are graded: the share of similar pairs depends on the cut.")
    first, second = float(train.labels.mean()), float(test.labels.mean())
    numbers = f"{first:.1%} of {train.ref} and {second:.1%} of {test.ref} are similar pairs"
    if abs(first - second) <= config.prevalence_margin:
        return PREVALENCE.clear(f"{numbers}.")
    message = f"{numbers}: their Spearman, F1 and thresholds cannot be compared."
    return PREVALENCE.found("info", message, abs(int(train.labels.sum()) - int(test.labels.sum())) or 1, ())


def _one_class(scored: ScoredSet) -> Audit:
    n, n_positive = len(scored.pairs), int(scored.labels.sum())
    if not n:
        return ONE_CLASS.found("warning", f"{scored.ref} has no pairs.", 1, ())
    if 0 < n_positive < n:
        return ONE_CLASS.clear(f"{scored.ref} has {n_positive:,} similar and {n - n_positive:,} dissimilar pairs.")
    present = "similar" if n_positive else "dissimilar"
    message = f"All {n:,} pairs of {scored.ref} are {present}: ROC-AUC, thresholds and verdicts are not defined."
    return ONE_CLASS.found("warning", message, n, ())


def _rare(scored: ScoredSet, config: AuditConfig) -> Audit:
    n_positive = int(scored.labels.sum())
    fewest = min(n_positive, len(scored.pairs) - n_positive)
    if not fewest:
        return RARE.not_applicable(f"{scored.ref} has one class only.")
    if fewest >= config.rare_class:
        return RARE.clear(f"The smaller class of {scored.ref} has {fewest:,} pairs.")
    kind = "similar" if n_positive == fewest else "dissimilar"
    message = (
        f"{scored.ref} has {counted(fewest, f'{kind} pair')} of {len(scored.pairs):,}: every metric rests on that, "
        f"and a split may have none. At least {config.rare_class:,} are needed for any number."
    )
    return RARE.found("warning", message, fewest, ())


def _one_sided(scored: ScoredSet, config: AuditConfig) -> Audit:
    frame = scored.pairs.frame
    sides = pd.concat(
        [pd.DataFrame({"category": frame[name], "row": np.arange(len(frame))}) for name in ("category1", "category2")]
    )
    sides = sides.dropna().drop_duplicates()
    if sides.empty:
        return CATEGORIES.not_applicable(f"The pairs of {scored.ref} name no categories.")
    if not 0 < int(scored.labels.sum()) < len(frame):
        return CATEGORIES.not_applicable(f"{scored.ref} has one class only.")
    counted = (
        sides.assign(label=scored.labels[sides["row"].to_numpy()]).groupby("category")["label"].agg(["size", "sum"])
    )
    large = counted[counted["size"] >= config.category_pairs]
    lacking = large[(large["sum"] == 0) | (large["sum"] == large["size"])].sort_values("size", ascending=False)
    if lacking.empty:
        few = f"; {len(counted) - len(large):,} with fewer than {config.category_pairs:,} pairs were not asked"
        return CATEGORIES.clear(
            f"Each of {len(large):,} categories of {scored.ref} is in similar and in dissimilar pairs"
            f"{few if len(counted) > len(large) else ''}."
        )
    n_pairs = int(sides[sides["category"].isin(lacking.index)]["row"].nunique())
    message = (
        f"{len(lacking):,} of {len(large):,} categories of {scored.ref} are in pairs of one class only ({n_pairs:,} "
        "pairs): there the category tells the label."
    )
    shown = lacking.head(EVIDENCE_ROWS)
    rows = [
        {"category": str(name), "pairs": int(size), "class": "similar" if positive else "dissimilar"}
        for name, size, positive in zip(shown.index, shown["size"], shown["sum"], strict=True)
    ]
    return CATEGORIES.found("warning", message, len(lacking), rows)

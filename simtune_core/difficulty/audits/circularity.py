"""Audits of shortcuts: what separates the labels without understanding the texts, and what the encoder adds to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simtune_core.difficulty.audits.check import Check
from simtune_core.difficulty.audits.config import AuditConfig
from simtune_core.difficulty.scored import UNKNOWN, ScoredSet
from simtune_core.evaluation.metrics import roc_auc
from simtune_core.findings import Audit, Fix

TFIDF = Check(
    "tfidf_separates",
    "Word overlap alone tells the labels",
    Fix("Judge on pairs labelled otherwise too: by people, by links between records, or by category.", "data"),
)
CATEGORY = Check(
    "category_separates",
    "The category alone tells the labels",
    Fix("Add similar pairs across categories and dissimilar ones within a category.", "curriculum"),
)
LENGTH = Check(
    "length_separates",
    "The lengths alone tell the labels",
    Fix("Choose dissimilar pairs of the lengths that similar ones have.", "curriculum"),
)
BESIDE = Check(
    "little_beside_shortcuts",
    "Little known beside word overlap and category",
    Fix("Judge on pairs whose labels follow neither word overlap nor category.", "data"),
)
_CATEGORY_NAMES = {0: "different", 1: "same", UNKNOWN: "unknown"}


@dataclass(frozen=True, slots=True)
class Cell:
    """Pairs alike in TF-IDF and in whether their categories are the same.

    Attributes:
        low: Least TF-IDF cosine in it.
        high: Greatest TF-IDF cosine in it.
        category: `same`, `different` or `unknown`.
        n_negative: Dissimilar pairs.
        n_positive: Similar pairs.
        roc_auc: Of the encoder within the cell; None with one class.
    """

    low: float
    high: float
    category: str
    n_negative: int
    n_positive: int
    roc_auc: float | None

    @property
    def n_comparisons(self) -> int:
        """Return how many times a similar pair can be compared with a dissimilar one."""
        return self.n_negative * self.n_positive


def audit_circularity(scored: ScoredSet, config: AuditConfig) -> list[Audit]:
    """Ask what word overlap, the category and the lengths tell of the labels, each alone, and what is left beside them.

    Args:
        scored: The set.
        config: From when on a shortcut is one.
    """
    if not 0 < int(scored.labels.sum()) < len(scored.pairs):
        reason = f"{scored.ref} has one class only."
        return [check.not_applicable(reason) for check in (TFIDF, CATEGORY, LENGTH, BESIDE)]
    return [_tfidf(scored, config), _category(scored, config), _length(scored, config), _beside(scored, config)]


def cells_of(scored: ScoredSet, n_bins: int) -> list[Cell]:
    """Divide the pairs by TF-IDF, into bins of equally many, and by same category; cells with pairs only.

    Args:
        scored: The set.
        n_bins: Number of TF-IDF bins; fewer where many pairs are tied.
    """
    edges = np.unique(np.quantile(scored.tfidf, np.linspace(0, 1, n_bins + 1)[1:-1]))
    bins = np.searchsorted(edges, scored.tfidf, side="right")
    return list(_cells(scored, bins))


def held_fixed(cells: list[Cell]) -> float | None:
    """Return the ROC-AUC within cells, in [0, 1]; None where no cell holds both classes.

    It is the chance that of a similar and a dissimilar pair of one cell the similar one scores higher: the mean over
    the cells, weighted by how many such comparisons each holds.
    """
    total = sum(cell.n_comparisons for cell in cells)
    return sum(cell.n_comparisons * (cell.roc_auc or 0.0) for cell in cells) / total if total else None


def _cells(scored: ScoredSet, bins: NDArray[np.int64]) -> Iterator[Cell]:
    for place in np.unique(bins):
        for same, name in _CATEGORY_NAMES.items():
            inside = (bins == place) & (scored.same_category == same)
            if not inside.any():
                continue
            labels, overlap = scored.labels[inside], scored.tfidf[inside]
            n_positive = int(labels.sum())
            auc = roc_auc(scored.cosines[inside], labels)
            yield Cell(float(overlap.min()), float(overlap.max()), name, len(labels) - n_positive, n_positive, auc)


def _tfidf(scored: ScoredSet, config: AuditConfig) -> Audit:
    auc = roc_auc(scored.tfidf, scored.labels) or 0.0
    if auc < config.circular_roc_auc:
        return TFIDF.clear(f"TF-IDF alone reaches ROC-AUC {auc:.3f} on {scored.ref}.")
    message = (
        f"TF-IDF alone reaches ROC-AUC {auc:.3f} on {scored.ref}: its labels may have been made from word overlap. "
        "Then a better encoder can score lower there; judge on pairs labelled otherwise too."
    )
    return TFIDF.found("warning", message, len(scored.pairs), ())


def _category(scored: ScoredSet, config: AuditConfig) -> Audit:
    known = scored.same_category != UNKNOWN
    auc = roc_auc(scored.same_category[known], scored.labels[known]) if known.any() else None
    if auc is None:
        return CATEGORY.not_applicable(f"The pairs of {scored.ref} name no categories, or one class of them does.")
    if max(auc, 1 - auc) < config.circular_roc_auc:
        return CATEGORY.clear(f"Same category alone reaches ROC-AUC {auc:.3f} on {scored.ref}.")
    kind = "similar pairs share a category and dissimilar ones do not"
    if auc < 0.5:
        kind = "dissimilar pairs share a category and similar ones do not"
    message = (
        f"Same category alone reaches ROC-AUC {auc:.3f} on {scored.ref}: {kind}. An encoder that tells categories "
        "apart is perfect here, whether or not it tells one record from another."
    )
    return CATEGORY.found("warning", message, int(known.sum()), ())


def _length(scored: ScoredSet, config: AuditConfig) -> Audit:
    first, second = (scored.pairs.frame[f"sentence{side}"].str.len().to_numpy(np.float64) for side in (1, 2))
    auc = roc_auc(-np.abs(first - second), scored.labels) or 0.0
    if max(auc, 1 - auc) < config.circular_roc_auc:
        return LENGTH.clear(f"The difference of the two lengths alone reaches ROC-AUC {auc:.3f} on {scored.ref}.")
    kind = "similar" if auc > 0.5 else "dissimilar"
    message = (
        f"The difference of the two lengths alone reaches ROC-AUC {auc:.3f} on {scored.ref}: {kind} pairs are of like "
        "length, the others are not. The lengths give the labels away."
    )
    return LENGTH.found("warning", message, len(scored.pairs), ())


def _beside(scored: ScoredSet, config: AuditConfig) -> Audit:
    if np.array_equal(scored.cosines, scored.tfidf):
        return BESIDE.not_applicable("The space is TF-IDF itself; choose an encoder to see what it adds.")
    cells = cells_of(scored, config.n_tfidf_bins)
    within, whole = held_fixed(cells), roc_auc(scored.cosines, scored.labels) or 0.0
    both = [cell for cell in cells if cell.roc_auc is not None]
    held = "TF-IDF" if (scored.same_category == UNKNOWN).all() else "TF-IDF and same category"
    if within is None:
        return BESIDE.not_applicable(
            f"Of {len(cells):,} cells of {held} on {scored.ref} none holds both classes: the shortcuts tell every "
            "label, and nothing is left to compare."
        )
    numbers = (
        f"{scored.space} reaches ROC-AUC {whole:.3f} on {scored.ref}, and {within:.3f} among pairs alike in {held} "
        f"({len(both)} cells with both classes of {len(cells)})"
    )
    if within >= config.left_roc_auc or whole - within < config.chance_margin:
        return BESIDE.clear(f"{numbers}.")
    rows = [
        {
            "TF-IDF from": round(cell.low, 3), "to": round(cell.high, 3), "category": cell.category,
            "negatives": cell.n_negative, "positives": cell.n_positive, "ROC-AUC": round(cell.roc_auc or 0.0, 3),
        }
        for cell in both
    ]  # fmt: skip
    message = f"{numbers}: most of what it seems to know here is word overlap or the category."
    return BESIDE.found("warning", message, len(both), rows)

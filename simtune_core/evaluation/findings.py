"""What a researcher should know before believing an evaluation: sentences with the numbers they rest on.

Each check returns its findings, none if it has nothing to say; pure, no file, no model.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.evaluation.metrics import ScoreSummary
from simtune_core.evaluation.thresholds import Confusion
from simtune_core.findings import Finding, finding

IDENTICAL = 1e-6  # scores of two encoders that differ by no more are the same vectors
CIRCULAR_ROC_AUC = 0.9  # labels that TF-IDF alone separates this well may have been made from it
DEGENERATE_FPR = 0.5
LONELY_RECORDS = 1.5  # records for each pair: from here on most records occur in one pair only (2.0: all of them)


def check_identical(names: list[str], scores: NDArray[np.float32]) -> list[Finding]:
    """Find encoders of different name whose scores are the same, shape (n_encoders, n_pairs)."""
    twins = [
        (names[a], names[b])
        for a, b in combinations(range(len(names)), 2)
        if float(np.abs(scores[a].astype(np.float64) - scores[b]).max()) <= IDENTICAL
    ]
    return [
        finding(
            "identical_scores",
            "error",
            f"{first} and {second} give the same score on every pair (difference at most {IDENTICAL:g}). They cannot "
            "be two models: an adapter is not in the forward pass, or training changed nothing. Diagnose it.",
        )
        for first, second in twins
    ]


def check_threshold_source(ref: str, threshold_from: str | None) -> list[Finding]:
    """State that thresholds were chosen on the pairs they are reported on."""
    if threshold_from is not None:
        return []
    message = (
        f"Each threshold was chosen on {ref} itself, so F1, precision, recall, accuracy, MCC and the false-positive "
        "rate are optimistic. Choose the threshold on dev pairs to know what it gives on new ones."
    )
    return [finding("threshold_on_test", "warning", message)]


def check_threshold(name: str, confusion: Confusion | None) -> list[Finding]:
    """Find a threshold that calls most dissimilar pairs similar."""
    if confusion is None or confusion.fpr is None or confusion.fpr < DEGENERATE_FPR:
        return []
    always = always_similar_f1(confusion.tp + confusion.fn, confusion.n) or 0.0
    message = (
        f"At its threshold {name} calls {confusion.fpr:.1%} of the dissimilar pairs similar ({confusion.fp:,} of "
        f"{confusion.fp + confusion.tn:,}); its F1 of {confusion.f1 or 0.0:.3f} stands beside {always:.3f} for calling "
        "every pair similar. Choose the threshold by a bound on the false-positive rate."
    )
    return [finding("threshold_degenerate", "warning", message)]


def check_classes(ref: str, summary: ScoreSummary) -> list[Finding]:
    """Find a set with one class only."""
    if 0 < summary.n_positive < summary.n:
        return []
    present = "similar" if summary.n_positive else "dissimilar"
    message = (
        f"All {summary.n:,} pairs of {ref} are {present}: ROC-AUC, average precision, thresholds and verdicts are not "
        "defined. Choose a set with both classes."
    )
    return [finding("one_class", "warning", message)]


def check_circular(ref: str, tfidf_roc_auc: float | None) -> list[Finding]:
    """Find labels that word overlap alone predicts."""
    if tfidf_roc_auc is None or tfidf_roc_auc < CIRCULAR_ROC_AUC:
        return []
    message = (
        f"TF-IDF alone reaches ROC-AUC {tfidf_roc_auc:.3f} on {ref}: its labels may have been made from word overlap. "
        "Judge on pairs labelled otherwise too."
    )
    return [finding("tfidf_separates", "warning", message)]


def check_shared_records(n_records: int, n_pairs: int) -> list[Finding]:
    """State that the intervals are wider than they need be where pairs hardly share records."""
    if n_records < LONELY_RECORDS * n_pairs:
        return []
    message = (
        f"The {n_pairs:,} pairs hold {n_records:,} different records and hardly share any, so the intervals are "
        "conservative: up to 1.7 times as wide as they need be. CANNOT TELL may become a verdict with more pairs."
    )
    return [finding("intervals_conservative", "info", message)]


def check_adapter(name: str, adapter: dict[str, Any] | None) -> list[Finding]:
    """Find a tuned model whose last diagnosis failed, or that was never diagnosed."""
    if adapter is not None and adapter["status"] == "not run":
        message = (
            f"{name} was never diagnosed: nothing shows yet that its training is in the forward pass. Diagnose it."
        )
        return [finding("adapter_unchecked", "warning", message)]
    if adapter is None or not adapter["failed"]:
        return []
    reason = ", ".join([adapter["status"], *adapter["codes"]])
    message = (
        f"The last diagnosis of {name} failed ({reason}): its numbers may be those of its base. Open the adapter page "
        "before believing them."
    )
    return [finding("adapter_failed", "error", message)]


def always_similar_f1(n_positive: int, n: int) -> float | None:
    """Return the F1 of calling every pair similar, 2 p / (1 + p); None without positives."""
    return 2 * n_positive / (n_positive + n) if n_positive else None

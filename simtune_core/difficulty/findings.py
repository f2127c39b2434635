"""What a researcher should know about two measured pair sets: sentences with the numbers they rest on.

Each check returns a finding or None; pure, no file, no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simtune_core.difficulty.config import DifficultyConfig
from simtune_core.difficulty.separability import Side
from simtune_core.evaluation.findings import LONELY_RECORDS
from simtune_core.findings import Finding, finding
from simtune_core.pairs import PairSet


@dataclass(frozen=True, slots=True)
class MeasuredSet:
    """One pair set and how hard it is.

    Attributes:
        ref: What the set is called.
        side: Measured in the chosen encoder's space.
        tfidf_roc_auc: ROC-AUC of TF-IDF cosine on the same pairs; None where undefined.
        graded: Whether the labels were cut from graded scores.
    """

    ref: str
    side: Side
    tfidf_roc_auc: float | None
    graded: bool


def check_easier(train: MeasuredSet, test: MeasuredSet, encoder: str, config: DifficultyConfig) -> Finding | None:
    """Find training pairs that the encoder separates better than the test pairs."""
    a, b = train.side, test.side
    if a.separability is None or b.separability is None or a.roc_auc is None or b.roc_auc is None:
        return None
    if a.separability - b.separability <= config.easier_margin or a.roc_auc <= b.roc_auc:
        return None
    return finding(
        "training_easier",
        "warning",
        f"The pairs of {train.ref} are easier than those of {test.ref}: separability {a.separability:.3f} against "
        f"{b.separability:.3f}, ROC-AUC {a.roc_auc:.3f} against {b.roc_auc:.3f} ({encoder} cosine). Training on what "
        "the encoder already tells apart teaches little; generate harder pairs.",
    )


def check_prevalence(first: MeasuredSet, second: MeasuredSet, config: DifficultyConfig) -> Finding | None:
    """Find shares of positives so different that Spearman cannot be compared."""
    a, b = first.side, second.side
    if first.graded or second.graded or abs(a.prevalence - b.prevalence) <= config.prevalence_margin:
        return None
    return finding(
        "prevalences_differ",
        "info",
        f"Spearman of the two sets cannot be compared: {a.prevalence:.1%} of {first.ref} and {b.prevalence:.1%} of "
        f"{second.ref} are positive, so at best it is {a.spearman_ceiling or 0:.3f} and {b.spearman_ceiling or 0:.3f}. "
        "Compare ROC-AUC, or Spearman as a share of its ceiling.",
    )


def check_one_class(measured: MeasuredSet) -> Finding | None:
    """Find a set in which nothing can be separated because only one class is present."""
    if measured.side.separability is not None:
        return None
    present = "similar" if measured.side.n_positive else "dissimilar"
    return finding(
        "one_class",
        "warning",
        f"All {measured.side.n_pairs:,} pairs of {measured.ref} are {present}: separability, overlap, ROC-AUC and "
        "Spearman are not defined. Choose a set with both classes.",
    )


def check_circular(measured: MeasuredSet, config: DifficultyConfig) -> Finding | None:
    """Find labels that word overlap alone predicts, so that they may have been cut from it."""
    auc = measured.tfidf_roc_auc
    if auc is None or auc < config.circular_roc_auc:
        return None
    return finding(
        "tfidf_separates",
        "warning",
        f"TF-IDF alone reaches ROC-AUC {auc:.3f} on {measured.ref}: its labels may have been made from word overlap. "
        "Then a better encoder can score lower there; judge on pairs labelled otherwise too.",
    )


def check_graded(measured: MeasuredSet, config: DifficultyConfig) -> Finding | None:
    """State the cut where labels were made from graded scores."""
    if not measured.graded:
        return None
    return finding(
        "labels_cut",
        "info",
        f"{measured.ref} has graded scores; a pair counts as similar from {config.score_cut:g} on. Spearman uses the "
        "scores themselves.",
    )


def check_lonely_records(sets: Sequence[PairSet], n_records: Sequence[int]) -> list[Finding]:
    """State that the intervals are wider than they need be where the pairs of a set hardly share records."""
    lonely = [
        f"{len(pairs):,} pairs of {pairs.ref} hold {n:,} different records"
        for pairs, n in zip(sets, n_records, strict=True)
        if n >= LONELY_RECORDS * len(pairs)
    ]
    if not lonely:
        return []
    message = (
        f"The {' and the '.join(lonely)} and hardly share any, so the intervals are conservative: up to 1.7 times as "
        "wide as they need be. A difference whose interval excludes 0 is safe all the same."
    )
    return [finding("intervals_conservative", "info", message)]


def find_all(sides: list[MeasuredSet], encoder: str, config: DifficultyConfig) -> list[Finding]:
    """Run every check; with two sets the first is taken as the training pairs, the second as the test pairs."""
    found = [check(each) for each in sides for check in (check_one_class,)]
    found += [check(each, config) for each in sides for check in (check_graded, check_circular)]
    if len(sides) == 2:
        found += [check_easier(sides[0], sides[1], encoder, config), check_prevalence(sides[0], sides[1], config)]
    return [each for each in found if each is not None]

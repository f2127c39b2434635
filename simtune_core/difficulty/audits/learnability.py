"""Audits of training pairs by the baseline: already solved, too easy, or nothing to learn."""

from __future__ import annotations

import numpy as np

from simtune_core.difficulty.audits.check import Check, pair_rows, share_of
from simtune_core.difficulty.audits.config import AuditConfig
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.evaluation.metrics import roc_auc
from simtune_core.findings import Audit, Fix

_HARDER = Fix("Cut training pairs where the test pairs lie.", "curriculum")
SOLVED = Check("solved_pairs", "Training pairs that the encoder has solved", _HARDER)
EASY = Check("too_easy", "Training pairs are too easy", _HARDER)
HOPELESS = Check(
    "not_learnable",
    "Training pairs that nobody can learn",
    Fix("Balance the classes of the mined pairs.", "curriculum"),
)


def audit_learnability(train: ScoredSet, test: ScoredSet | None, config: AuditConfig) -> list[Audit]:
    """Ask whether an encoder can learn anything from training pairs.

    Args:
        train: The training pairs.
        test: The test pairs; None: then no pair can be called solved.
        config: From when on they are too easy, or not learnable.
    """
    auc = roc_auc(train.cosines, train.labels) if len(train.pairs) else None
    return [_solved(train, test, config), _easy(train, auc, config), _hopeless(train, auc, config)]


def _solved(train: ScoredSet, test: ScoredSet | None, config: AuditConfig) -> Audit:
    """Count training pairs on the right side of all but a tail of the test pairs of the other class."""
    if test is None:
        return SOLVED.not_applicable("Without test pairs nobody can say which training pairs are beyond doubt.")
    positives, negatives = (test.cosines[test.labels == label] for label in (1, 0))
    if not len(positives) or not len(negatives) or not len(train.pairs):
        return SOLVED.not_applicable(f"{test.ref} has one class only, or {train.ref} has no pairs.")
    high = float(np.quantile(negatives, 1 - config.solved_tail))
    low = float(np.quantile(positives, config.solved_tail))
    solved = np.where(train.labels == 1, train.cosines > high, train.cosines < low)
    rows, n = np.flatnonzero(solved), len(train.pairs)
    numbers = (
        f"{share_of(len(rows), n)} pairs of {train.ref} lie where {test.ref} leaves no doubt: similar ones above "
        f"{high:.3f}, which {1 - config.solved_tail:.0%} of its dissimilar pairs do not reach, or dissimilar ones "
        f"below {low:.3f}, which {1 - config.solved_tail:.0%} of its similar pairs exceed ({train.space} cosine)"
    )
    if len(rows) <= config.solved_share * n:
        return SOLVED.clear(f"{numbers}.")
    shown = rows[np.linspace(0, len(rows) - 1, min(len(rows), 50)).astype(int)]
    evidence = pair_rows(
        train.pairs.frame,
        shown.tolist(),
        label=train.labels[shown].tolist(),
        cosine=np.round(train.cosines[shown].astype(float), 3).tolist(),
    )
    return SOLVED.found("warning", f"{numbers}. They cannot move what is hard in the test.", len(rows), evidence)


def _easy(train: ScoredSet, auc: float | None, config: AuditConfig) -> Audit:
    if auc is None:
        return EASY.not_applicable(f"{train.ref} has one class only.")
    if auc < config.too_easy_roc_auc:
        return EASY.clear(f"{train.space} reaches ROC-AUC {auc:.3f} on {train.ref}, so there is something to learn.")
    message = (
        f"{train.space} already reaches ROC-AUC {auc:.3f} on {train.ref}: of a similar and a dissimilar pair it ranks "
        f"{auc:.1%} rightly before any training. Training on these pairs teaches it little."
    )
    return EASY.found("warning", message, len(train.pairs), ())


def _hopeless(train: ScoredSet, auc: float | None, config: AuditConfig) -> Audit:
    if auc is None:
        return HOPELESS.not_applicable(f"{train.ref} has one class only.")
    share = float(train.labels.mean())
    most, kind = max((share, "similar"), (1 - share, "dissimilar"))
    numbers = f"{most:.1%} of {train.ref} are {kind} pairs, and {train.space} reaches ROC-AUC {auc:.3f}"
    if most < config.lopsided_share or abs(auc - 0.5) > config.chance_margin:
        return HOPELESS.clear(f"{numbers}.")
    message = (
        f"{numbers}, no better than guessing: the few others look just like them. A model trained on these pairs "
        f"learns to call everything {kind}."
    )
    return HOPELESS.found("warning", message, len(train.pairs), ())

"""Label rules: which candidate pairs a phase may call positive or negative, and how sure such a label is.

Masks over kinds of pairs and cells of similarity; counts nothing and draws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simtune_core.candidates.codes import NO_CATEGORY
from simtune_core.candidates.counted import N_CELLS, CandidateCounts
from simtune_core.curriculum.cells import in_band
from simtune_core.curriculum.config import PhaseConfig, RuleName
from simtune_core.errors import ConfigError

Role = Literal["positive", "cross_category", "other_category", "same_category"]
Resolved = Literal["duplicate_group", "category", "band", "label"]
ROLES: tuple[Role, ...] = ("positive", "cross_category", "other_category", "same_category")
POSITIVE_ROLES: tuple[Role, Role] = ("positive", "cross_category")
NEGATIVE_ROLES: tuple[Role, Role] = ("other_category", "same_category")
_WORDS: dict[Resolved, str] = {
    "duplicate_group": "Positive: both records are of one duplicate group. Negative: they are not.",
    "label": "Positive and negative: as the pair set labels its pairs.",
    "category": "Positive: both records are of one category. Negative: their categories differ, or they are of one "
    "category and their similarity lies in the negative band. Known duplicates are never negatives.",
    "band": "Positive: the similarity lies in the positive band. Negative: it lies in the negative band. A pair that "
    "fits both is left out, and known duplicates are never negatives.",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes a pair positive or negative.

    Attributes:
        name: The rule, `auto` resolved.
        weak: Whether the label follows from categories or similarity, and no person ever gave it.
        words: What is positive and what is negative, in a sentence each.
        by_category: Whether categories are known, so that a pair's two categories can be told to be the same.
    """

    name: Resolved
    weak: bool
    words: str
    by_category: bool


@dataclass(frozen=True, slots=True, eq=False)
class Eligible:
    """The pairs that a phase may use.

    Attributes:
        masks: For each of ROLES a mask over same category, known positive and cell; shape (2, 2, N_CELLS). Only
            `positive` and `same_category` may overlap, in a phase in the test's shape.
        conflicting: The same of pairs that fit a positive and a negative role and are left out.
    """

    masks: dict[Role, NDArray[np.bool_]]
    conflicting: NDArray[np.bool_]


def resolve_rule(counts: CandidateCounts, name: RuleName) -> Rule:
    """Return the rule that a setting means for these candidates.

    Args:
        counts: Counted candidates: what is known about them decides what `auto` is.
        name: The setting.

    Raises:
        ConfigError: If what the rule reads is not known of these candidates.
    """
    resolved = _automatic(counts) if name == "auto" else name
    lacking = {
        "label": counts.source != "pairs" or not counts.has_known,
        "duplicate_group": counts.source != "records" or not counts.has_known,
        "category": not counts.has_categories,
        "band": False,
    }
    if lacking[resolved]:
        raise ConfigError(
            f"The rule {resolved} must have {_NEEDS[resolved]}, and these candidates have none; choose another label "
            f"rule, such as {_automatic(counts)}."
        )
    words = _WORDS[resolved]
    if resolved == "category" and NO_CATEGORY in counts.strata:
        words += " A record without a category counts as of another category than every other."
    return Rule(resolved, resolved in ("category", "band"), words, counts.has_categories)


def eligible_pairs(rule: Rule, phase: PhaseConfig) -> Eligible:
    """Say which cells give which role of a phase.

    Known positives are positive under `label` and `duplicate_group`, and never negative under any rule.

    Under `category` there are pairs labelled by similarity alone only where a share asks for them: same-category
    negatives, and cross-category positives, which must lie above the negative band. A same-category pair that fits
    both bands is then left out - but in the test's shape it may be drawn as either, since the test pairs themselves,
    labelled by category and band, are mixed just so.

    Under `band` a pair that fits both bands is left out, and kinds come as they are found unless a share is wanted.
    Where no category is known, and where kinds come as found, all positives are `positive` and all negatives
    `other_category`.

    Args:
        rule: As resolved.
        phase: Bands and shares.
    """
    positive, negative = in_band(phase.pos_min, phase.pos_max), in_band(phase.neg_min, phase.neg_max)
    like, unlike, conflicting = (np.zeros((2, 2, N_CELLS), dtype=bool) for _ in range(3))
    if rule.name in ("duplicate_group", "label"):
        like[:, 1], unlike[:, 0] = positive, negative
    elif rule.name == "category":
        similar_negatives = phase.same_category_share > 0
        both = positive & negative & similar_negatives & (phase.shape != "test")
        like[1] = positive & ~both
        like[0] = positive & ~in_band(-1.0, phase.neg_max) & (phase.cross_category_share > 0)
        unlike[0] = negative & ~like[0]
        unlike[1] = negative & similar_negatives & ~both
        conflicting[1] = both
    else:
        like[:], unlike[:] = positive & ~negative, negative & ~positive
        conflicting[:] = positive & negative
    if rule.weak:
        conflicting[:, 1] |= unlike[:, 1]
        unlike[:, 1] = False
    return Eligible(_by_kind(like, unlike, rule, phase), conflicting)


def _by_kind(
    like: NDArray[np.bool_], unlike: NDArray[np.bool_], rule: Rule, phase: PhaseConfig
) -> dict[Role, NDArray[np.bool_]]:
    """Split positives and negatives by whether the two categories are the same, where that is asked for."""
    second_like, second_unlike = like.copy(), unlike.copy()
    second_like[1], second_unlike[0] = False, False
    if not rule.by_category or (rule.name == "band" and not phase.cross_category_share):
        second_like[:] = False
    if not rule.by_category or (rule.name == "band" and not phase.same_category_share):
        second_unlike[:] = False
    return {
        "positive": like & ~second_like,
        "cross_category": second_like,
        "other_category": unlike & ~second_unlike,
        "same_category": second_unlike,
    }


def _automatic(counts: CandidateCounts) -> Resolved:
    if counts.has_known:
        return "label" if counts.source == "pairs" else "duplicate_group"
    return "category" if counts.has_categories else "band"


_NEEDS: dict[Resolved, str] = {
    "label": "the labels of a pair set",
    "duplicate_group": "duplicate groups of records",
    "category": "categories",
}

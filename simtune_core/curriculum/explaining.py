"""What a plan costs and why, in words: pairs lost, targets out of reach, bands that overlap. Counts nothing itself."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simtune_core.curriculum.config import PhaseConfig
from simtune_core.curriculum.rules import Resolved, Rule

Reason = Literal["band", "sample", "earlier_phases", "category_cap", "share", "test_shape", "max_per_record"]
_LACKING: dict[Resolved, tuple[str, str]] = {  # what no pair is where a rule finds no negative, or no positive
    "duplicate_group": ("is of two duplicate groups", "is of one duplicate group"),
    "label": ("is labelled negative", "is labelled positive"),
    "category": (
        "is of two categories (want a share of same-category negatives, or the rule band)",
        "is of one category (want a share of cross-category positives, or the rule band)",
    ),
    "band": ("fits this band alone", "fits this band alone"),
}
CLOSE = 0.005  # points of separability that count as reached


@dataclass(frozen=True, slots=True)
class Loss:
    """Pairs wanted that a phase does not get, or gets otherwise than wanted, and why.

    Attributes:
        reason: What costs them. For `category_cap` and `share` others may make up, so losses can exceed the shortage.
        n: Pairs.
        words: The same in a sentence without its full stop.
    """

    reason: Reason
    n: int
    words: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """What became of the pairs wanted of one class.

    Attributes:
        wanted: Asked for.
        in_reach: Candidates of any kind in the band.
        in_band: Those of them that the label rule and the other band allow.
        sampled: How many of these can be drawn.
        left: How many of these no earlier phase took.
        got: Allotted.
        n_displaced: Kept by the categories' cap from where they were found.
        second_wanted: Of the second kind: cross-category positives, same-category negatives.
        second_got: Of the second kind, allotted.
    """

    wanted: int
    in_reach: int
    in_band: int
    sampled: int
    left: int
    got: int
    n_displaced: int
    second_wanted: int
    second_got: int


def losses_of(label: int, numbers: Numbers, phase: PhaseConfig, rule: Rule) -> list[Loss]:
    """Say where the pairs wanted of one class went.

    Args:
        label: 1 for the positives, 0 for the negatives.
        numbers: What became of them.
        phase: Its bands and shares.
        rule: What makes a pair positive.
    """
    kind, low, high = (
        ("positives", phase.pos_min, phase.pos_max) if label else ("negatives", phase.neg_min, phase.neg_max)
    )
    band = f"{low:.2f} to {high:.2f}"
    ends = [numbers.wanted, *(min(numbers.wanted, each) for each in (numbers.in_band, numbers.sampled, numbers.left))]
    gone = [first - second for first, second in itertools.pairwise(ends)]
    found: list[tuple[Reason, int, str]] = [
        ("band", gone[0], f"{_many(gone[0], kind)} lost to the band {band}, {_held(label, numbers, rule)}"),
        ("sample", gone[1], f"{_many(gone[1], kind)} lost to the sample, which holds {numbers.sampled:,} of the "
         f"{numbers.in_band:,} from {band}; a larger cap of the candidates keeps more"),
        ("earlier_phases", gone[2], f"{_many(gone[2], kind)} lost to earlier phases, which took them"),
    ]  # fmt: skip
    rest = ends[3] - numbers.got
    if numbers.n_displaced:
        made_up = numbers.n_displaced - max(rest, 0)
        others = f", of which other categories made up for {made_up:,}" if made_up > 0 else ""
        found.append(
            (
                "category_cap",
                numbers.n_displaced,
                f"{_many(numbers.n_displaced, kind)} lost to the category cap{others}",
            )
        )
    elif rest > 0:
        found.append(("test_shape", rest, f"{_many(rest, kind)} lost where the test's shape needs more than there are"))
    found += _stand_ins(kind, numbers)
    return [Loss(reason, n, words) for reason, n, words in found if n > 0]


def _held(label: int, numbers: Numbers, rule: Rule) -> str:
    """Say how many pairs of a class a band holds, and why none where it holds others."""
    if numbers.in_band or not numbers.in_reach:
        return f"which holds {f'only {numbers.in_band:,}' if numbers.in_band else 'none'}"
    return f"where none of {numbers.in_reach:,} pairs {_LACKING[rule.name][label]}"


def _stand_ins(kind: str, numbers: Numbers) -> list[tuple[Reason, int, str]]:
    """Say how many pairs of one kind are there in the place of the other."""
    more_second = numbers.second_got - numbers.second_wanted
    more_first = numbers.got - numbers.second_got - (numbers.wanted - numbers.second_wanted)
    same, two = "of one category", "of two categories"
    first, second = (same, two) if kind == "positives" else (two, same)
    if more_second > 0:
        return [("share", more_second, f"{_many(more_second, kind)} {second} in the place of ones {first}")]
    return [("share", more_first, f"{_many(more_first, kind)} {first} in the place of ones {second}")]


def _many(n: int, kind: str) -> str:
    return f"{n:,} {kind if n != 1 else kind.removesuffix('s')}"


def explanations_of(phase: PhaseConfig, rule: Rule, earlier: Sequence[PhaseConfig], n_conflicting: int) -> list[str]:
    """Say what the bands of a phase make impossible or odd; what its separability misses is in `shortfall_of`.

    Args:
        phase: Its settings.
        rule: What makes a pair positive.
        earlier: The phases before it.
        n_conflicting: Pairs left out because they could be positive and negative.
    """
    said = []
    bands = (phase.pos_min, phase.pos_max, phase.neg_min, phase.neg_max)
    twin = next((each for each in earlier if (each.pos_min, each.pos_max, each.neg_min, each.neg_max) == bands), None)
    if twin is not None:
        said.append(f"Its bands are those of {twin.name}, so it gets what {twin.name} leaves.")
    if not phase.n_positives or not phase.n_negatives:
        kind, other = ("positives", "negatives") if phase.n_positives else ("negatives", "positives")
        said.append(f"It wants {kind} alone; only a loss that needs no {other} can learn from it.")
    elif phase.pos_max <= phase.neg_min:
        said.append(
            "Every positive is less similar than every negative: whoever scores like this space ranks all wrong."
        )
    low, high = max(phase.pos_min, phase.neg_min), min(phase.pos_max, phase.neg_max)
    if low < high:
        said.append(f"The bands overlap from {low:.2f} to {high:.2f}: {_overlap_words(phase, rule, n_conflicting)}.")
    elif n_conflicting:
        said.append(f"{n_conflicting:,} known duplicates of the negative band are left out.")
    return said


def shortfall_of(
    phase: PhaseConfig, rule: Rule, separability: float | None, reach: tuple[float, float] | None
) -> list[str]:
    """Say that the separability wanted of a phase is out of reach, or by how much its pairs miss it.

    Args:
        phase: Its settings.
        rule: Whether categories are known.
        separability: Of the pairs allotted, in points; None without both classes.
        reach: The least and the greatest that the candidates allow it.
    """
    wanted = phase.separability
    if wanted is None:
        return []
    if not phase.reachable or (reach and not reach[0] - CLOSE <= wanted <= reach[1] + CLOSE):
        return [_out_of_reach(phase, rule, wanted, reach)]
    if separability is None or abs(separability - wanted) <= CLOSE:
        return []
    why = {
        "as_found": "its pairs are taken as found; the shape target would tilt them",
        "test": "its pairs spread as the test's do",
        "target": "single pairs weigh too much in so small a phase",
    }[phase.shape]
    return [f"Separability is {separability:.3f}, not the {wanted:.3f} wanted: {why}."]


def shortcut_of(
    rule: Rule, n_positive: int, n_cross_category: int, n_negative: int, n_same_category: int
) -> str | None:
    """Say that the category alone tells positives from negatives; None where it does not, or none is known."""
    if not rule.by_category or not n_positive or not n_negative or n_same_category:
        return None
    if not n_cross_category:
        return (
            "Every positive is of one category and every negative of two: the category alone is the label, and a model "
            "need learn no more. Want a share of same-category negatives or of cross-category positives."
        )
    return (
        "No negative shares a category, so the category alone tells most negatives apart and a model may learn that "
        "instead. Raise the share of same-category negatives."
    )


def _overlap_words(phase: PhaseConfig, rule: Rule, n_conflicting: int) -> str:
    if rule.name == "category" and phase.same_category_share and phase.shape == "test":
        return (
            "pairs of one category are drawn from there as positives and as negatives, as the test has them, and such "
            "labels contradict each other"
        )
    if n_conflicting:
        return f"{n_conflicting:,} pairs could be positive as well as negative and are left out"
    return "similarity alone cannot tell positives from negatives there"


def _out_of_reach(phase: PhaseConfig, rule: Rule, wanted: float, reach: tuple[float, float] | None) -> str:
    if phase.reachable and reach is not None:
        kept = "numbers, shares and balance of categories" if rule.by_category else "numbers"
        return (
            f"Separability {wanted:.3f} is out of reach: in these {kept}, the candidates left allow {reach[0]:.3f} to "
            f"{reach[1]:.3f}. Want fewer pairs, wider bands or another target."
        )
    least, most = phase.separability_min, phase.separability_max
    limit = f"at most {most:.2f}" if wanted > most else f"at least {least:.2f}"
    return (
        f"Separability {wanted:.2f} is out of reach: positives of {phase.pos_min:.2f} to {phase.pos_max:.2f} and "
        f"negatives of {phase.neg_min:.2f} to {phase.neg_max:.2f} allow {limit}. Want wider bands or another target."
    )

"""What a plan costs and why, in words: pairs lost, targets out of reach, bands that overlap. Counts nothing itself."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simtune_core.curriculum.config import PhaseConfig
from simtune_core.curriculum.rules import Rule

Reason = Literal["band", "sample", "earlier_phases", "category_cap", "share", "test_shape", "max_per_record"]
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
        in_band: Candidates that the bands allow.
        sampled: How many of these can be drawn.
        left: How many of these no earlier phase took.
        got: Allotted.
        n_displaced: Kept by the categories' cap from where they were found.
        second_wanted: Of the second kind: cross-category positives, same-category negatives.
        second_got: Of the second kind, allotted.
    """

    wanted: int
    in_band: int
    sampled: int
    left: int
    got: int
    n_displaced: int
    second_wanted: int
    second_got: int


def losses_of(label: int, numbers: Numbers, phase: PhaseConfig) -> list[Loss]:
    """Say where the pairs wanted of one class went.

    Args:
        label: 1 for the positives, 0 for the negatives.
        numbers: What became of them.
        phase: Its bands and shares.
    """
    kind, low, high = (
        ("positives", phase.pos_min, phase.pos_max) if label else ("negatives", phase.neg_min, phase.neg_max)
    )
    band = f"{low:.2f} to {high:.2f}"
    ends = [numbers.wanted, *(min(numbers.wanted, each) for each in (numbers.in_band, numbers.sampled, numbers.left))]
    gone = [first - second for first, second in itertools.pairwise(ends)]
    held = f"only {numbers.in_band:,}" if numbers.in_band else "none"
    found: list[tuple[Reason, int, str]] = [
        ("band", gone[0], f"{_many(gone[0], kind)} lost to the band {band}, which holds {held}"),
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


def explanations_of(
    phase: PhaseConfig, rule: Rule, earlier: Sequence[PhaseConfig], reach: tuple[float, float] | None
) -> list[str]:
    """Say what the settings of a phase make impossible or odd; what its pairs miss is in `shortfall_of`.

    Args:
        phase: Its settings.
        rule: What makes a pair positive.
        earlier: The phases before it.
        reach: The least and the greatest separability that the candidates allow it.
    """
    said = []
    bands = (phase.pos_min, phase.pos_max, phase.neg_min, phase.neg_max)
    twin = next((each for each in earlier if (each.pos_min, each.pos_max, each.neg_min, each.neg_max) == bands), None)
    if twin is not None:
        said.append(f"Its bands are those of {twin.name}, so it gets what {twin.name} leaves.")
    low, high = max(phase.pos_min, phase.neg_min), min(phase.pos_max, phase.neg_max)
    if low < high:
        said.append(f"The bands overlap from {low:.2f} to {high:.2f}: {_overlap_words(phase, rule)}.")
    return [*said, *_out_of_reach(phase, reach)]


def shortfall_of(phase: PhaseConfig, separability: float | None, reach: tuple[float, float] | None) -> list[str]:
    """Say by how much a phase misses the separability wanted of it, where it could have been reached."""
    wanted = phase.separability
    if wanted is None or separability is None or abs(separability - wanted) <= CLOSE or _out_of_reach(phase, reach):
        return []
    why = {
        "as_found": "its pairs are taken as found; the shape target would tilt them",
        "test": "its pairs spread as the test's do",
        "target": "single pairs weigh too much in so small a phase",
    }[phase.shape]
    return [f"Separability is {separability:.3f}, not the {wanted:.3f} wanted: {why}."]


def _overlap_words(phase: PhaseConfig, rule: Rule) -> str:
    if rule.name == "band":
        return "a pair in there could be either, and is left out"
    if rule.name == "category" and phase.same_category_share and phase.shape == "test":
        return (
            "pairs of one category are drawn from there as positives and as negatives, as the test has them, and such "
            "labels contradict each other"
        )
    if rule.name == "category" and phase.same_category_share:
        return "pairs of one category are positives there, so same-category negatives come from outside"
    return "similarity alone cannot tell positives from negatives there"


def _out_of_reach(phase: PhaseConfig, reach: tuple[float, float] | None) -> list[str]:
    wanted = phase.separability
    if wanted is None:
        return []
    if not phase.reachable:
        least, most = phase.separability_min, phase.separability_max
        limit = f"at most {most:.2f}" if wanted > most else f"at least {least:.2f}"
        return [
            f"Separability {wanted:.2f} is out of reach: positives of {phase.pos_min:.2f} to {phase.pos_max:.2f} "
            f"and negatives of {phase.neg_min:.2f} to {phase.neg_max:.2f} allow {limit}. "
            "Want wider bands or another target."
        ]
    if reach is None or reach[0] - CLOSE <= wanted <= reach[1] + CLOSE:
        return []
    return [
        f"Separability {wanted:.2f} is out of reach: in these numbers, shares and balance of categories, the "
        f"candidates left allow {reach[0]:.2f} to {reach[1]:.2f}. Want fewer pairs, wider bands or another target."
    ]

"""What mends what a preflight finds: the page, and the values of its widgets."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from simtune_core.curriculum.config import STEP, CurriculumConfig
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.findings import Fix

# Shares of the test pairs that the easy, the medium and the hard phase reach down (positives) or up (negatives) to.
_REACHED = {"easy": 0.5, "medium": 0.75, "hard": 0.95}
# The curriculum page keeps the sliders of its two label rules apart; `ui/curriculum.py` and `ui/keys.py` name them so.
_SCOPES = ("curriculum", "curriculum_category")


@dataclass(frozen=True, slots=True)
class Bands:
    """The curriculum's thresholds between which the test pairs lie, cosine, in steps of 0.01.

    Attributes:
        positive: Least similarity of the positives of the easy, the medium and the hard phase.
        negative: Greatest similarity of the negatives of the three.
        floor: Least similarity of the negatives.
    """

    positive: tuple[float, float, float]
    negative: tuple[float, float, float]
    floor: float

    def as_json(self) -> dict[str, Any]:
        """Return the bands as JSON; see `bands_from_json`."""
        return asdict(self)


def fix_as_json(fix: Fix | None) -> dict[str, Any] | None:
    """Return a fix as JSON; see `fix_from_json`."""
    return None if fix is None else {"text": fix.text, "page": fix.page, "holds": dict(fix.holds)}


def fix_from_json(value: dict[str, Any] | None) -> Fix | None:
    """Read a fix back from `fix_as_json`."""
    return None if value is None else Fix(value["text"], value["page"], tuple(value["holds"].items()))


def bands_of(test: ScoredSet) -> Bands | None:
    """Return the thresholds that cut a curriculum where the test pairs lie; None where one class is missing."""
    positives, negatives = (test.cosines[test.labels == label] for label in (1, 0))
    if not len(positives) or not len(negatives):
        return None
    lows = [_down(np.quantile(positives, 1.0 - share)) for share in _REACHED.values()]
    highs = [_up(np.quantile(negatives, share)) for share in _REACHED.values()]
    floor = min(_down(np.quantile(negatives, 1.0 - _REACHED["hard"])), round(highs[0] - STEP, 2))
    return Bands((lows[0], lows[1], lows[2]), (highs[0], highs[1], highs[2]), floor)


def bands_from_json(value: dict[str, Any]) -> Bands:
    """Read bands back from `Bands.as_json`."""
    return Bands(tuple(value["positive"]), tuple(value["negative"]), value["floor"])


def like_the_test(bands: Bands | None, encoder: str, space: str) -> Fix:
    """Return the way to training pairs as hard as the test pairs: the curriculum's sliders, set to their bands.

    Args:
        bands: Where the test pairs lie; None sets no slider.
        encoder: The encoder whose cosine the bands are, by its name.
        space: The same as a page shows it.
    """
    if bands is None:
        return Fix("Cut training pairs as hard as the test pairs.", "curriculum", (("curriculum.encoder", encoder),))
    values = {f"{phase}_pos_min": low for phase, low in zip(_REACHED, bands.positive, strict=True)}
    values |= {f"{phase}_neg_max": high for phase, high in zip(_REACHED, bands.negative, strict=True)}
    values["neg_min"] = bands.floor
    CurriculumConfig(**values)  # what the page would refuse is a fault here
    holds = [("curriculum.encoder", encoder)]
    holds += [(f"{scope}.CurriculumConfig.{name}", f"{value:g}") for scope in _SCOPES for name, value in values.items()]
    return Fix(
        f"Cut training pairs where the test pairs lie: positives from {bands.positive[2]:.2f}, negatives up to "
        f"{bands.negative[2]:.2f} ({space} cosine).",
        "curriculum",
        tuple(holds),
    )


def other_pairs(text: str) -> Fix:
    """Return the way to the data page: another pair set is needed."""
    return Fix(text, "data")


def train_on(train: str) -> Fix:
    """Return the way to the training page with the training pairs chosen there."""
    return Fix("Train on these pairs; the head first.", "training", (("training.train", _as_listed(train)),))


def compare_encoders(test: str) -> Fix:
    """Return the way to the evaluation page with the test pairs chosen there."""
    return Fix("Compare other encoders on these test pairs.", "evaluation", (("evaluation.set", _as_listed(test)),))


def _as_listed(ref: str) -> str:
    """Return a reference as the pages list it, which is always the newest version: `name` or `name:split`."""
    name, _, split = ref.partition(":")
    return f"{name.partition('@')[0]}{':' + split if split else ''}"


def _down(value: float) -> float:
    return _within(math.floor(value / STEP + 1e-6) * STEP)


def _up(value: float) -> float:
    return _within(math.ceil(value / STEP - 1e-6) * STEP)


def _within(value: float) -> float:
    return round(min(1.0, max(-1.0, value)), 2)

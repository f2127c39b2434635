"""What mends what a preflight finds: the page, and the values of its widgets."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from simtune_core.candidates.counted import STEP
from simtune_core.curriculum.config import CurriculumConfig, PhaseConfig
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.findings import Fix

# Shares of the test pairs that the easy, the medium and the hard phase reach down (positives) or up (negatives) to.
_REACHED = {"easy": 0.5, "medium": 0.75, "hard": 0.95}
SETTINGS = "curriculum.settings"  # under this key the curriculum page takes settings over; `ui/keys.py` names it so


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


def like_the_test(bands: Bands | None, encoder: str, space: str, *, test: str | None = None) -> Fix:
    """Return the way to training pairs as hard as the test pairs: the curriculum's sliders, set to their bands.

    Args:
        bands: Where the test pairs lie; None sets no slider.
        encoder: The encoder whose cosine the bands are, by its name.
        space: The same as a page shows it.
        test: The test set, chosen there too; None leaves the page's own choice.
    """
    holds = [("curriculum.encoder", encoder)]
    if test is not None:
        holds.append(("curriculum.test", _as_listed(test)))
    if bands is None:
        return Fix("Cut training pairs as hard as the test pairs.", "curriculum", tuple(holds))
    holds.append((SETTINGS, json.dumps({"phases": phases_of(bands)})))
    return Fix(
        f"Cut training pairs where the test pairs lie: positives from {bands.positive[2]:.2f}, negatives up to "
        f"{bands.negative[2]:.2f} ({space} cosine).",
        "curriculum",
        tuple(holds),
    )


def phases_of(bands: Bands) -> list[dict[str, Any]]:
    """Return three phases that reach from half of the test pairs of each class to nearly all, as settings in JSON.

    Each takes its pairs as often as their similarities occur: the bands decide how hard they are.
    """
    phases = [
        {"name": name, "pos_min": low, "neg_min": bands.floor, "neg_max": high, "shape": "as_found"}
        for name, low, high in zip(_REACHED, bands.positive, bands.negative, strict=True)
    ]
    CurriculumConfig(
        phases=tuple(PhaseConfig(**phase) for phase in phases)
    )  # what the page would refuse is a fault here
    return phases


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

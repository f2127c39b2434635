"""A mined pair set before it is saved: pairs, how each came to be, what a model makes of them. No file, no model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.curriculum.mining.measuring import Measured


@dataclass(frozen=True, slots=True)
class MiningLoss:
    """Something that mining left out.

    Attributes:
        reason: `absolute_margin`, `relative_margin`, `max_score`, `min_score`, `veto`, `repeated`,
            `repeated_positives`, `few_negatives`, `no_negative`, `conflicting` or `sample`.
        n: How many.
        words: What it is, in a sentence.
    """

    reason: str
    n: int
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What the model that pairs are to be hard for makes of them.

    Attributes:
        scores: Its cosine of each mined pair; shape (n_pairs,).
        measured: The mined pairs.
        test: `ref` of the test pairs and what `side_to_json` gives of them; None without a test set.
    """

    scores: NDArray[np.float32]
    measured: Measured
    test: dict[str, Any] | None


@dataclass(frozen=True, slots=True, eq=False)
class MinedSet:
    """Pairs that were mined.

    Attributes:
        frame: PAIR_COLUMNS; the rows of one anchor stand together, positives first.
        details: DETAIL_COLUMNS, row by row.
        judged: The pairs as the model sees them that they are to be hard for.
        weak: Whether a rule and no person made some of the labels.
        words: What is positive and what is negative.
        step: What is needed to mine them again, as provenance keeps it.
        source: Reference of what they were mined from.
        encoders: `name` and `fingerprint` of every model that had a part in it.
        losses: What was left out, in order of `reason`'s list.
        facts: What the result tells besides: the spaces, counts of anchors and candidates; JSON.
        findings: What a researcher should know; the model's verdict is added to it.
    """

    frame: pd.DataFrame
    details: pd.DataFrame
    judged: Judged
    weak: bool
    words: str
    step: dict[str, Any]
    source: str
    encoders: tuple[dict[str, Any], ...]
    losses: tuple[MiningLoss, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    findings: tuple[dict[str, Any], ...] = ()

"""What augmentation does to a pair set: label, phases and difficulty before, of the children alone, and after.

Pure functions over similarities of one space, measured in one go, so that like is compared with like. No file and no
model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from simtune_core.difficulty.separability import Side, measure_side, side_from_json, side_to_json
from simtune_core.errors import DataFaultError
from simtune_core.evaluation.metrics import roc_auc

_ON_EDGE = 1e-6  # a similarity this near to the end of a band is in it: rounding of float32
NAMES = ("negative", "positive")  # by label


@dataclass(frozen=True, slots=True)
class BandPair:
    """The bands of one phase, or the ranges of the two labels of one; half-open [min, max), an end of 1 included.

    Attributes:
        negative: Least and greatest similarity of negatives, cosine; None where there are none.
        positive: The same of positives.
    """

    negative: tuple[float, float] | None
    positive: tuple[float, float] | None


Bands = Mapping[str, BandPair]  # by phase; "" for pairs without one


@dataclass(frozen=True, slots=True, eq=False)
class Augmented:
    """Parents and children of one augmentation, measured together; the children come last.

    Attributes:
        scores: Cosine of each pair; shape (n_pairs,).
        labels: 1 for a similar pair, 0 for a dissimilar one; shape (n_pairs,).
        phases: Name of the phase, empty without one; object array of shape (n_pairs,).
        n_before: How many are not new: the first ones.
        baseline: Cosine by a second encoder; shape (n_pairs,), or None.
    """

    scores: NDArray[np.float32]
    labels: NDArray[np.int8]
    phases: NDArray[np.object_]
    n_before: int
    baseline: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some of the pairs, such as the children alone.

    Attributes:
        side: Counts, means, separability, overlap and ROC-AUC in the space.
        phases: Pairs of each phase, in order of appearance.
        baseline_roc_auc: ROC-AUC of the second encoder; None without one, or with one label alone.
    """

    side: Side
    phases: dict[str, int]
    baseline_roc_auc: float | None

    def phase_share(self, name: str) -> float:
        """Return the share of the pairs that are of a phase, in [0, 1]."""
        return self.phases.get(name, 0) / self.side.n_pairs


@dataclass(frozen=True, slots=True)
class Strays:
    """Pairs of one label outside the band of their phase.

    Attributes:
        label: `negative` or `positive`.
        n_before: Pairs that were there.
        n_before_outside: Those of them that lie outside.
        n_children: New pairs.
        n_children_outside: Those of them that lie outside.
    """

    label: str
    n_before: int
    n_before_outside: int
    n_children: int
    n_children_outside: int

    @property
    def share_before(self) -> float:
        """Return the share of the pairs that were there which lie outside, in [0, 1]; 0 without pairs."""
        return self.n_before_outside / self.n_before if self.n_before else 0.0

    @property
    def share_children(self) -> float:
        """Return the share of the children which lie outside, in [0, 1]; 0 without children."""
        return self.n_children_outside / self.n_children if self.n_children else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Drift:
    """What an augmentation did to the pairs, in one space.

    Attributes:
        before: The pairs that were there.
        children: The new ones alone.
        after: All of them.
        easiest: The phase of the greatest separability before; None with less than two phases of both labels.
        strays: Pairs outside their band: negatives, then positives.
    """

    before: Part
    children: Part
    after: Part
    easiest: str | None
    strays: tuple[Strays, ...]

    @property
    def separability_change(self) -> float | None:
        """Return separability after minus before, in points of cosine: above 0 is easier; None where undefined."""
        before, after = self.before.side.separability, self.after.side.separability
        return None if before is None or after is None else after - before

    @property
    def positive_change(self) -> float:
        """Return the share of positives after minus before, in [-1, 1]."""
        return self.after.side.prevalence - self.before.side.prevalence

    def phase_change(self, name: str) -> float:
        """Return the share of a phase after minus before, in [-1, 1]."""
        return self.after.phase_share(name) - self.before.phase_share(name)


def measure_drift(pairs: Augmented, bands: Bands | None = None) -> Drift:
    """Compare the pairs that were there, the children alone, and all.

    Args:
        pairs: Both, measured together.
        bands: Where a pair of a phase and label should lie; by default the range of such pairs that were there.

    Raises:
        DataFaultError: If there is no child, or nothing before.
    """
    if not 0 < pairs.n_before < len(pairs.scores):
        raise DataFaultError(
            f"A drift needs pairs before and children, got {pairs.n_before:,} and "
            f"{len(pairs.scores) - pairs.n_before:,}."
        )
    old = np.arange(len(pairs.scores)) < pairs.n_before
    return Drift(
        before=_part(pairs, old),
        children=_part(pairs, ~old),
        after=_part(pairs, np.ones_like(old)),
        easiest=_easiest(pairs, old),
        strays=_strays(pairs, old, bands if bands is not None else ranges_of(pairs)),
    )


def ranges_of(pairs: Augmented) -> dict[str, BandPair]:
    """Return the range of the similarities that were there, by phase and label; both ends are inside."""
    found = {}
    for phase in pd.unique(pairs.phases):
        ranges: list[tuple[float, float] | None] = []
        for label in (0, 1):
            held = pairs.scores[: pairs.n_before][
                (pairs.phases[: pairs.n_before] == phase) & (pairs.labels[: pairs.n_before] == label)
            ]
            ranges.append((float(held.min()), float(held.max()) + 2 * _ON_EDGE) if len(held) else None)
        found[str(phase)] = BandPair(*ranges)
    return found


def drift_to_json(drift: Drift) -> dict[str, Any]:
    """Return a drift as JSON; see `drift_from_json`."""
    parts = {
        name: {"side": side_to_json(part.side), "phases": part.phases, "baseline_roc_auc": part.baseline_roc_auc}
        for name, part in (("before", drift.before), ("children", drift.children), ("after", drift.after))
    }
    return {**parts, "easiest": drift.easiest, "strays": [asdict(each) for each in drift.strays]}


def drift_from_json(value: Mapping[str, Any]) -> Drift:
    """Read a drift back from `drift_to_json`."""
    before, children, after = (
        Part(side_from_json(value[name]["side"]), dict(value[name]["phases"]), value[name]["baseline_roc_auc"])
        for name in ("before", "children", "after")
    )
    return Drift(before, children, after, value["easiest"], tuple(Strays(**each) for each in value["strays"]))


def _part(pairs: Augmented, mask: NDArray[np.bool_]) -> Part:
    counted = pd.Series(pairs.phases[mask]).value_counts(sort=False)
    return Part(
        side=measure_side(pairs.scores[mask], pairs.labels[mask]),
        phases={str(name): int(n) for name, n in counted.items() if name},
        baseline_roc_auc=None if pairs.baseline is None else roc_auc(pairs.baseline[mask], pairs.labels[mask]),
    )


def _easiest(pairs: Augmented, old: NDArray[np.bool_]) -> str | None:
    """Return the phase that is separated best before."""
    table = pd.DataFrame(
        {"phase": pairs.phases[old], "label": pairs.labels[old], "score": pairs.scores[old].astype(np.float64)}
    )
    means = table[table["phase"] != ""].pivot_table(index="phase", columns="label", values="score", aggfunc="mean")
    if not {0, 1} <= set(means.columns):
        return None
    apart = (means[1] - means[0]).dropna()
    return str(apart.idxmax()) if len(apart) > 1 else None


def _strays(pairs: Augmented, old: NDArray[np.bool_], bands: Bands) -> tuple[Strays, ...]:
    counted = []
    for label, name in enumerate(NAMES):
        of_label = pairs.labels == label
        outside = np.zeros(len(old), dtype=bool)
        for phase in pd.unique(pairs.phases[of_label]):
            held = of_label & (pairs.phases == phase)
            known = bands.get(str(phase))
            band = known and (known.positive if label else known.negative)
            outside[held] = ~_inside(pairs.scores[held], band) if band else False
        numbers = [int(mask.sum()) for mask in (of_label & old, outside & old, of_label & ~old, outside & ~old)]
        counted.append(Strays(name, *numbers))
    return tuple(counted)


def _inside(scores: ArrayLike, band: tuple[float, float]) -> NDArray[np.bool_]:
    values = np.asarray(scores, dtype=np.float64)
    low, high = band
    below = values <= high + _ON_EDGE if high >= 1.0 else values < high
    return (values >= low - _ON_EDGE) & below

"""The smallest tilt of a phase's similarities that gives it the separability wanted. Plain numpy."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from simtune_core.candidates.counted import STEP
from simtune_core.curriculum.classes import Allotted

_CLOSE = 1e-5  # points of separability
_STEPS = 40
_STEEPEST = 500.0  # exponent over the width of a band: exp of it is still a float


def reach_of(positive: Allotted, negative: Allotted) -> tuple[float, float] | None:
    """Return the least and the greatest separability that these numbers allow, in points; None without both classes."""
    if not positive.n or not negative.n:
        return None
    return (
        positive.mean(-math.inf) - negative.mean(math.inf),
        positive.mean(math.inf) - negative.mean(-math.inf),
    )


def tilt_for(positive: Allotted, negative: Allotted, wanted: float, reach: tuple[float, float]) -> float:
    """Find the tilt that gives a separability: positives by exp(tilt * s), negatives by exp(-tilt * s).

    Args:
        positive: Positives, at least one.
        negative: Negatives, at least one.
        wanted: Mean positive minus mean negative similarity, in points.
        reach: Of these two, as `reach_of` gives it.

    Returns:
        The tilt, per point of cosine; infinite where all that there is does not suffice.

    Source:
        Exponential tilting is the distribution nearest to the one found, in Kullback-Leibler divergence, among those of
        a given mean: Csiszar 1975, "I-divergence geometry of probability distributions and minimization problems". The
        root is found by false position, Illinois variant (Dowell and Jarratt 1971). We deviate where a cell has fewer
        pairs than its share: it gives what it has.
    """
    if wanted >= reach[1] - _CLOSE:
        return math.inf
    if wanted <= reach[0] + _CLOSE:
        return -math.inf

    def missed(tilt: float) -> float:
        return positive.mean(tilt) - negative.mean(-tilt) - wanted

    return _root(missed, 1 / (positive.variance() + negative.variance()), limit=_STEEPEST / _width(positive, negative))


def _root(missed: Callable[[float], float], pace: float, *, limit: float) -> float:
    """Return the tilt nearest to zero at which nothing is missed, or the limit; `missed` grows with the tilt."""
    at, value = 0.0, missed(0.0)
    step = -value * pace
    while abs(value) > _CLOSE:
        far = max(-limit, min(limit, at + step))
        far_value = missed(far)
        if far_value * value <= 0:
            return _between((at, value), (far, far_value), missed)
        if abs(far) >= limit:
            return far
        at, value, step = far, far_value, 2 * step
    return at


def _between(left: tuple[float, float], right: tuple[float, float], missed: Callable[[float], float]) -> float:
    """Return the root between two tilts, each with its value of `missed`."""
    (at, value), (far, far_value) = left, right
    for _ in range(_STEPS):
        if abs(far_value) <= _CLOSE or far == at:
            break
        middle = far - far_value * (far - at) / (far_value - value)
        middle_value = missed(middle)
        if middle_value * far_value < 0:
            at, value = far, far_value
        else:
            value /= 2
        far, far_value = middle, middle_value
    return far


def _width(*sides: Allotted) -> float:
    """Return from the lowest to the highest cell of the wider class, in points of cosine, at least that of a cell."""
    spans = [float(np.ptp(pool.centres)) for side in sides for pool in side.pools if len(pool.centres)]
    return max([*spans, STEP])

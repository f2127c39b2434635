"""Regions of a map: coordinates on a grid of whole numbers, and which points lie inside a polygon.

The browser draws the same grid and asks the same question with the same arithmetic, so both count the same points.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simtune_core.errors import ConfigError

GRID = 65_535  # the longer side of a map
VERTICES_AT_MOST = 100


def on_grid(coordinates: ArrayLike) -> NDArray[np.uint16]:
    """Return coordinates as whole numbers from 0 to `GRID`, both axes in the same scale; shape (n, 2)."""
    given = np.asarray(coordinates, dtype=np.float64)
    low = given.min(axis=0)
    side = float((given.max(axis=0) - low).max()) or 1.0
    return np.rint((given - low) * (GRID / side)).astype(np.uint16)


def inside(polygon: Sequence[Sequence[float]], points: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Tell which points lie inside a polygon, by the even-odd rule.

    Args:
        polygon: Its corners [x, y] in grid units, 3 to `VERTICES_AT_MOST`; the last is joined to the first.
        points: Shape (n, 2).

    Raises:
        ConfigError: If it is no polygon.
    """
    corners = np.asarray(polygon, dtype=np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2 or not 3 <= len(corners) <= VERTICES_AT_MOST:
        raise ConfigError(f"A region must have 3 to {VERTICES_AT_MOST} corners [x, y], got {len(corners)}.")
    x, y = points[:, 0].astype(np.float64), points[:, 1].astype(np.float64)
    found = np.zeros(len(points), dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, 1, axis=0), strict=True):
        crosses = (y1 > y) != (y2 > y)
        if crosses.any():
            found ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1 if y2 != y1 else 1.0) + x1)
    return found

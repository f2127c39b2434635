"""Maps: points of a high-dimensional space laid out in two dimensions by UMAP, and how far such a map can be trusted.

Neighbours are exact and found beforehand, the layout begins at the principal components, and one thread makes it, so
that one seed gives the same map each time on one machine. umap-learn is imported here and nowhere else; only a job of
its own process may do so, because two layouts at once abort a process.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simtune_core.difficulty.neighbourhoods import Neighbours, Space
from simtune_core.errors import DataFaultError
from simtune_core.pairs import SCORE_CUT
from simtune_core.settings import Settings

FEWEST = 20  # points below which UMAP's picture means nothing
PAIR_DIMS = 50  # principal components kept of a pair's vector
LEXICAL_DIMS = 100  # of TF-IDF, where vectors must be dense
_NOISE = 1e-4  # of the spread: sets points apart that start at one place
_TRUST_SAMPLE = 2000


class ProjectionConfig(Settings):
    """How a map is made."""

    n_neighbors: int = Field(
        15, ge=2, le=100, title="Neighbours", description="Few show small groups, many the whole shape (UMAP)."
    )
    min_dist: float = Field(
        0.1, ge=0.0, le=0.99, description="How closely points may be packed on the map; 0 gives dense clumps (UMAP)."
    )
    n_most: int = Field(
        20_000,
        ge=FEWEST,
        le=50_000,
        title="Points at most",
        description="Of more points a sample is drawn, each category in proportion.",
    )
    change_neighbors: int = Field(
        10, ge=2, le=50, description="Size of the neighbourhoods that are compared between two encoders."
    )
    score_cut: float = Field(
        SCORE_CUT, gt=0.0, le=1.0, description="A pair with a graded score counts as similar from this score on."
    )
    threshold: float | None = Field(
        None,
        ge=-1.0,
        le=1.0,
        description="Pairs at or above this cosine are called similar; empty takes the best MCC on the map's pairs.",
    )
    least_trustworthiness: float = Field(
        0.8, ge=0.0, le=1.0, description="A map below this trustworthiness comes with a warning."
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of the sample and the layout.")


def require_enough(n_points: int, what: str) -> None:
    """Refuse a map of fewer points than UMAP needs.

    Raises:
        DataFaultError: If there are fewer than `FEWEST`.
    """
    if n_points < FEWEST:
        raise DataFaultError(
            f"A map needs at least {FEWEST} different {what}, and there are {n_points}: too few for UMAP (needs "
            f"{FEWEST}). Choose a larger set."
        )


def lay_out(
    space: Space, neighbours: Neighbours, config: ProjectionConfig, *, start: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Lay points out in the plane so that near points stay near.

    Args:
        space: The points, at least `FEWEST`.
        neighbours: At least `min(config.n_neighbors, n) - 1` of each point, in that space.
        config: Neighbours, closeness and seed of the layout.
        start: Where the points begin, shape (n, 2): another map's coordinates, so that two maps compare; by default
            the first two principal components, which keep more of the whole shape than a random start.

    Returns:
        Coordinates without a unit, float32, shape (n, 2); equal for equal arguments on one machine.

    Source:
        McInnes, Healy and Melville 2018 (UMAP); Kobak and Linderman 2021 on the start. umap-learn is given the exact
        neighbours, the point itself first, instead of searching for approximate ones.
    """
    k = min(config.n_neighbors, len(space))
    own = np.arange(len(space), dtype=np.int64)[:, None]
    places = np.hstack([own, neighbours.places[:, : k - 1]])
    distances = np.hstack([np.zeros((len(space), 1), np.float32), neighbours.distances[:, : k - 1]])
    begin = _apart(principal_components(space, 2) if start is None else start, config.seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Tensorflow not installed")  # for a kind of UMAP that is not used
        warnings.filterwarnings("ignore", message="precomputed_knn")  # new points are never added to a map
        import umap

        layout = umap.UMAP(
            n_neighbors=k,
            min_dist=config.min_dist,
            init=begin,
            random_state=config.seed,
            n_jobs=1,
            precomputed_knn=(places, distances),
        )
        made: Any = layout.fit_transform(begin)
    return np.asarray(made, dtype=np.float32)


def principal_components(space: Space, n_dims: int) -> NDArray[np.float32]:
    """Return the coordinates of the points along their principal axes, widest first; shape (n, at most n_dims).

    The sign of an axis is arbitrary; its largest loading is made positive. Sparse vectors are first reduced to
    `LEXICAL_DIMS` (scikit-learn `TruncatedSVD`), because centring would fill them.
    """
    vectors = dense(space.vectors)
    centred = vectors - vectors.mean(axis=0, keepdims=True)
    _, axes = np.linalg.eigh(centred.T @ centred)
    widest = axes[:, ::-1][:, :n_dims]
    signs = np.sign(widest[np.abs(widest).argmax(axis=0), np.arange(widest.shape[1])])
    found = centred @ (widest * signs)
    missing = max(0, 2 - found.shape[1])  # of a space of one dimension: the plane has two
    return np.asarray(np.pad(found, ((0, 0), (0, missing))), dtype=np.float32)


def dense(vectors: Any) -> NDArray[np.float32]:
    """Return vectors as a dense matrix; sparse ones in the `LEXICAL_DIMS` dimensions that keep most of them."""
    if isinstance(vectors, np.ndarray):
        return vectors
    if vectors.shape[1] <= LEXICAL_DIMS:
        return np.asarray(vectors.toarray(), dtype=np.float32)
    from sklearn.decomposition import TruncatedSVD

    return np.asarray(TruncatedSVD(LEXICAL_DIMS, random_state=0).fit_transform(vectors), dtype=np.float32)


def pair_space(first: NDArray[np.float32], second: NDArray[np.float32]) -> Space:
    """Return a space of pairs, in which pairs that differ and agree in the same way are near.

    A pair's vector is [|u - v|, u * v], the same in either order, each half scaled to the same total variance and
    both reduced to `PAIR_DIMS` principal components; distances are Euclidean.

    Args:
        first: Unit vectors of the first texts, shape (n, dim).
        second: Unit vectors of the second texts, shape (n, dim).

    Source:
        The symmetric part of the pair features of Conneau et al. 2017 (InferSent).
    """
    halves = [np.abs(first - second), first * second]
    scaled = [half / max(float(np.sqrt(half.var(axis=0).sum())), 1e-12) for half in halves]
    joined = Space(np.hstack(scaled).astype(np.float32), "euclidean")
    return Space(principal_components(joined, PAIR_DIMS), "euclidean")


def turned_to(reference: NDArray[np.float32], coordinates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn, mirror and shift a map so that its points lie as near as possible to another map's; shapes (n, 2).

    Sizes are kept: how wide a map is, is its own.

    Source:
        Orthogonal Procrustes problem, Schoenemann 1966.
    """
    centre, own = reference.mean(axis=0), coordinates.mean(axis=0)
    left, _, right = np.linalg.svd((coordinates - own).T @ (reference - centre))
    return np.asarray((coordinates - own) @ (left @ right) + centre, dtype=np.float32)


def trustworthiness_of(
    space: Space, coordinates: NDArray[np.float32], config: ProjectionConfig
) -> tuple[float, int, int]:
    """Measure how far neighbours on the map are neighbours in the space.

    Args:
        space: The points.
        coordinates: Their map, shape (n, 2).
        config: Size of a neighbourhood, and the seed of the sample.

    Returns:
        Trustworthiness in [0, 1] (a random map has about 0.5), the size of the sample it was measured on, within which
        the neighbours were sought, and the size of the neighbourhoods.

    Source:
        Venna and Kaski 2001; scikit-learn `sklearn.manifold.trustworthiness`.
    """
    from sklearn.manifold import trustworthiness

    n = min(len(space), _TRUST_SAMPLE)
    rows = np.sort(np.random.default_rng(config.seed).permutation(len(space))[:n])
    k = min(config.change_neighbors, (n - 1) // 2)
    distances = space.take(rows).distances(0, n)
    np.fill_diagonal(distances, 0.0)
    value = trustworthiness(distances, coordinates[rows], n_neighbors=k, metric="precomputed")
    return float(value), n, k


def _apart(start: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Return a start in which no two points lie at one place and no axis is flat: a trace of seeded noise is added."""
    spread = float(start.std(axis=0).max()) or 1.0
    noise = np.random.default_rng(seed).normal(scale=_NOISE * spread, size=start.shape)
    return np.asarray(start + noise, dtype=np.float32)

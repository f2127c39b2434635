"""The `map` job: texts or pairs laid out by UMAP in one encoder's space or two, and how their neighbourhoods differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.datasets import find_dataset, load_pairs, load_records
from simtune_core.difficulty.map_points import OUTCOMES, MapPoints, outcomes_of, pair_points, text_points
from simtune_core.difficulty.neighbourhoods import Neighbours, Space, change_of, count_kept, nearest
from simtune_core.difficulty.projection import (
    ProjectionConfig,
    dense,
    lay_out,
    pair_space,
    require_enough,
    trustworthiness_of,
    turned_to,
)
from simtune_core.encoders.catalogue import TFIDF, Encoder, resolve_encoder
from simtune_core.encoders.config import Precision
from simtune_core.encoders.embedding import embed, unit_rows
from simtune_core.encoders.loading import precision_that_ran
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.files import whole_file
from simtune_core.findings import Finding, finding
from simtune_core.jobs.context import Job
from simtune_core.pairs import PairSet
from simtune_core.records import Records

POINTS = "points.parquet"  # a map_points frame; of encoder i also x{i}, y{i}, cosine{i}, outcome{i}; of two also kept
NEIGHBOURS = "neighbours.npz"  # places0, places1: int32, shape (n, k)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What every map of a job is made of: all points, those shown, and how."""

    job: Job
    points: MapPoints
    shown: MapPoints
    precision: Precision
    config: ProjectionConfig


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """One encoder's map."""

    encoder: Encoder
    space: Space
    neighbours: Neighbours
    coordinates: NDArray[np.float32]
    cosines: NDArray[np.float32] | None


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Draw a map, or two that begin alike.

    Args:
        params: `set`, `against` (or null), `of` (records or pairs), `encoders` (one or two), `precision`, `config`
            (a ProjectionConfig as JSON).
        job: Where progress goes and the files `POINTS` and `NEIGHBOURS` are written.

    Returns:
        `of`, `sets`, `n_points` of `n_all`, `maps` (one per encoder: name, trustworthiness, threshold, outcomes),
        `change` of the neighbourhoods or null, `config`, `precision`, `findings`.

    Raises:
        SimtuneError: If a set or an encoder is not there, or there are too few points.
    """
    config = ProjectionConfig(**params["config"])
    tables = [_load(job, ref) for ref in (params["set"], params.get("against")) if ref]
    encoders = [resolve_encoder(job.workspace, name) for name in params["encoders"]]
    if params["of"] == "pairs":
        points = pair_points([table for table in tables if isinstance(table, PairSet)], config.score_cut)
    else:
        points = text_points(tables)
    require_enough(len(points), "pairs" if params["of"] == "pairs" else "texts")
    shown = points.sample(config.n_most, config.seed)
    asked = _Asked(job, points, shown, params["precision"], config)
    drawn: list[_Drawn] = []
    for encoder in encoders:
        drawn.append(_draw(asked, encoder, drawn))
    frame, maps = _columns(shown.frame.copy(), drawn, config)
    change = _change(frame, drawn, config) if len(drawn) == 2 else None
    _write(job, frame, drawn, config)
    result = {
        "of": params["of"],
        "sets": [{"ref": table.ref, "content_id": table.content_id, "n_rows": len(table)} for table in tables],
        "n_all": len(points),
        "n_points": len(shown),
        "maps": maps,
        "change": change,
        "config": config.model_dump(mode="json"),
        "precision": precision_that_ran(encoders, params["precision"]),
    }
    return {**result, "findings": find_all(result)}


def find_all(result: dict[str, Any]) -> list[Finding]:
    """Say what a reader of the map should know: a sample, a map that misleads, neighbourhoods that differ."""
    found = []
    what = "pairs" if result["of"] == "pairs" else "texts"
    if result["n_points"] < result["n_all"]:
        message = (
            f"{result['n_points']:,} of {result['n_all']:,} {what} are drawn: a sample, every group in proportion. "
            "Neighbours are those among the points drawn."
        )
        found.append(finding("map_sampled", "info", message))
    least = result["config"]["least_trustworthiness"]
    for each in result["maps"]:
        if each["trustworthiness"] < least:
            message = (
                f"The map of {each['title']} has trustworthiness {each['trustworthiness']:.3f}, below {least:g}: many "
                "neighbours on it are none in the encoder's space. Look at the neighbours themselves, or try more "
                "neighbours in the settings."
            )
            found.append(finding("map_misleads", "warning", message))
    return found


def _load(job: Job, ref: str) -> Records | PairSet:
    kind = find_dataset(job.workspace, ref)[0].kind
    return load_pairs(job.workspace, ref) if kind == "pairs" else load_records(job.workspace, ref)


def _draw(asked: _Asked, encoder: Encoder, before: list[_Drawn]) -> _Drawn:
    job, config = asked.job, asked.config
    space, cosines = _space(asked, encoder)
    k = min(len(space) - 1, max(config.n_neighbors, config.change_neighbors))
    words = f"comparing all with all in {encoder.title}"
    neighbours = nearest(space, k, lambda done, total: job.progress(done, total, words))
    job.progress(0, 1, f"laying out the map of {encoder.title} (UMAP)")
    first = before[0].coordinates if before else None
    coordinates = lay_out(space, neighbours, config, start=first)
    job.progress(1, 1, f"laid out the map of {encoder.title}")
    turned = coordinates if first is None else turned_to(first, coordinates)
    return _Drawn(encoder, space, neighbours, turned, cosines)


def _space(asked: _Asked, encoder: Encoder) -> tuple[Space, NDArray[np.float32] | None]:
    """Return the space of the points and, for pairs, their cosines; TF-IDF is fitted on all texts of the sets."""
    shown = asked.shown.texts
    corpus = asked.points.texts if encoder.kind == TFIDF else shown
    texts = list(dict.fromkeys(text for name in corpus.columns for text in corpus[name]))
    if encoder.kind == TFIDF:
        vectors: Any = tfidf_matrix(texts)
    else:
        vectors = embed(
            asked.job.workspace, encoder, texts, precision=asked.precision, progress=asked.job.progress
        ).vectors
    place = {text: row for row, text in enumerate(texts)}
    rows = [shown[name].map(place).to_numpy(np.int64) for name in shown.columns]
    if len(rows) == 1:
        return Space(vectors[rows[0]], "cosine"), None
    if encoder.kind == TFIDF:
        cosines = np.asarray(vectors[rows[0]].multiply(vectors[rows[1]]).sum(axis=1)).ravel()
        vectors = unit_rows(dense(vectors))
    else:
        cosines = np.einsum("ij,ij->i", vectors[rows[0]], vectors[rows[1]])
    return pair_space(vectors[rows[0]], vectors[rows[1]]), np.clip(cosines, -1.0, 1.0).astype(np.float32)


def _columns(
    frame: pd.DataFrame, drawn: list[_Drawn], config: ProjectionConfig
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the points with every encoder's columns, and what the result says of each map."""
    told = []
    for place, each in enumerate(drawn):
        frame[f"x{place}"], frame[f"y{place}"] = each.coordinates[:, 0], each.coordinates[:, 1]
        value, n_judged, k = trustworthiness_of(each.space, each.coordinates, config)
        line = {
            "encoder": each.encoder.name,
            "title": each.encoder.title,
            "fingerprint": each.encoder.fingerprint,
            "metric": each.space.metric,
            "trustworthiness": value,
            "n_judged": n_judged,
            "k_judged": k,
            "threshold": None,
            "outcomes": None,
        }
        if each.cosines is not None:
            labels = frame["label"].to_numpy(np.int8)
            outcome, threshold = outcomes_of(each.cosines, labels, config.threshold)
            frame[f"cosine{place}"], frame[f"outcome{place}"] = each.cosines, outcome
            counts = {name: int((outcome == code).sum()) for code, name in enumerate(OUTCOMES)}
            line |= {"threshold": threshold, "outcomes": counts if threshold is not None else None}
        told.append(line)
    return frame, told


def _change(frame: pd.DataFrame, drawn: list[_Drawn], config: ProjectionConfig) -> dict[str, Any]:
    """Add the column `kept` and return the distribution of the neighbourhood change."""
    k = min(config.change_neighbors, len(frame) - 1)
    kept = count_kept(drawn[0].neighbours.first(k), drawn[1].neighbours.first(k))
    frame["kept"] = kept
    change = change_of(kept, k)
    return {
        "k": k,
        "mean": float(change.mean()),
        "median": float(np.median(change)),
        "mean_kept": float(kept.mean()),
        "n_kept": np.bincount(kept, minlength=k + 1).tolist(),
    }


def _write(job: Job, frame: pd.DataFrame, drawn: list[_Drawn], config: ProjectionConfig) -> None:
    k = min(config.change_neighbors, len(frame) - 1)
    with whole_file(job.folder / POINTS) as beside:
        frame.to_parquet(beside, compression="zstd", index=False)
    with whole_file(job.folder / NEIGHBOURS) as beside, beside.open("wb") as file:
        places = {f"places{place}": each.neighbours.first(k).places for place, each in enumerate(drawn)}
        np.savez(file, allow_pickle=False, **places)

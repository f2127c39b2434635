"""The map of 10,000 embedded records: a job from its request to its result, and the second look at it.

Budget: 90 seconds on two cores, in a process that has compiled nothing before. Beside it the same vectors through
`umap.UMAP(random_state=42).fit_transform`, in a fresh process too, with the trustworthiness of both maps.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.support import write_result
from simtune_core.datasets import save_records
from simtune_core.difficulty.neighbourhoods import Space
from simtune_core.difficulty.projection import ProjectionConfig, trustworthiness_of
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.config import EncodingConfig
from simtune_core.encoders.embedding import embed
from simtune_core.workflows.maps import hover_texts, map_request, read_map
from simtune_core.workflows.requests import embed_request
from simtune_core.workflows.running import job_of, run_to_end
from simtune_core.workspace import SAMPLE, Workspace, open_workspace

N_RECORDS, BUDGET_SECONDS, SECOND_BUDGET_SECONDS = 10_000, 90.0, 1.0
_BEGIN = 100  # characters


def main() -> int:
    """Embed the records, draw their map by a job, look at it again, and draw it as the library does by itself."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(Path(folder) / "workspace")
        texts = _save_texts(workspace)
        run_to_end(workspace, embed_request(workspace, "records", EncodingConfig(encoder="minilm")))
        request = map_request(workspace, ["records"], ["minilm"])
        began = time.perf_counter()
        _, result = run_to_end(workspace, request)
        seconds = time.perf_counter() - began
        began = time.perf_counter()
        job = job_of(workspace, map_request(workspace, ["records"], ["minilm"]))
        hover_texts(read_map(workspace, job.id if job else ""))
        again = time.perf_counter() - began
        vectors = embed(workspace, resolve_encoder(workspace, "minilm"), texts).vectors
        peer_seconds, coordinates = _peer(vectors, Path(folder))
    trust, n_judged, _ = trustworthiness_of(Space(vectors, "cosine"), coordinates, ProjectionConfig())
    figures = {
        "n_points": result["n_points"], "dim": int(vectors.shape[1]), "seconds": round(seconds, 1),
        "second_view_seconds": round(again, 3), "trustworthiness": round(result["maps"][0]["trustworthiness"], 4),
        "peer": "umap.UMAP(random_state=42).fit_transform", "peer_seconds": round(peer_seconds, 1),
        "peer_trustworthiness": round(trust, 4), "n_judged": n_judged, "budget_seconds": BUDGET_SECONDS,
    }  # fmt: skip
    write_result("map_10k", figures)
    return 0 if seconds <= BUDGET_SECONDS and again <= SECOND_BUDGET_SECONDS else 1


def peer(given: Path, made: Path) -> None:
    """Lay vectors out as umap-learn does when only a seed is set; run in a process of its own."""
    import umap

    np.save(made, umap.UMAP(random_state=42).fit_transform(np.load(given)))


def _save_texts(workspace: Workspace) -> list[str]:
    """Save 10,000 different texts: the beginnings of two of the sample's records, one after the other."""
    records = pd.read_parquet(SAMPLE / "records.parquet").drop_duplicates("text")
    random = np.random.default_rng(0)
    first, second = (random.integers(0, len(records), 2 * N_RECORDS) for _ in range(2))
    begins = records["text"].str.slice(0, _BEGIN).to_numpy()
    texts = begins[first] + " " + begins[second]
    frame = pd.DataFrame({"text": texts, "category": records["category"].to_numpy()[first]})
    frame = frame.drop_duplicates("text").head(N_RECORDS).reset_index(drop=True)
    frame["id"] = [f"r{number}" for number in range(len(frame))]
    save_records(workspace, "records", frame, provenance={})
    return list(frame["text"])


def _peer(vectors: np.ndarray, folder: Path) -> tuple[float, np.ndarray]:
    given, made = folder / "vectors.npy", folder / "coordinates.npy"
    np.save(given, vectors)
    began = time.perf_counter()
    program = [sys.executable, "-W", "ignore", "-m", "benchmarks.map_10k", str(given), str(made)]
    subprocess.run(program, check=True)
    return time.perf_counter() - began, np.load(made)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        peer(Path(sys.argv[1]), Path(sys.argv[2]))
        sys.exit(0)
    sys.exit(main())

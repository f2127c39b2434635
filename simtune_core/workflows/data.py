"""Data of a workspace: the bundled sample and what the data page shows; importing.py brings files in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from simtune_core.datasets import (
    DatasetKind,
    DatasetVersion,
    find_dataset,
    list_datasets,
    load_pairs,
    load_records,
    save_pairs,
    save_records,
)
from simtune_core.errors import WorkspaceError
from simtune_core.workspace import SAMPLE, Workspace

__all__ = [
    "list_datasets",
    "load_sample",
    "row_page",
    "set_refs",
    "usual_sets",
]

# name in the workspace -> (kind, file of data/sample)
SAMPLE_SETS: dict[str, tuple[DatasetKind, str]] = {
    "sample_records": ("records", "records.parquet"),
    "sample": ("pairs", "pairs.parquet"),
    "sample_easy": ("pairs", "easy_pairs.parquet"),
}


@dataclass(frozen=True, slots=True, eq=False)
class RowPage:
    """A part of a dataset's rows.

    Attributes:
        frame: The rows shown, columns without any value left out.
        n_found: How many rows fit the search.
    """

    frame: pd.DataFrame
    n_found: int


def load_sample(workspace: Workspace) -> list[DatasetVersion]:
    """Copy the bundled sample into the workspace; what is there already is left as it is."""
    loaded = []
    for name, (kind, file) in SAMPLE_SETS.items():
        if not (SAMPLE / file).exists():
            raise WorkspaceError(
                f"The bundled sample lacks {file}; run `python data/sample/generate.py` to make it again."
            )
        frame = pd.read_parquet(SAMPLE / file)
        save = save_records if kind == "records" else save_pairs
        provenance = {"made_by": "sample", "source": f"data/sample/{file}", "licence": "Apache-2.0"}
        loaded.append(save(workspace, name, frame, provenance=provenance))
    return loaded


def set_refs(workspace: Workspace, kind: DatasetKind = "pairs") -> list[str]:
    """Return what a user can choose: every dataset of a kind and each of its splits, newest dataset first."""
    versions = sorted(list_datasets(workspace, kind), key=lambda version: -float(version.manifest["created"]))
    refs: list[str] = []
    for version in versions:
        refs.append(version.name)
        refs.extend(f"{version.name}:{split}" for split in ("train", "dev", "test") if split in version.splits)
        refs.extend(f"{version.name}:{split}" for split in version.splits if split not in ("train", "dev", "test"))
    return refs


def row_page(workspace: Workspace, ref: str, *, search: str = "", page: int = 1, size: int = 100) -> RowPage:
    """Return one page of a dataset's rows, those whose texts contain `search` (case ignored, taken literally)."""
    version, _ = find_dataset(workspace, ref)
    frame = load_pairs(workspace, ref).frame if version.kind == "pairs" else load_records(workspace, ref).frame
    if search:
        columns = ["sentence1", "sentence2"] if version.kind == "pairs" else ["id", "text"]
        found = pd.Series(False, index=frame.index)
        for column in columns:
            found |= frame[column].fillna("").str.contains(search, case=False, regex=False)
        frame = frame[found]
    rows = frame.iloc[(page - 1) * size : page * size].dropna(axis=1, how="all")
    return RowPage(rows.reset_index(drop=True), len(frame))


def usual_sets(refs: Sequence[str], *splits: str) -> dict[str, str | None]:
    """Return what is chosen at first for each split: of the first dataset that has them all, else of any that has it.

    Args:
        refs: What `set_refs` gave.
        splits: Names such as `train`, `dev`.
    """
    names = dict.fromkeys(ref.partition(":")[0] for ref in refs)
    whole = next((name for name in names if all(f"{name}:{split}" in refs for split in splits)), None)
    if whole is not None:
        return {split: f"{whole}:{split}" for split in splits}
    return {split: next((ref for ref in refs if ref.endswith(f":{split}")), None) for split in splits}

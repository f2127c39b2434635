"""Data of a workspace: the bundled sample and what the data page shows; importing.py brings files in."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from simtune_core.datasets import DatasetKind, DatasetVersion, find_dataset, list_datasets, save_pairs, save_records
from simtune_core.errors import WorkspaceError
from simtune_core.preparing.browsing import RowPage, RowQuery, row_page, sortable_columns, values_of
from simtune_core.workspace import SAMPLE, Workspace

__all__ = [
    "RowPage",
    "RowQuery",
    "find_dataset",
    "list_datasets",
    "load_sample",
    "row_page",
    "set_refs",
    "sortable_columns",
    "usual_sets",
    "values_of",
]

# name in the workspace -> (kind, file of data/sample)
SAMPLE_SETS: dict[str, tuple[DatasetKind, str]] = {
    "sample_records": ("records", "records.parquet"),
    "sample": ("pairs", "pairs.parquet"),
    "sample_easy": ("pairs", "easy_pairs.parquet"),
}


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

"""Files in: what a page or a command does to bring a foreign table into the workspace."""

from __future__ import annotations

from pathlib import Path

from simtune_core.datasets import DatasetVersion
from simtune_core.importing import (
    GUESSES,
    Draft,
    ImportKind,
    draft,
    faults_sentence,
    guess_columns,
    guess_kind,
    parse_columns,
)
from simtune_core.importing import save_draft as save_fitting_draft
from simtune_core.tables.reading import read_table
from simtune_core.tables.table import Table
from simtune_core.workflows.foresight import require_room_for_table
from simtune_core.workspace import Workspace

__all__ = [
    "GUESSES",
    "Draft",
    "Table",
    "draft",
    "draft_file",
    "faults_sentence",
    "guess_columns",
    "guess_kind",
    "read_table",
    "save_draft",
]


def draft_file(path: Path, *, kind: ImportKind | None = None, columns: str = "") -> Draft:
    """Read a file and lay the guessed columns over it, corrected by `columns` (`role=column,...`)."""
    table = read_table(path, path.name)
    found = list(table.frame.columns)
    chosen: ImportKind = kind or guess_kind(found)
    return draft(table, chosen, guess_columns(found, chosen) | parse_columns(columns, chosen))


def save_draft(
    workspace: Workspace,
    name: str,
    checked: Draft,
    *,
    source: str,
    drop_faulty: bool = False,
    new_version: bool = False,
) -> DatasetVersion:
    """Save a draft as `importing.save_draft` does, unless it cannot fit on the disk.

    Raises:
        DataFaultError: If faults stand, or no row is left.
        WorkspaceError: If there is no room for it, or the name is taken or not allowed.
    """
    require_room_for_table(workspace, name, int(checked.frame.memory_usage(deep=True).sum()))
    return save_fitting_draft(workspace, name, checked, source=source, drop_faulty=drop_faulty, new_version=new_version)

"""Files in: what a page or a command does to bring a foreign table into the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simtune_core.datasets import DatasetVersion
from simtune_core.errors import DataFaultError
from simtune_core.files import valid_name
from simtune_core.findings import Finding
from simtune_core.importing.drafting import Draft, Questions, draft, faults_sentence
from simtune_core.importing.faults import Fault, counted, worded_faults
from simtune_core.importing.options import (
    GUESSES,
    REQUIRED,
    TEXT_ROLES,
    ImportKind,
    ImportOptions,
    guess_columns,
    guess_kind,
    guessed_options,
    parse_columns,
    parse_labels,
    parse_range,
)
from simtune_core.importing.saving import Origin, was_there
from simtune_core.importing.saving import save_draft as save_fitting_draft
from simtune_core.importing.sources import (
    ImportSource,
    anywhere,
    dataset_name,
    forget_upload,
    in_workspace,
    uploaded,
)
from simtune_core.importing.values import LabelValue
from simtune_core.preferences import preferences_of
from simtune_core.preparing.import_languages import language_findings
from simtune_core.tables.reading import FORMATS
from simtune_core.tables.table import Table
from simtune_core.workflows.foresight import require_room_for_table
from simtune_core.workflows.requests import Request
from simtune_core.workspace import Workspace

__all__ = [
    "FORMATS",
    "GUESSES",
    "REQUIRED",
    "TEXT_ROLES",
    "Draft",
    "ImportOptions",
    "ImportSource",
    "Table",
    "anywhere",
    "counted",
    "dataset_name",
    "draft",
    "faults_sentence",
    "forget_upload",
    "guess_columns",
    "guess_kind",
    "guessed_options",
    "in_workspace",
    "parse_columns",
    "parse_labels",
    "parse_range",
    "uploaded",
    "was_there",
]

_GLANCE_TEXTS = 200  # looked at for their language while a person waits
HEAD_ROWS = 500  # of a large source, read for its preview and the guesses


def head(source: ImportSource, options: ImportOptions) -> Table:
    """Read what is needed to guess and to preview: all of a small source, the first rows of a large one."""
    return source.read(options.reading, limit=HEAD_ROWS if source.large else None)


def draft_source(
    source: ImportSource, *, kind: ImportKind | None = None, columns: str = "", choices: Mapping[str, Any] | None = None
) -> Draft:
    """Read a source and lay the guessed options over it.

    Args:
        source: The source; of a large one only the head is read.
        kind: Records or pairs; guessed where it is not given.
        columns: `role=column,...` where the guess is wrong.
        choices: Further options by name.

    Raises:
        SimtuneError: If the source cannot be read, or an option contradicts another.
    """
    told = dict(choices or {})
    table = head(source, ImportOptions(**{key: told[key] for key in ("reading",) if key in told}))
    return draft(table, options_for(table, kind=kind, columns=columns, choices=told))


def options_for(
    table: Table, *, kind: ImportKind | None = None, columns: str = "", choices: Mapping[str, Any] | None = None
) -> ImportOptions:
    """Return the options guessed from a table's columns, corrected by what was said; see `draft_source`."""
    found = list(table.frame.columns)
    told = dict(choices or {})
    chosen: ImportKind = kind or told.pop("kind", None) or guess_kind(found)
    told.pop("kind", None)
    mapping = {**told.pop("columns", {}), **parse_columns(columns, chosen, found)}
    return guessed_options(found, chosen, columns=mapping, **told)


def save_draft(
    workspace: Workspace,
    name: str,
    checked: Draft,
    *,
    source: ImportSource,
    drop_faulty: bool = False,
    new_version: bool = False,
) -> DatasetVersion:
    """Save the draft of a whole source, unless it cannot fit on the disk; a stored upload is removed then.

    Raises:
        DataFaultError: If faults stand, or no row is left.
        WorkspaceError: If there is no room for it, or the name is taken or not allowed.
    """
    require_room_for_table(workspace, name, int(checked.frame.memory_usage(deep=True).sum()))
    origin = Origin(source.name, source.sha256())
    saved = save_fitting_draft(
        workspace, name, checked, origin=origin, drop_faulty=drop_faulty, new_version=new_version
    )
    forget_upload(workspace, source)
    return saved


def import_request(
    workspace: Workspace,
    source: ImportSource,
    options: ImportOptions,
    name: str,
    *,
    new_version: bool = False,
    dry_run: bool = False,
) -> Request:
    """Ask for a source to be read whole, checked and, where nothing stands in the way, saved.

    Raises:
        DataFaultError: If the source is an upload small enough to be read at once.
        WorkspaceError: If the name is not allowed.
    """
    if source.content is not None:
        raise DataFaultError(f"{source.name} is small enough to be read at once; it needs no job.")
    params = {
        **source.as_params(workspace),
        "stamp": source.stamp(),
        "n_bytes": source.n_bytes,
        "name": valid_name(name, "dataset name"),
        "options": {"kind": options.kind, **options.model_dump(mode="json", exclude_defaults=True)},
        "new_version": new_version,
        "dry_run": dry_run,
        "spoken_by": preferences_of(workspace).default_encoder,
    }
    return Request("import", params, f"Import {source.name} as {name}")


def languages_found(workspace: Workspace, checked: Draft) -> list[Finding]:
    """Tell of languages in a draft that the workspace's default encoder does not speak, from a small sample."""
    return language_findings(workspace, checked.frame, preferences_of(workspace).default_encoder, sample=_GLANCE_TEXTS)


def token_of(source: ImportSource) -> str:
    """Return what tells a source from another on a page, and from itself after a change: 16 hexadecimal digits."""
    return source.stamp()[:16]


def questions_from(told: Mapping[str, Any]) -> Questions:
    """Return the questions that a job has told as JSON; see `Draft.as_json`."""
    asked = dict(told["questions"])
    asked["labels"] = tuple(LabelValue(**value) for value in asked["labels"])
    for name in ("score_found", "score_offer"):
        asked[name] = None if asked[name] is None else tuple(asked[name])
    return Questions(**asked)


def unanswered(told: Mapping[str, Any]) -> list[str]:
    """Return the columns of which something has to be stated first, from what a job or a draft has told as JSON."""
    asked = told["questions"]
    open_ones = {
        "label": asked["asks_labels"],
        "score": asked["score_offer"] is not None,
        "time": asked["time_example"] is not None,
    }
    return [column for column, is_open in open_ones.items() if is_open]


def faults_of(told: Mapping[str, Any]) -> list[Fault]:
    """Return the faults that a job or a draft has told as JSON; see `Draft.as_json`."""
    return [Fault(**fault) for fault in told["faults"]]


def refusal(told: Mapping[str, Any]) -> str:
    """Say why nothing was saved, from what a job or a draft has told as JSON."""
    if not told["faults"] and not told["n_whole"]:
        return "No row can be imported: the file has none that is whole."
    return worded_faults(told["kind"], faults_of(told), n_faulty_rows=told["n_faulty_rows"], n_rows=told["n_rows"])

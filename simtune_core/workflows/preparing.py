"""What is asked of a dataset beside reading it: divide it, write it to a file, take vectors or scores from one."""

from __future__ import annotations

import hashlib
import io
import shlex
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from simtune_core.curriculum.formats import FormatConfig
from simtune_core.datasets import canonical_ref, find_dataset
from simtune_core.encoders.catalogue import BUNDLED, TFIDF
from simtune_core.encoders.intake import TEXT_NAMES, VECTOR_FILES, layout_of
from simtune_core.errors import DataFaultError, EncoderError
from simtune_core.files import valid_name, write_bytes
from simtune_core.importing.options import guess_columns
from simtune_core.importing.sources import ImportSource, anywhere, uploaded, uploads
from simtune_core.jobs.launcher import find_equal
from simtune_core.preparing.exporting import (
    ENDINGS,
    FORMATS,
    Exported,
    ExportFormat,
    export_rows,
    file_stem,
    plain_bytes,
)
from simtune_core.preparing.splitting import SplitConfig
from simtune_core.preparing.splitting_job import MADE_BY, require_unsplit
from simtune_core.tables.reading import FORMATS as TABLE_FILES
from simtune_core.tables.table import ReadingOptions
from simtune_core.workflows.requests import Request, require_free_dataset
from simtune_core.workspace import Workspace

__all__ = [
    "ENCODER_FILES",
    "FORMATS",
    "ExportFormat",
    "Exported",
    "ImportSource",
    "MadeSplit",
    "anywhere",
    "command_for",
    "download",
    "encoder_columns",
    "encoder_line",
    "export",
    "export_name",
    "import_encoder_request",
    "largest_component",
    "made_split",
    "split_request",
    "split_rows",
    "stored_upload",
    "too_large_to_download",
]
DOWNLOAD_BYTES = 100_000_000  # a page keeps what it sends in memory; larger sets are for the command line
_ZIP = ".zip"
ENCODER_FILES = tuple(dict.fromkeys((*VECTOR_FILES, *TABLE_FILES)))  # endings
_HEAD = 20  # rows from which columns are known
_ROLES = ("vectors", "text", "id", "scores", "sentence1", "sentence2")  # of the columns of an encoder's file


@dataclass(frozen=True, slots=True)
class MadeSplit:
    """A split that was made here, as the manifest of its dataset tells it.

    Attributes:
        ref: The version that has it.
        made_from: The version that was divided.
        config: The settings, as JSON.
        report: How it came out, as JSON.
    """

    ref: str
    made_from: str
    config: dict[str, Any]
    report: dict[str, Any]


def split_request(
    workspace: Workspace, dataset: str, config: SplitConfig, *, name: str | None = None, replace: bool = False
) -> Request:
    """Ask for train, dev and test of a dataset.

    Args:
        workspace: Where everything lies.
        dataset: A whole dataset; one of its splits is refused.
        config: How to divide it.
        name: The dataset to make; None makes a new version of the one that is divided.
        replace: Whether splits that are there, such as imported ones, may be replaced.

    Raises:
        DataFaultError: If a part is named, or there are splits that are to be kept.
        WorkspaceError: If another dataset has the name.
    """
    version, part = find_dataset(workspace, dataset)
    require_unsplit(version.ref, {} if replace else version.splits, part)
    made = name or version.name
    params = {"set": version.ref, "name": made, "config": config.model_dump(mode="json"), "replace": replace}
    if made != version.name and find_equal(workspace, "split", params) is None:
        require_free_dataset(workspace, made)
    return Request("split", params, f"Split {version.ref}" + (f" as {made}" if made != version.name else ""))


def export(
    workspace: Workspace, dataset: str, to: Path, *, form: ExportFormat | None = None, rows: FormatConfig | None = None
) -> Exported:
    """Write a dataset, or one of its splits, to a file or a Hugging Face folder; see `export_rows`."""
    return export_rows(workspace, dataset, to, form=form, rows=rows)


def download(workspace: Workspace, dataset: str, form: ExportFormat, rows: FormatConfig | None = None) -> bytes:
    """Return an exported file as a page sends it; a folder is packed as a zip."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / export_name(workspace, dataset, form, rows).removesuffix(_ZIP)
        made = export_rows(workspace, dataset, target, form=form, rows=rows).path
        if form != "huggingface":
            return made.read_bytes()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:  # what is inside is packed already
            for path in sorted(path for path in made.rglob("*") if path.is_file()):
                archive.write(path, path.relative_to(made.parent))
        return packed.getvalue()


def export_name(workspace: Workspace, dataset: str, form: ExportFormat, rows: FormatConfig | None = None) -> str:
    """Return what a downloaded file is called."""
    return file_stem(*find_dataset(workspace, dataset), rows) + (ENDINGS[form] or _ZIP)


def too_large_to_download(workspace: Workspace, dataset: str, *, limit: int = DOWNLOAD_BYTES) -> bool:
    """Tell whether a dataset is too large to be sent by a page: its rows take more than `limit` bytes."""
    version, split = find_dataset(workspace, dataset)
    share = version.splits[split] / max(1, version.n_rows) if split else 1.0
    return plain_bytes(version) * share > limit


def command_for(dataset: str, form: ExportFormat, rows: FormatConfig | None = None) -> str:
    """Return the command line that exports a dataset."""
    to = dataset.replace(":", "-").replace("@", "-") + (f"-{rows.output_format}" if rows else "") + ENDINGS[form]
    told = "" if ENDINGS[form] else f" --format {form}"
    if rows is not None:
        told += f" --as {rows.output_format}"
        told += "".join(
            f" --set {name}={value}"
            for name, value in rows.model_dump(exclude_defaults=True).items()
            if name != "output_format"
        )
    return f"python -m simtune_core export {shlex.quote(dataset)} --to {shlex.quote(to)}{told}"


def import_encoder_request(
    workspace: Workspace,
    source: ImportSource,
    name: str,
    *,
    columns: Mapping[str, str],
    dataset: str | None = None,
) -> Request:
    """Ask for an encoder made of vectors or scores that were computed elsewhere.

    Args:
        workspace: Where everything lies.
        source: The file; an upload as `stored_upload` gives it.
        name: The encoder's name.
        columns: Role to column or array: `vectors`, and `text` or `id`; or `scores`, `sentence1` and `sentence2`. What
            is left out is guessed; without `scores`, vectors are meant.
        dataset: Where the records of the ids are; None where the file names texts.

    Raises:
        DataFaultError: If a role is unknown.
        EncoderError: If the name belongs to another encoder.
    """
    unknown = sorted(set(columns) - set(_ROLES))
    if unknown:
        raise DataFaultError(f"A column of an encoder's file is one of {', '.join(_ROLES)}; got {unknown[0][:60]!r}.")
    sides = ",".join(f"{side}={columns[side]}" for side in ("sentence1", "sentence2") if columns.get(side))
    params = {
        **source.as_params(workspace),
        "sha256": source.sha256(),
        "n_bytes": source.n_bytes,
        "name": valid_name(name, "encoder name"),
        **{role: columns.get(role) or None for role in ("vectors", "text", "id", "scores")},
        "columns": sides,
        "set": canonical_ref(workspace, dataset) if dataset else None,
    }
    if name in (BUNDLED, TFIDF) or (
        workspace.model(name).exists() and find_equal(workspace, "import_encoder", params) is None
    ):
        raise EncoderError(f"The name {name!r} is taken by another encoder; choose another name.")
    return Request("import_encoder", params, f"Import encoder {name}")


def stored_upload(workspace: Workspace, content: bytes, name: str) -> ImportSource:
    """Return an upload as a file of the workspace, from which a job can read it; removed once it is an encoder."""
    source = uploaded(workspace, content, name)
    if source.path is not None:
        return source
    ending = PurePosixPath(source.name).suffix.lower()
    path = uploads(workspace) / f"{hashlib.sha256(content).hexdigest()}{ending if ending[1:].isalnum() else ''}"
    if not path.exists():
        write_bytes(path, content)
    return ImportSource(source.name, path=path)


def encoder_columns(source: ImportSource) -> dict[str, dict[str, list[str]]]:
    """Return what the columns of a file could be, likeliest first: by `vectors` or `scores`, then by role.

    Raises:
        DataFaultError: If the file cannot be read, or holds neither.
    """
    found: dict[str, dict[str, list[str]]] = {}
    if source.path is not None and PurePosixPath(source.name).suffix.lower() in VECTOR_FILES:
        layout = layout_of(source.path, source.name)
        if layout.vectors and layout.names:
            found["vectors"] = {"vectors": list(layout.vectors), "names": _likeliest(layout.names, TEXT_NAMES)}
    if PurePosixPath(source.name).suffix.lower() not in (".npz", ".safetensors"):
        head = source.read(ReadingOptions(), limit=_HEAD).frame
        columns = list(head.columns)
        guessed = guess_columns(columns, "pairs")
        sides = {role: _likeliest(columns, guessed.get(role, ())) for role in ("sentence1", "sentence2")}
        if len(columns) >= 3:
            usual = ("score", "similarity", "cosine", *(name for name in columns if _graded(head[name])))
            found["scores"] = sides | {"scores": _likeliest(columns, usual)}
    if not found:
        raise DataFaultError(f"{source.name} holds no column of vectors, and too few columns for scores of pairs.")
    return found


def _graded(values: pd.Series) -> bool:
    """Tell whether a column read as text holds scores: numbers in [-1, 1], not all of them whole."""
    numbers = pd.to_numeric(values, errors="coerce")
    return bool(numbers.between(-1, 1).all() and (numbers % 1 != 0).any())


def _likeliest(columns: Sequence[str], usual: Sequence[str]) -> list[str]:
    """Return columns, those of a usual name first."""
    first = list(dict.fromkeys(name for name in usual if name in columns))
    return [*first, *(name for name in columns if name not in first)]


def encoder_line(result: dict[str, Any]) -> str:
    """Say which encoder came of an import."""
    if result["kind"] == "scores":
        return (
            f"{result['encoder']}: scores of {result['n']:,} pairs in {result['scale']} (from {result['low']:.3f} to "
            f"{result['high']:.3f}), whichever text comes first."
        )
    return f"{result['encoder']}: vectors of {result['n']:,} texts, {result['dim']:,} numbers each, at unit length."


def made_split(workspace: Workspace, dataset: str) -> MadeSplit | None:
    """Return the split that a version of a dataset was made by; None for imported splits and for none at all."""
    version, _ = find_dataset(workspace, dataset)
    told = version.manifest["provenance"]
    if told.get("made_by") != MADE_BY:
        return None
    return MadeSplit(version.ref, told["made_from"], told["config"], told["report"])


def split_rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a table shows of a split: a row for each part, and what was wanted.

    Args:
        report: What `SplitReport.as_json` gave.
    """
    labelled = any(part["positive_share"] is not None for part in report["parts"])
    rows = []
    for part in report["parts"]:
        row = {
            "split": part["name"],
            report["what"]: part["n_rows"],
            "share": part["share"],
            "wanted": part["wanted"],
            "components": part["n_components"],
        }
        if labelled:
            row["positive pairs"] = part["positive_share"]
        rows.append(row | {"categories": part["n_categories"]})
    return rows


def largest_component(report: dict[str, Any]) -> str:
    """Say in a sentence how large the largest connected component is, and what that means for a split."""
    what, largest = report["what"], report["largest_rows"]
    of_records = f" of {report['n_records']:,} records" if what == "pairs" else ""
    return (
        f"{report['n_rows']:,} {what}{of_records} are connected into {report['n_components']:,} components by shared "
        f"records and texts; the largest has {largest:,} {what} ({100 * report['largest_share']:.1f} %) and is whole "
        f"in {report['largest_split']}, as every component is in one split."
    )

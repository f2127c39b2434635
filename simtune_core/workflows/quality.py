"""What a page or a command asks about the quality of a pair set: the noise in its labels, and edits by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simtune_core.curriculum.quality.config import NoiseConfig
from simtune_core.curriculum.quality.drafts import Draft, add_edits, end_draft, read_draft, undo
from simtune_core.curriculum.quality.editing import Target, save_edited
from simtune_core.curriculum.quality.edits import Edit, edited, pair_keys
from simtune_core.curriculum.quality.looking import LookQuery, LookTable, lay_out, places_of
from simtune_core.curriculum.quality.noise import ClassNoise, classes_from_json
from simtune_core.curriculum.quality.noise_job import NOISE
from simtune_core.datasets import canonical_ref, find_dataset, load_details, load_pairs
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.config import EncodingConfig
from simtune_core.errors import DataFaultError, EncoderError
from simtune_core.figures.histograms import ScoreBins
from simtune_core.jobs.launcher import find_equal, read_job
from simtune_core.workflows.requests import Request, named_encoder, require_free_dataset
from simtune_core.workspace import Workspace

__all__ = [
    "ClassNoise",
    "Draft",
    "Edit",
    "LookQuery",
    "LookTable",
    "NoiseConfig",
    "add_edits",
    "classes_from_json",
    "edit_request",
    "edits_of_rows",
    "end_draft",
    "foretold",
    "look_table",
    "noise_bins",
    "noise_request",
    "noise_rows",
    "noise_words",
    "places_of",
    "read_draft",
    "save_edits",
    "undo",
]
BY_JOB_FROM = 50_000  # pairs from which on edits are saved by a job
_WITHOUT_VECTORS = ("tfidf", "scores")  # kinds of encoder


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a draft will make of its set.

    Attributes:
        n_pairs: Pairs that stay.
        sentence: What was removed and relabelled.
        fault: Why it cannot be saved; empty where it can.
    """

    n_pairs: int
    sentence: str
    fault: str = ""


def noise_request(
    workspace: Workspace, dataset: str, encoding: EncodingConfig, *, config: NoiseConfig | None = None
) -> Request:
    """Ask how many labels of a pair set are wrong, by estimate.

    Raises:
        EncoderError: If the encoder has no vectors to fit a probe on.
        SimtuneError: If the set or the encoder is not there.
    """
    ref = canonical_ref(workspace, dataset, "pairs")
    encoder = named_encoder(workspace, encoding.encoder)
    if resolve_encoder(workspace, encoding.encoder).kind in _WITHOUT_VECTORS:
        raise EncoderError(
            f"The noise estimate fits a probe on an encoder's vectors, and {encoder['name']} has none; choose an "
            "encoder such as minilm."
        )
    chosen = config or NoiseConfig()
    params = {
        "set": ref,
        "encoder": encoder["name"],
        "precision": encoding.precision,
        **chosen.model_dump(mode="json", exclude_unset=True),
        "fingerprints": [encoder],
    }
    return Request("noise", params, f"Noise in the labels of {ref} with {encoding.encoder}")


def noise_rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the estimate as a table, a class a row; empty where there is none."""
    return [
        {
            "labelled": _kind(each.label),
            "pairs judged": each.n,
            "wrong, at most about": f"{each.rate.estimate:.1%}",
            f"{100 * result['config']['level']:g} % interval": f"{each.rate.low:.1%} to {each.rate.high:.1%}",
            "that is": f"{each.n_expected:,} pairs",
            "marked by confident learning": f"{each.n_issues:,} ({each.n_issues / each.n:.1%})",
        }
        for each in classes_from_json(result)
    ]


def noise_words(result: dict[str, Any]) -> str:
    """Say what an estimate rests on, and what it is not."""
    auc = result["roc_auc"]
    told = "not defined" if auc is None else f"{auc:.3f}"
    words = (
        f"{result['n_judged']:,} of {result['n_pairs']:,} pairs of {result['set']}, {result['n_records']:,} records, "
        f"each judged by a probe of {result['title']} that saw neither record (ROC-AUC {told})."
    )
    if result["labels"]["weak"]:
        words += (
            " The labels are weak: what is estimated is how often pairs disagree with their rule, not with a person."
        )
    if result["classes"] is None:
        return words
    return (
        f"{words} The share is an upper bound, from the pairs that the probe is surest of. Confident learning "
        "(cleanlab) marks more the weaker the probe is: marks are an order in which to look, not a count of errors."
    )


def look_table(workspace: Workspace, dataset: str, noise_job: str | None = None) -> LookTable:
    """Lay the pairs of a set out to be looked at, ranked by a finished noise job of that very set if there is one.

    Raises:
        WorkspaceError: If the set is not there.
        JobError: If the job is not.
    """
    version, split = find_dataset(workspace, dataset, kind="pairs")
    ranking = None if noise_job is None else pd.read_parquet(_ranking(workspace, noise_job))
    details = load_details(workspace, version.ref)
    return lay_out(load_pairs(workspace, version.ref), split=split, details=details, ranking=ranking)


def edits_of_rows(
    workspace: Workspace, dataset: str, *, drop: Sequence[int] = (), relabel: dict[int, int] | None = None
) -> tuple[Edit, ...]:
    """Turn row numbers of a version, from 1, into edits.

    Raises:
        DataFaultError: If there is no such row.
    """
    version, _ = find_dataset(workspace, dataset, kind="pairs")
    wanted = {**dict.fromkeys(drop, None), **(relabel or {})}
    beyond = [row for row in wanted if not 1 <= row <= version.n_rows]
    if beyond:
        raise DataFaultError(f"The rows of {version.ref} are 1 to {version.n_rows:,}; got {beyond[0]:,}.")
    twice = set(drop) & set(relabel or {})
    if twice:
        raise DataFaultError(f"A row can be removed or relabelled, not both; got {min(twice):,} twice.")
    keys = pair_keys(load_pairs(workspace, version.ref).frame)
    return tuple(
        Edit(str(keys[row - 1]), "drop") if label is None else Edit(str(keys[row - 1]), "relabel", label)
        for row, label in wanted.items()
    )


def foretold(workspace: Workspace, dataset: str, draft: Draft) -> Foretold:
    """Tell what a draft will make of its set, children of edited pairs included."""
    version, _ = find_dataset(workspace, dataset, kind="pairs")
    try:
        made = edited(load_pairs(workspace, version.ref), draft.edits, load_details(workspace, version.ref))
    except DataFaultError as error:
        return Foretold(version.n_rows, "", str(error))
    return Foretold(len(made.frame), made.sentence)


def edit_request(
    workspace: Workspace, dataset: str, edits: Sequence[Edit], *, name: str, new_version: bool = False
) -> Request:
    """Ask for a set with edits, saved as a dataset or a new version of one.

    Raises:
        DataFaultError: If there is no edit that changes anything.
        WorkspaceError: If the set is not there, or the name is taken and no new version is asked for.
    """
    version, _ = find_dataset(workspace, dataset, kind="pairs")
    if all(edit.action == "keep" for edit in edits):
        raise DataFaultError(f"Nothing of {version.ref} is removed or relabelled; name rows to remove or to relabel.")
    params = {
        "pairs": version.ref,
        "edits": [edit.as_json() for edit in edits],
        "name": name,
        "new_version": new_version,
    }
    if not new_version and find_equal(workspace, "edit", params) is None:
        require_free_dataset(workspace, name)
    return Request("edit", params, f"Edit {version.ref} as {name}")


def save_edits(workspace: Workspace, dataset: str, *, name: str, new_version: bool) -> str | Request:
    """Save the draft of a set and empty it; of a large set return the request of the job that does it.

    Returns:
        The reference of the new version, or a request to be started; that job empties the draft once it has saved it.

    Raises:
        SimtuneError: If there is nothing to save, the edits do not fit, or the name is taken or not allowed.
    """
    version, _ = find_dataset(workspace, dataset, kind="pairs")
    draft = read_draft(workspace, version.ref)
    if version.n_rows >= BY_JOB_FROM:
        request = edit_request(workspace, version.ref, draft.edits, name=name, new_version=new_version)
        return Request(request.kind, {**request.params, "draft": True}, request.title)
    saved = save_edited(workspace, version.ref, draft.edits, Target(name, new_version))
    end_draft(workspace, version.ref, saved_as=saved.version.ref)
    return saved.version.ref


def noise_bins(workspace: Workspace, table: LookTable, job_id: str) -> ScoreBins:
    """Count the judged pairs of either label by how likely the probe finds them similar, in steps of 0.02.

    Args:
        workspace: Where the job is.
        table: The set that it judged.
        job_id: A finished noise job.
    """
    likely = pd.read_parquet(_ranking(workspace, job_id), columns=["probability"])["probability"].to_numpy(np.float64)
    labels = table.frame["label"].to_numpy(np.float64)
    edges = np.linspace(0.0, 1.0, 51)
    negative, positive = (np.histogram(likely[(labels == label) & np.isfinite(likely)], edges)[0] for label in (0, 1))
    return ScoreBins(edges, negative, positive)


def _ranking(workspace: Workspace, job_id: str) -> Path:
    return read_job(workspace, job_id).folder / NOISE


def _kind(label: int) -> str:
    return "positive" if label else "negative"

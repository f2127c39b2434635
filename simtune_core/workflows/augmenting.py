"""What a page or a command asks of augmentation: the job that makes children, what to expect of it, and its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from simtune_core.curriculum.augmentation.config import OPERATIONS, AugmentConfig, Operation
from simtune_core.curriculum.augmentation.drift import drift_from_json
from simtune_core.curriculum.augmentation.job import curriculum_behind
from simtune_core.curriculum.augmentation.making import REASONS, drafts_of, parents_of
from simtune_core.datasets import canonical_ref, find_dataset, load_details, load_pairs
from simtune_core.encoders.catalogue import TFIDF, resolve_encoder
from simtune_core.encoders.config import EncodingConfig
from simtune_core.encoders.imported import IMPORTED
from simtune_core.errors import EncoderError
from simtune_core.jobs.launcher import find_equal
from simtune_core.workflows.hardness import common_bins, in_words
from simtune_core.workflows.requests import Request, named_encoder, require_free_dataset
from simtune_core.workspace import Workspace

__all__ = [
    "OPERATIONS",
    "AugmentConfig",
    "Example",
    "Expected",
    "Operation",
    "augment_request",
    "common_bins",
    "drift_from_json",
    "drift_rows",
    "expect",
    "loss_rows",
    "phases_of",
    "space_behind",
]
Form = Literal["count", "share", "number"]


@dataclass(frozen=True, slots=True)
class Example:
    """One pair or one child of it.

    Attributes:
        change: The operation; empty for the parent.
        sentence1: Its first text.
        sentence2: Its second text.
        made: Whether it differs from its parent; whether another pair equals it is not looked at.
    """

    change: str
    sentence1: str
    sentence2: str
    made: bool = True


@dataclass(frozen=True, slots=True)
class Expected:
    """What an augmentation will make, at most.

    Attributes:
        n_pairs: Pairs that are there.
        n_parents: Pairs that are to get children.
        n_children: Children, if every one can be made and none is left out to keep shares.
        example: One pair and its children as they are in the set that would be made.
    """

    n_pairs: int
    n_parents: int
    n_children: int
    example: tuple[Example, ...]


def augment_request(
    workspace: Workspace,
    dataset: str,
    config: AugmentConfig,
    *,
    name: str,
    encodings: Sequence[EncodingConfig],
    new_version: bool = False,
) -> Request:
    """Ask for the children of a pair set, saved with it as a new set.

    Args:
        workspace: Where everything lies.
        dataset: The parents.
        config: What to do.
        name: The set to make.
        encodings: The space in which children and drift are measured (TF-IDF is fitted on parents and children), and,
            if wanted, a baseline whose ROC-AUC is measured too; the precision is the first one's.
        new_version: Whether a taken name gets a new version.

    Raises:
        WorkspaceError: If the name is taken and no new version is asked for.
        EncoderError: If an encoder knows only the texts it was brought with.
    """
    ref = canonical_ref(workspace, dataset, "pairs")
    names = list(dict.fromkeys(encoding.encoder for encoding in encodings))
    for each in names:
        if resolve_encoder(workspace, each).kind in IMPORTED:
            raise EncoderError(
                f"The children have new texts, and {each} knows only those it was brought with; choose an encoder that "
                "reads texts, or tfidf."
            )
    encoders = [named_encoder(workspace, each) for each in names]
    params = {
        "pairs": ref,
        "config": config.model_dump(mode="json"),
        "name": name,
        "new_version": new_version,
        "encoders": [encoder["name"] for encoder in encoders],
        "precision": encodings[0].precision,
        "fingerprints": encoders,
    }
    if not new_version and find_equal(workspace, "augment", params) is None:
        require_free_dataset(workspace, name)
    return Request("augment", params, f"Augment {ref} as {name}")


def space_behind(workspace: Workspace, dataset: str) -> str:
    """Return the encoder in whose space a set was cut; TF-IDF where it was not cut here."""
    step = curriculum_behind(workspace, find_dataset(workspace, dataset, kind="pairs")[0])
    return str(step["encoder"]) if step and step.get("encoder") else TFIDF


def expect(workspace: Workspace, dataset: str, config: AugmentConfig, *, place: int = 0) -> Expected:
    """Tell how many pairs an augmentation will make, at most, and show one of them.

    Args:
        workspace: Where the set lies.
        dataset: The parents.
        config: What to do.
        place: Which of the pairs that get children is the example, from 0; beyond the last it begins again.

    Raises:
        DataFaultError: If no pair may get children.
    """
    pairs = load_pairs(workspace, dataset)
    details = load_details(workspace, pairs.ref)
    known = None if details is None else details["parent"].notna().to_numpy(bool)
    rows = parents_of(pairs, config, children=known)
    parent = pairs.frame.iloc[int(rows[place % len(rows)])]
    return Expected(
        n_pairs=len(pairs),
        n_parents=len(rows),
        n_children=len(rows) * config.n_children,
        example=_example((parent["sentence1"], parent["sentence2"]), config),
    )


def phases_of(workspace: Workspace, dataset: str) -> tuple[str, ...]:
    """Return the phases of a pair set as its manifest names them; empty without any."""
    return tuple(find_dataset(workspace, dataset, kind="pairs")[0].manifest["phases"])


def drift_rows(result: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the report of a finished augmentation: a measure before, of the children alone, after, and its change."""
    drift = drift_from_json(result["drift"])
    parts = (drift.before, drift.children, drift.after)
    rows = [_row("pairs", "count", [part.side.n_pairs for part in parts])]
    rows.append(_row("positive", "share", [part.side.prevalence for part in parts]))
    rows += [_row(f"phase {name}", "share", [part.phase_share(name) for part in parts]) for name in drift.after.phases]
    rows += [_row(title, form, [getattr(part.side, name) for part in parts]) for name, title, form in _MEASURES]
    if result["baseline"]:
        rows.append(_row(f"ROC-AUC, {result['baseline']}", "number", [part.baseline_roc_auc for part in parts]))
    for each in drift.strays:
        n, outside = each.n_before + each.n_children, each.n_before_outside + each.n_children_outside
        shares = [each.share_before, each.share_children, outside / n if n else None]
        rows.append(_row(f"{each.label} outside their band", "share", shares))
    return rows


def loss_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what was made and what was not, one row an operation and reason."""
    made = [{"operation": name, "children": n, "outcome": "made"} for name, n in result["operations"].items()]
    lost = [
        {"operation": loss["operation"], "children": loss["n"], "outcome": f"not made: {REASONS[loss['reason']]}"}
        for loss in result["losses"]
    ]
    return sorted([*made, *lost], key=lambda row: (OPERATIONS.index(row["operation"]), row["outcome"] != "made"))


_MEASURES: tuple[tuple[str, str, Form], ...] = (
    ("positive_mean", "mean of the positives", "number"),
    ("negative_mean", "mean of the negatives", "number"),
    ("separability", "separability", "number"),
    ("overlap", "overlap", "share"),
    ("overlap_robust", "overlap, 1 % to 99 %", "share"),
    ("roc_auc", "ROC-AUC", "number"),
)


def _row(measure: str, form: Form, values: list[Any]) -> dict[str, str]:
    before, children, after = (in_words(value, form) for value in values)
    return {"measure": measure, "before": before, "children alone": children, "after": after} | {
        "change": _change(values[0], values[2], form)
    }


def _change(before: float | None, after: float | None, form: Form) -> str:
    if before is None or after is None:
        return ""
    if form == "count":
        return f"{after - before:+,}"
    if form == "share":
        return f"{round(100 * (after - before), 1) + 0.0:+.1f} points"  # + 0.0: no minus before a zero
    return f"{round(after - before, 3) + 0.0:+.3f}"


def _example(texts: tuple[str, str], config: AugmentConfig) -> tuple[Example, ...]:
    children = (
        Example(child.operation, *child.texts, made=child.texts != texts and child.texts[0] != child.texts[1])
        for child in drafts_of({"sentence1": texts[0], "sentence2": texts[1]}, config)
    )
    return (Example("", *texts), *children)

"""Two pair sets side by side: their difficulty by phase, what they share, and the settings that are not the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simtune_core.curriculum.comparing import (
    Comparison,
    Half,
    PhaseComparison,
    PhasedSet,
    SettingDifference,
    compare_sets,
    differing_settings,
)
from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.datasets import DatasetVersion, find_dataset, list_versions, load_details, load_pairs
from simtune_core.difficulty.bins import coarsen
from simtune_core.difficulty.config import DifficultyConfig
from simtune_core.difficulty.job import measure_part
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.difficulty.separability import Side, side_from_json
from simtune_core.encoders.config import EncodingConfig
from simtune_core.errors import ConfigError, DataFaultError, WorkspaceError
from simtune_core.figures.comparing import Facet
from simtune_core.figures.histograms import ScoreBins
from simtune_core.pairs import PairSet
from simtune_core.workflows.data import set_refs
from simtune_core.workflows.hardness import in_words, space_of
from simtune_core.workflows.requests import Request, difficulty_request
from simtune_core.workspace import Workspace

WHOLE = "all pairs"
_SHARED, _SHARED_TEXTS, _SHARED_RECORDS = "pairs in both", "texts in both", "record ids in both"
_BIN_WIDTH = 0.02
_KEEPS_SPACE = "edit"  # rows go or change their label, and the similarities of the others stay
_FITTED_ON = ("records", "test", "apart")  # what the space of TF-IDF depends on


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Two pair sets compared in one space.

    Attributes:
        comparison: The sets, phase by phase.
        settings: What is not the same in the steps that made them.
        made_here: Whether each was made by steps that are known, the first set and the second.
        space: Whose cosine the similarities are.
    """

    comparison: Comparison
    settings: tuple[SettingDifference, ...]
    made_here: tuple[bool, bool]
    space: str


def others_of(workspace: Workspace, ref: str) -> list[str]:
    """Return the pair sets that a set can be compared with: its other versions first, then the others, newest first.

    Raises:
        WorkspaceError: If there is no such pair set.
    """
    version, split = find_dataset(workspace, ref, kind="pairs")
    part = f":{split}" if split else ""
    older = [
        f"{each.ref}{part}"
        for each in reversed(list_versions(workspace, version.name))
        if each.ref != version.ref and (not split or split in each.splits)
    ]
    shown = [other for other in set_refs(workspace) if _canonical(workspace, other) != version.ref + part]
    return list(dict.fromkeys([*older, *shown]))


def space_as_cut(workspace: Workspace, left: str, right: str) -> str | None:
    """Name the space in which two sets were both cut, so that the similarities kept with them compare; else None."""
    spaces = [_space_of_step(workspace, find_dataset(workspace, ref, kind="pairs")[0]) for ref in (left, right)]
    if spaces[0] is None or spaces[0] != spaces[1]:
        return None
    if any(_kept(workspace, ref) is None for ref in (left, right)):
        return None
    return f"cosine of {spaces[0]['encoder']}, as both were cut"


def comparison_request(workspace: Workspace, left: str, right: str, encoding: EncodingConfig) -> Request:
    """Ask for the similarities of both sets in one space: the `difficulty` job of the one against the other.

    Raises:
        DataFaultError: If both are the same set.
    """
    request = difficulty_request(
        workspace, left, right, encoding, score_cut=DifficultyConfig.model_fields["score_cut"].default
    )
    if request.params["set"] == request.params["against"]:
        raise DataFaultError(f"A comparison needs two pair sets; both are {request.params['set']}. Choose another one.")
    return request


def compare(workspace: Workspace, left: str, right: str, measured: dict[str, Any] | None = None) -> Compared:
    """Compare two pair sets.

    Args:
        workspace: Where they lie.
        left: The first set.
        right: The second.
        measured: Result of the job that `comparison_request` asks for; without it the similarities kept with both are
            read.

    Raises:
        DataFaultError: If both are the same set, or without `measured` they were not cut in one space.
    """
    sets = [load_pairs(workspace, ref) for ref in (left, right)]
    if measured is None:
        space = space_as_cut(workspace, left, right)
        if space is None:
            raise DataFaultError(
                f"{sets[0].ref} and {sets[1].ref} were not both cut in one space; name an encoder to score both with."
            )
        phased = [_as_cut(workspace, each) for each in sets]
    else:
        space = space_of(measured)
        phased = [_as_measured(each, side) for each, side in zip(sets, measured["sides"], strict=True)]
    steps = [_steps(workspace, find_dataset(workspace, ref)[0]) for ref in (left, right)]
    return Compared(
        comparison=compare_sets(*phased),
        settings=differing_settings(*steps),
        made_here=(bool(steps[0]), bool(steps[1])),
        space=space,
    )


def facets_of(comparison: Comparison) -> list[Facet]:
    """Return the histograms of all pairs and of each phase of both sets, on common edges."""
    sides = [half.side for phase in comparison.phases for half in (phase.left, phase.right) if half is not None]
    counts = np.stack([[side.negative_counts, side.positive_counts] for side in sides])
    coarse = coarsen(counts, width=_BIN_WIDTH)
    drawn = {
        id(side): ScoreBins(coarse.edges, *each) for side, each in zip(sides, coarse.counts, strict=True)
    }  # by identity: two phases may hold equal numbers
    return [
        Facet(
            phase.phase or WHOLE,
            (
                None if phase.left is None else drawn[id(phase.left.side)],
                None if phase.right is None else drawn[id(phase.right.side)],
            ),
        )
        for phase in comparison.phases
    ]


def number_lines(comparison: Comparison) -> list[dict[str, str]]:
    """Return the numbers of each phase of each set in words, the two sets of a phase one below the other."""
    return [
        {"phase": phase.phase or WHOLE, "set": ref} | _numbers(half)
        for phase in comparison.phases
        for ref, half in ((comparison.left, phase.left), (comparison.right, phase.right))
        if half is not None
    ]


def shared_lines(comparison: Comparison) -> list[dict[str, str]]:
    """Return what the sets share, phase by phase, in words."""
    return [
        {
            "phase": phase.phase or WHOLE,
            _SHARED: in_words(phase.n_shared, "count"),
            f"of {comparison.left} in another phase": in_words(phase.n_left_elsewhere, "count"),
            f"of {comparison.right} in another phase": in_words(phase.n_right_elsewhere, "count"),
            _SHARED_TEXTS: in_words(phase.n_shared_texts, "count"),
            _SHARED_RECORDS: in_words(phase.n_shared_records, "count"),
        }
        for phase in comparison.phases
    ]


def phase_lines(phase: PhaseComparison) -> list[tuple[str, str, str]]:
    """Return the numbers of one phase in words: what each is called, its value in the first and in the second set."""
    told = [_numbers(half) if half else {} for half in (phase.left, phase.right)]
    shared = (
        (_SHARED, phase.n_shared, phase.n_shared),
        ("in another phase of the other", phase.n_left_elsewhere, phase.n_right_elsewhere),
        (_SHARED_TEXTS, phase.n_shared_texts, phase.n_shared_texts),
        (_SHARED_RECORDS, phase.n_shared_records, phase.n_shared_records),
    )
    return [
        *((name, told[0].get(name, ""), told[1].get(name, "")) for name in told[0] or told[1]),
        *((name, in_words(left, "count"), in_words(right, "count")) for name, left, right in shared),
    ]


def sentences(compared: Compared) -> list[str]:
    """Say in words what two sets share, where they contradict each other, and how many settings differ."""
    comparison, whole = compared.comparison, compared.comparison.whole
    both = f"{comparison.left} and {comparison.right}"
    shared = f"{both} share {whole.n_shared:,} pairs and {whole.n_shared_texts:,} texts."
    if whole.n_shared:
        shared += f" {comparison.n_disagreeing:,} of the shared pairs have another label in the other set."
    return [shared, _settings_sentence(compared)]


def as_json(compared: Compared) -> dict[str, Any]:
    """Return a comparison as JSON."""
    comparison = compared.comparison
    return {
        "left": comparison.left,
        "right": comparison.right,
        "space": compared.space,
        "phases": [_phase_json(phase) for phase in comparison.phases],
        "n_disagreeing": comparison.n_disagreeing,
        "disagreements": comparison.disagreements.to_dict("records"),
        "categories": comparison.categories.to_dict("records"),
        "settings": [{"field": each.field, "left": each.left, "right": each.right} for each in compared.settings],
        "made_here": list(compared.made_here),
    }


def _canonical(workspace: Workspace, ref: str) -> str:
    version, split = find_dataset(workspace, ref)
    return version.ref + (f":{split}" if split else "")


def _space_of_step(workspace: Workspace, version: DatasetVersion) -> dict[str, Any] | None:
    """Return what tells the space in which a set was cut from others; None where it was not cut here."""
    provenance, passed = version.manifest["provenance"], {version.ref}
    while (step := _step(provenance)).get("do") == _KEEPS_SPACE:
        try:
            source, _ = find_dataset(workspace, str(step.get("pairs")))
        except WorkspaceError:
            return None
        if source.ref in passed:
            return None
        passed.add(source.ref)
        provenance = source.manifest["provenance"]
    if step.get("do") != "curriculum":
        return None
    names = _FITTED_ON if step.get("encoder") == "tfidf" else ("precision",)
    space = provenance.get("space")
    fingerprint = space.get("fingerprint") if isinstance(space, dict) else None
    return {"encoder": step.get("encoder"), "fingerprint": fingerprint} | {name: step.get(name) for name in names}


def _step(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return the step that made a set; empty for a set that was not made here."""
    step = provenance.get("step")
    return step if isinstance(step, dict) else {}


def _kept(workspace: Workspace, ref: str) -> Any:
    """Return the similarities kept with a set, shape (n_pairs,); None where one is missing."""
    details = load_details(workspace, ref)
    if details is None or details["similarity"].isna().any():
        return None
    return details["similarity"].to_numpy(np.float32)


def _as_cut(workspace: Workspace, pairs: PairSet) -> PhasedSet:
    kept = _kept(workspace, pairs.ref)
    scored = ScoredSet(pairs, kept, kept, "")
    phases = {name: measure_part(scored, inside) for name, inside in scored.phases.items()}
    return PhasedSet(pairs, measure_part(scored), phases)


def _as_measured(pairs: PairSet, side: Mapping[str, Any]) -> PhasedSet:
    phases: dict[str, Side] = {each["phase"]: side_from_json(each) for each in side["phases"]}
    return PhasedSet(pairs, side_from_json(dict(side)), phases)


def _steps(workspace: Workspace, version: DatasetVersion) -> dict[str, dict[str, Any]]:
    """Return the steps that made a set and those it was made of, last one first, such as `augment`, `curriculum`."""
    steps: dict[str, dict[str, Any]] = {}
    passed: set[str] = set()
    while version.ref not in passed:
        passed.add(version.ref)
        provenance = version.manifest["provenance"]
        if step := _step(provenance):
            name = str(step.get("do"))
            n = sum(each.partition(" ")[0] == name for each in steps)
            steps[f"{name} {n + 1}" if n else name] = _completed(step)
        source = provenance.get("source")
        if not isinstance(source, str) or provenance.get("made_by") == "import":
            break
        try:
            version, _ = find_dataset(workspace, source)
        except WorkspaceError:
            break
    return steps


def _completed(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step with the settings that were left at their defaults, and without its own name."""
    told = {name: value for name, value in step.items() if name != "do"}
    if step.get("do") != "curriculum":
        return told
    try:
        return told | {"config": CurriculumConfig(**told["config"]).model_dump(mode="json")}
    except (ConfigError, KeyError, TypeError):  # of another version of the program: as it stands
        return told


def _numbers(half: Half) -> dict[str, str]:
    side = half.side
    share = half.largest_share
    categories = "none" if share is None else f"{half.n_categories:,}, largest {in_words(share, 'share')}"
    return {
        "pairs": in_words(side.n_pairs, "count"),
        "positive": in_words(side.n_positive, "count"),
        "separability": in_words(side.separability, "number"),
        "overlap": in_words(side.overlap, "share"),
        "ROC-AUC": in_words(side.roc_auc, "number"),
        "positive mean": in_words(side.positive_mean, "number"),
        "negative mean": in_words(side.negative_mean, "number"),
        "same category": in_words(side.same_category_share_negative, "share"),
        "categories": categories,
    }


def _settings_sentence(compared: Compared) -> str:
    if not any(compared.made_here):
        return "Neither was made here, so no settings can be compared."
    if not all(compared.made_here):
        imported = compared.comparison.right if compared.made_here[0] else compared.comparison.left
        return f"{imported} was not made here, so no settings can be compared."
    n = len(compared.settings)
    return "All settings are the same." if n == 0 else f"{n:,} setting{' differs' if n == 1 else 's differ'}."


def _phase_json(phase: PhaseComparison) -> dict[str, Any]:
    return {
        "phase": phase.phase,
        "left": None if phase.left is None else _half_json(phase.left),
        "right": None if phase.right is None else _half_json(phase.right),
        "n_shared": phase.n_shared,
        "n_left_elsewhere": phase.n_left_elsewhere,
        "n_right_elsewhere": phase.n_right_elsewhere,
        "n_shared_texts": phase.n_shared_texts,
        "n_shared_records": phase.n_shared_records,
    }


def _half_json(half: Half) -> dict[str, Any]:
    names = (
        "n_pairs", "n_positive", "n_negative", "separability", "overlap", "roc_auc", "positive_mean", "negative_mean",
        "same_category_share_negative",
    )  # fmt: skip
    return {name: getattr(half.side, name) for name in names} | {
        "n_categories": half.n_categories,
        "largest_category": half.largest_category,
        "largest_share": half.largest_share,
    }

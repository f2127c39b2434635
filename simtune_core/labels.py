"""Where the labels of a pair set come from, and whether a person gave them; read from manifests, changes nothing.

A label is weak when a rule made it: equal categories, a band of similarity. What is derived from a set keeps its
labels, so a set that does not say it of itself is asked for the set it was made of; and equal rows have equal labels,
so an imported set is as weak as the one that it was exported from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from simtune_core.datasets import DatasetVersion, find_dataset
from simtune_core.errors import WorkspaceError
from simtune_core.findings import Finding, finding
from simtune_core.workspace import Workspace

WEAK_LABELS = "weak_labels"  # code of the finding
_FROM_OUTSIDE = ("import", "sample")  # the source of such a set is no dataset
_SAMPLE = "positive = the same incident of the generator that wrote the sample"
_IMPORTED = "labels as imported; where they come from was not said"
_UNTOLD = "where the labels come from was not said"


@dataclass(frozen=True, slots=True)
class LabelOrigin:
    """Where the labels of a pair set come from.

    Attributes:
        ref: The set that was asked about, `name@v0001`.
        weak: True where a rule made them, False where they are known, None where nothing is said of it.
        words: What makes a pair positive or negative, or what is not known; plain text that may quote a user.
        told_by: The version whose manifest says so, the set itself or one it was made of; None where none does.
    """

    ref: str
    weak: bool | None
    words: str
    told_by: str | None = None

    @property
    def sentence(self) -> str:
        """Return the origin as one sentence, ending in a full stop."""
        if self.weak is None:
            return f"{self.ref}: {self.words}."
        kind = "weak labels, made by a rule and by no person" if self.weak else "labels"
        return f"{self.ref} has {kind}: {self.words.rstrip(' .')}."


def label_origin(workspace: Workspace, ref: str) -> LabelOrigin:
    """Return where the labels of a pair set come from, as it or the nearest set it was made of tells.

    Args:
        workspace: Where the set lies.
        ref: Any form of reference; a split has the origin of the whole.

    Raises:
        WorkspaceError: If there is no such pair set.
    """
    return origin_of(workspace, find_dataset(workspace, ref, kind="pairs")[0])


def origin_of(workspace: Workspace, asked: DatasetVersion) -> LabelOrigin:
    """Return what `label_origin` does for a version of a pair set that was read already; what is gone is told."""
    waiting, passed, words = [asked], {asked.ref}, _UNTOLD
    while waiting:
        version = waiting.pop(0)
        provenance = version.manifest["provenance"]
        told = _told(provenance)
        if told is not None:
            return LabelOrigin(asked.ref, told.weak, told.words, version.ref)
        if provenance.get("made_by") in _FROM_OUTSIDE:
            words, sources = _IMPORTED, find_equal(workspace, version)
        else:
            words, sources = _sources(workspace, provenance.get("source"))
        waiting += [each for each in sources if each.ref not in passed]
        passed |= {each.ref for each in sources}
    return LabelOrigin(asked.ref, None, words)


def weak_label_findings(workspace: Workspace, refs: Iterable[str | None]) -> list[Finding]:
    """Return a finding for each of several pair sets whose labels are weak; None among them is passed over.

    Raises:
        WorkspaceError: If one of them is no pair set of the workspace.
    """
    origins = {origin.ref: origin for origin in (label_origin(workspace, ref) for ref in refs if ref)}
    return [
        finding(
            WEAK_LABELS,
            "info",
            f"{origin.sentence} Every number here tells how well that rule is met, not how well people agree.",
        )
        for origin in origins.values()
        if origin.weak
    ]


def find_equal(workspace: Workspace, version: DatasetVersion) -> list[DatasetVersion]:
    """Return the other versions of the workspace that hold the very same rows, such as what was exported before."""
    folders = workspace.datasets.glob(f"*/v*-{version.content_id[:8]}")
    refs = (f"{folder.parent.name}@{folder.name.partition('-')[0]}" for folder in sorted(folders))
    found = [_readable(workspace, ref) for ref in refs if ref != version.ref]
    return [each for each in found if each is not None and each.content_id == version.content_id]


class _Told(NamedTuple):
    weak: bool | None
    words: str


def _told(provenance: Mapping[str, Any]) -> _Told | None:
    """Return what a manifest itself says of its labels; None if it says nothing."""
    labels = provenance.get("labels")
    if isinstance(labels, dict) and isinstance(weak := labels.get("weak"), bool | None):
        words = str(labels.get("words") or "").strip()
        if words or weak is not None:
            return _Told(weak, words or f"{'by which rule' if weak else 'by whom'} was not said")
    return _Told(weak=False, words=_SAMPLE) if provenance.get("made_by") == "sample" else None


def _sources(workspace: Workspace, source: Any) -> tuple[str, list[DatasetVersion]]:
    """Return what is not known if the set that a derived one was made of does not tell it either, and that set."""
    if not isinstance(source, str):
        return _UNTOLD, []
    found = _readable(workspace, source)
    if found is None:
        return f"{_UNTOLD}, and {source}, which it was made of, is no pair set here", []
    return _UNTOLD, [found]


def _readable(workspace: Workspace, ref: str) -> DatasetVersion | None:
    try:
        return find_dataset(workspace, ref, kind="pairs")[0]
    except WorkspaceError:
        return None

"""What the tab Mine and the command `mine` ask for: readings of candidates, and mined pair sets; and what they show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from simtune_core.candidates.config import CandidatesConfig
from simtune_core.curriculum.mining.config import (
    CONFIGS,
    AdversarialConfig,
    AnchoredConfig,
    CrossCategoryConfig,
    Method,
    require_veto,
)
from simtune_core.curriculum.mining.job import SCORES, read_scores
from simtune_core.datasets import canonical_ref, find_dataset, load_details, load_pairs
from simtune_core.difficulty.separability import side_from_json
from simtune_core.encoders.catalogue import TFIDF
from simtune_core.encoders.config import EncodingConfig, Precision
from simtune_core.errors import ConfigError, WorkspaceError
from simtune_core.figures.histograms import SetBins
from simtune_core.jobs.launcher import find_equal, read_job, read_result
from simtune_core.jobs.states import JobStatus
from simtune_core.settings import Settings
from simtune_core.workflows.hardness import Form, common_bins, in_words
from simtune_core.workflows.requests import Request, candidates_request, named_encoder, require_free_dataset
from simtune_core.workflows.running import run_to_end
from simtune_core.workspace import Workspace

Draw = Callable[[JobStatus], None]


@dataclass(frozen=True, slots=True)
class AnchoredSources:
    """What negatives for anchors are mined from.

    Attributes:
        pairs: The pair set whose positives get negatives.
        records: Where negatives are taken from; None for the texts of the pair set itself.
        space: The encoder that ranks candidates, and its precision, which is that of all models here.
        baseline: The encoder that the mined pairs are to be hard for.
        test: The pair set to compare with; its records stay out.
        apart: More pair sets to share no record with.
        veto: A second encoder or a cross-encoder that drops likely false negatives.
    """

    pairs: str
    records: str | None
    space: EncodingConfig
    baseline: str
    test: str | None = None
    apart: tuple[str, ...] = ()
    veto: str | None = None


@dataclass(frozen=True, slots=True)
class CountedSources:
    """What pairs are mined from that a model errs on, or that lie across categories.

    Attributes:
        candidates: Id of the job that counted the candidates.
        readings: Id of the job in which the model read them.
        veto: A second encoder or a cross-encoder that drops likely false negatives.
        precision: Number format of the veto.
    """

    candidates: str
    readings: str
    veto: str | None = None
    precision: Precision = EncodingConfig.model_fields["precision"].default


def records_behind(workspace: Workspace, pairs: str) -> str | None:
    """Return the name of the records that a pair set was made of, as its manifest and its ancestors' tell.

    Args:
        workspace: Where they lie.
        pairs: The pair set, in any form of reference.

    Returns:
        The dataset's name; None where nothing tells, or the records are not there any more.

    Raises:
        WorkspaceError: If there is no such pair set.
    """
    version, _ = find_dataset(workspace, pairs, kind="pairs")
    passed: set[str] = set()
    while version.ref not in passed:
        passed.add(version.ref)
        provenance = version.manifest["provenance"]
        told = (provenance.get("step") or {}).get("records") or provenance.get("source")
        try:
            version, _ = find_dataset(workspace, str(told))
        except WorkspaceError:  # imported, or deleted
            return None
        if version.kind == "records":
            return version.name
    return None


def readings_request(workspace: Workspace, candidates: str, encoding: EncodingConfig) -> Request:
    """Ask what an encoder makes of the sampled candidates; `candidates` is the id of their job."""
    encoder = named_encoder(workspace, encoding.encoder)
    params = {
        "candidates": candidates,
        "encoder": encoder["name"],
        "precision": encoding.precision,
        "fingerprints": [encoder],
    }
    return Request("readings", params, f"Read the candidates {candidates} with {encoding.encoder}")


def anchored_request(
    workspace: Workspace, sources: AnchoredSources, config: AnchoredConfig, name: str, *, new_version: bool = False
) -> Request:
    """Ask for negatives near the anchors of a pair set.

    Raises:
        ConfigError: If a veto lacks its model or its bound.
        WorkspaceError: If a set is not there, or another dataset has the name and no new version is asked for.
        EncoderError: If an encoder is not there.
    """
    require_veto(config, sources.veto)
    pairs = canonical_ref(workspace, sources.pairs, "pairs")
    test = canonical_ref(workspace, sources.test, "pairs") if sources.test else None
    apart = {canonical_ref(workspace, each, "pairs") for each in sources.apart} | ({test} if test else set())
    named = {
        role: named_encoder(workspace, encoder)
        for role, encoder in (("space", sources.space.encoder), ("baseline", sources.baseline), ("veto", sources.veto))
        if encoder
    }
    params = {
        "method": "anchored",
        "pairs": pairs,
        "records": canonical_ref(workspace, sources.records) if sources.records else None,
        "encoder": named["space"]["name"],
        "precision": sources.space.precision,
        "baseline": named["baseline"]["name"],
        "test": test,
        "apart": sorted(apart),
        "veto": named["veto"]["name"] if "veto" in named else None,
        "config": config.model_dump(mode="json"),
        "models": sorted({each["name"] for each in named.values()}),
    }
    fingerprints = list({each["name"]: each for each in named.values()}.values())
    title = f"Mine negatives for {pairs}"
    return _named(workspace, Request("mine", params | {"fingerprints": fingerprints}, title), name, new=new_version)


def counted_request(
    workspace: Workspace,
    sources: CountedSources,
    config: AdversarialConfig | CrossCategoryConfig,
    name: str,
    *,
    new_version: bool = False,
) -> Request:
    """Ask for pairs that a model errs on, or for positives across categories, as the settings' class says.

    Raises:
        ConfigError: If a veto lacks its model or its bound.
        WorkspaceError: If another dataset has the name and no new version is asked for.
        EncoderError: If the veto is not there.
    """
    if isinstance(config, AdversarialConfig):
        require_veto(config, sources.veto)
    veto = named_encoder(workspace, sources.veto) if sources.veto else None
    params = {
        "method": "adversarial" if isinstance(config, AdversarialConfig) else "cross_category",
        "candidates": sources.candidates,
        "readings": sources.readings,
        "precision": sources.precision,
        "veto": veto["name"] if veto else None,
        "config": config.model_dump(mode="json"),
        "models": [veto["name"] if veto else TFIDF],
        "fingerprints": [veto] if veto else [],
    }
    title = f"Mine {config.strategy} pairs" if isinstance(config, AdversarialConfig) else "Mine across categories"
    return _named(workspace, Request("mine", params, title), name, new=new_version)


def _named(workspace: Workspace, request: Request, name: str, *, new: bool) -> Request:
    named = Request(request.kind, request.params | {"name": name, "new_version": new}, f"{request.title} as {name}")
    if not new and find_equal(workspace, named.kind, named.params) is None:
        require_free_dataset(workspace, name)
    return named


class MineStep(Settings):
    """A mining as provenance keeps it, to be run again."""

    do: Literal["mine"]
    method: Method
    encoder: str
    baseline: str
    precision: Precision
    config: dict[str, Any]
    pairs: str | None = None
    records: str | None = None
    test: str | None = None
    apart: tuple[str, ...] = ()
    veto: str | None = None
    candidates: CandidatesConfig | None = None
    baseline_precision: Precision = EncodingConfig.model_fields["precision"].default
    veto_precision: Precision = EncodingConfig.model_fields["precision"].default
    gives: str | None = None

    def again(self, workspace: Workspace, name: str, draw: Draw | None = None) -> dict[str, Any]:
        """Mine again, as a new version of a dataset; pairs are counted and read first where that is needed.

        Args:
            workspace: Where the inputs are.
            name: The dataset.
            draw: Called with the status of the job that runs.

        Raises:
            ConfigError: If the step lacks what its method needs, or a setting is out of its bounds.
        """
        config: Any = CONFIGS[self.method](**self.config)
        space = EncodingConfig(encoder=self.encoder, precision=self.precision)
        if self.method == "anchored":
            asked = anchored_request(workspace, self._anchored(space), config, name, new_version=True)
        else:
            if self.records is None or self.candidates is None:
                raise ConfigError("A step that mines counted candidates must name its records and how to count them.")
            counting = candidates_request(
                workspace, self.records, space, config=self.candidates, test=self.test, apart=list(self.apart)
            )
            reading = EncodingConfig(encoder=self.baseline, precision=self.baseline_precision)
            counted = count_and_read(workspace, counting, reading, draw)
            sources = replace(counted, veto=self.veto, precision=self.veto_precision)
            asked = counted_request(workspace, sources, config, name, new_version=True)
        return run_to_end(workspace, asked, on_update=draw)[1]

    def _anchored(self, space: EncodingConfig) -> AnchoredSources:
        if self.pairs is None:
            raise ConfigError("A step that mines for anchors must name its pairs.")
        return AnchoredSources(self.pairs, self.records, space, self.baseline, self.test, self.apart, self.veto)


def count_and_read(
    workspace: Workspace, counting: Request, reading: EncodingConfig, draw: Draw | None = None
) -> CountedSources:
    """Run the job that counts candidates and the one that reads them, or find both done, and return their ids."""
    counted, _ = run_to_end(workspace, counting, on_update=draw)
    read, _ = run_to_end(workspace, readings_request(workspace, counted.id, reading), on_update=draw)
    return CountedSources(counted.id, read.id)


def mined_bins(result: dict[str, Any]) -> list[SetBins]:
    """Return the histograms of what was mined and of the test pairs, in the model's cosine, on common bins."""
    sides = [side_from_json(each) for each in (result["baseline"], result["test"]) if each is not None]
    names = [result["dataset"], *([result["test"]["ref"]] if result["test"] else [])]
    return [SetBins(name, bins) for name, bins in zip(names, common_bins(sides), strict=True)]


def number_rows(result: dict[str, Any]) -> list[dict[str, str]]:
    """Return what the model makes of the mined pairs and of the test pairs, in words, a measure a row."""
    sets = {"mined": result["baseline"], **({"test": result["test"]} if result["test"] else {})}
    return [
        {"measure": label, **{name: in_words(side[value], form) for name, side in sets.items()}}
        for label, form, value in _NUMBERS
    ]


def example_rows(workspace: Workspace, job_id: str, *, worst_first: bool, n: int = 50) -> pd.DataFrame:
    """Return mined pairs to read.

    Args:
        workspace: Where the job is.
        job_id: A `mine` job that is done.
        worst_first: Whether the model's worst errors come first (negatives that it finds most similar, positives that
            it finds least); otherwise the order of the set, in which an anchor's pairs stand together.
        n: How many at most.

    Returns:
        Columns `label, model, similarity, role, sentence1, sentence2, category1, category2`.

    Raises:
        SimtuneError: If the job, its scores or the set are not there any more.
    """
    result, folder = read_result(workspace, job_id), read_job(workspace, job_id).folder
    frame, details = load_pairs(workspace, result["dataset"]).frame, load_details(workspace, result["dataset"])
    scores = read_scores(folder / SCORES)
    if details is None or len(scores) != len(frame):
        raise WorkspaceError(f"{result['dataset']} is not as it was mined; mine the pairs again.")
    error = np.where(frame["label"] == 1, 1 - scores, scores)
    rows = np.argsort(-error, kind="stable")[:n] if worst_first else np.arange(min(n, len(frame)))
    shown = frame.iloc[rows][["label", "sentence1", "sentence2", "category1", "category2"]].reset_index(drop=True)
    shown["label"] = np.where(shown["label"] == 1, "positive", "negative")
    shown.insert(1, "model", scores[rows].astype(float))
    shown.insert(2, "similarity", details["similarity"].to_numpy()[rows])
    shown.insert(3, "role", details["role"].str.replace("_", " ").to_numpy()[rows])
    return shown


_NUMBERS: tuple[tuple[str, Form, str], ...] = (
    ("pairs", "count", "n_pairs"),
    ("share of positives", "share", "prevalence"),
    ("ROC-AUC", "number", "roc_auc"),
    ("separability", "number", "separability"),
    ("overlap", "share", "overlap"),
    ("positive mean", "number", "positive_mean"),
    ("negative mean", "number", "negative_mean"),
)

"""What a page or a command asks for, as the job that answers it: checked names in, kind and params out.

Two requests with equal params are equal work and share one job: references are made canonical and encoders carry their
fingerprint, so that a changed file is never mistaken for the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simtune_core.adapters.checks import latest_checks
from simtune_core.candidates.config import CandidatesConfig
from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.datasets import canonical_ref, find_dataset, list_versions
from simtune_core.difficulty.config import MismatchConfig
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.config import EncodingConfig
from simtune_core.encoders.imported import IMPORTED
from simtune_core.errors import DataFaultError, EncoderError, WorkspaceError
from simtune_core.files import NAME_PATTERN, valid_name
from simtune_core.jobs.launcher import find_equal
from simtune_core.training.artifacts import MANIFEST, read_manifest
from simtune_core.training.config import TrainingConfig
from simtune_core.workspace import Workspace

_DIFFICULTY_FORM = 2  # of a difficulty result: one of an earlier form lacks numbers that are shown now


@dataclass(frozen=True, slots=True)
class Request:
    """One job that has not been started.

    Attributes:
        kind: Its kind.
        params: What the kind is given; JSON.
        title: What a person reads in a list of jobs.
    """

    kind: str
    params: dict[str, Any]
    title: str


def embed_request(workspace: Workspace, dataset: str, encoding: EncodingConfig) -> Request:
    """Ask for the vectors of every text of a set."""
    ref = canonical_ref(workspace, dataset)
    encoder = named_encoder(workspace, encoding.encoder)
    if encoder["name"] == "tfidf":
        raise EncoderError("TF-IDF needs no embedding; it is fitted on the texts being looked at. Choose an encoder.")
    if encoder.get("loads_model") is False:
        raise EncoderError(f"{encoder['name']} needs no embedding: what it knows was computed elsewhere and imported.")
    params = {"set": ref, "encoder": encoder["name"], "precision": encoding.precision, "fingerprints": [encoder]}
    return Request("embed", params, f"Embed {ref} with {encoding.encoder}")


def difficulty_request(
    workspace: Workspace, dataset: str, against: str | None, encoding: EncodingConfig, *, score_cut: float
) -> Request:
    """Ask how hard one or two pair sets are in an encoder's space."""
    ref = canonical_ref(workspace, dataset, "pairs")
    other = canonical_ref(workspace, against, "pairs") if against else None
    encoder = named_encoder(workspace, encoding.encoder)
    params = {
        "set": ref,
        "against": other,
        "encoder": encoder["name"],
        "precision": encoding.precision,
        "score_cut": score_cut,
        "form": _DIFFICULTY_FORM,
        "fingerprints": [encoder],
    }
    title = f"Difficulty of {ref}" + (f" against {other}" if other else "") + f" with {encoding.encoder}"
    return Request("difficulty", params, title)


def mismatch_request(
    workspace: Workspace,
    dataset: str,
    against: str,
    encoding: EncodingConfig,
    *,
    score_cut: float,
    config: MismatchConfig | None = None,
) -> Request:
    """Ask how much two pair sets differ in an encoder's space, each difference with its interval.

    Raises:
        DataFaultError: If both are the same set.
    """
    refs = [canonical_ref(workspace, ref, "pairs") for ref in (dataset, against)]
    if refs[0] == refs[1]:
        raise DataFaultError(f"A difference needs two pair sets; both are {refs[0]}.")
    chosen = config or MismatchConfig()
    encoder = named_encoder(workspace, encoding.encoder)
    params = {
        "set": refs[0],
        "against": refs[1],
        "encoder": encoder["name"],
        "precision": encoding.precision,
        "score_cut": score_cut,
        "n_resamples": chosen.n_resamples,
        "seed": chosen.seed,
        "fingerprints": [encoder],
    }
    return Request("mismatch", params, f"Intervals of {refs[0]} minus {refs[1]} with {encoding.encoder}")


def candidates_request(
    workspace: Workspace,
    records: str,
    encoding: EncodingConfig,
    *,
    config: CandidatesConfig,
    test: str | None = None,
    apart: Sequence[str] | None = None,
) -> Request:
    """Ask for the counts of all pairs of records, or of the pairs of a pair set.

    Args:
        workspace: Where everything lies.
        records: Records, or a pair set whose own labelled pairs are counted.
        encoding: The space.
        config: How pairs are counted and sampled.
        test: The pair set that a curriculum is to resemble; scored in the same space.
        apart: Pair sets that no candidate may share a record or a nearly equal text with; by default the test set.

    Raises:
        DataFaultError: If there are fewer than two records: every other set has pairs that some rule labels.
    """
    version, _ = find_dataset(workspace, records)
    if version.kind == "records" and version.n_rows < 2:
        raise DataFaultError(f"{version.ref} must hold at least two records to pair, got {version.n_rows}.")
    ref = canonical_ref(workspace, records)
    resembled = canonical_ref(workspace, test, "pairs") if test else None
    if apart is None:
        apart = [resembled] if resembled else []
    encoder = named_encoder(workspace, encoding.encoder)
    params = {
        "records": ref,
        "encoder": encoder["name"],
        "precision": encoding.precision,
        "test": resembled,
        "apart": sorted({canonical_ref(workspace, each, "pairs") for each in apart}),
        **config.model_dump(),
        "fingerprints": [encoder],
    }
    return Request("candidates", params, f"Count candidates of {ref} with {encoding.encoder}")


def curriculum_request(
    workspace: Workspace, candidates: str, config: dict[str, Any], name: str, *, new_version: bool = False
) -> Request:
    """Ask for a pair set in phases, drawn from counted candidates.

    Args:
        workspace: Where they lie.
        candidates: The id of the job that counted them.
        config: The settings of CurriculumConfig that were chosen, as JSON.
        name: Of the pair set.
        new_version: Whether a taken name gets a new version.

    Raises:
        ConfigError: If a setting is out of bounds.
        WorkspaceError: If another dataset has the name; the one that an equal request made is no other.
    """
    chosen = CurriculumConfig(**config).model_dump(mode="json")
    params = {"candidates": candidates, "config": chosen, "name": name, "new_version": new_version}
    if not new_version and find_equal(workspace, "curriculum", params) is None:
        require_free_dataset(workspace, name)
    return Request("curriculum", params, f"Curriculum {name}")


def train_request(
    workspace: Workspace, train: str, dev: str, *, base: str, config: dict[str, Any], name: str | None
) -> Request:
    """Ask for a training; `config` holds the TrainingConfig's settings that were chosen, as JSON."""
    refs = [canonical_ref(workspace, ref, "pairs") for ref in (train, dev)]
    if refs[0] == refs[1]:
        raise DataFaultError(f"The dev pairs must be other pairs than the training pairs; both are {refs[0]}.")
    encoder = named_encoder(workspace, base)
    if resolve_encoder(workspace, base).kind != "transformer":
        raise EncoderError(f"Training starts from a transformer such as minilm, a folder or a hub id; got {base!r}.")
    if name is not None and workspace.model(name).exists():
        raise WorkspaceError(f"The name {name!r} is taken by another model; choose another name.")
    chosen = TrainingConfig(**config)
    params = {
        "train": refs[0],
        "dev": refs[1],
        "base": encoder["name"],
        "method": chosen.method,
        "config": config,
        "name": name,
        "precision": chosen.precision,
        "fingerprints": [encoder],
    }
    return Request("train", params, f"Train {name or chosen.method} on {refs[0]}")


def diagnose_request(workspace: Workspace, model: str, base: str | None = None) -> Request:
    """Ask whether a tuned model's adapter or head is applied; `base`, if given, must be the one it was tuned from."""
    if not (workspace.model(model) / MANIFEST).exists():
        raise EncoderError(f"Only a model tuned in this workspace can be diagnosed, and {model!r} is none.")
    manifest = read_manifest(workspace.model(model))
    if base is not None and resolve_encoder(workspace, base).fingerprint != manifest.base_fingerprint:
        raise EncoderError(f"{model} was tuned from {manifest.base}, and {base} has another fingerprint.")
    return Request("diagnose", {"model": model}, f"Diagnose {model}")


def evaluate_request(
    workspace: Workspace,
    dataset: str,
    encoders: Sequence[str],
    *,
    threshold_from: str | None,
    precision: str,
    config: dict[str, Any],
) -> Request:
    """Ask for the metrics of encoders on one pair set.

    Args:
        workspace: Where everything lies.
        dataset: The pairs to judge on.
        encoders: Names; the first is the baseline that the others are compared with. Repeats are dropped.
        threshold_from: The pairs to choose thresholds on; None chooses them on the judged pairs, which is said.
        precision: Number format of the encoders.
        config: An EvaluationConfig as JSON.
    """
    names = list(dict.fromkeys(encoders))
    ref = canonical_ref(workspace, dataset, "pairs")
    dev = canonical_ref(workspace, threshold_from, "pairs") if threshold_from else None
    if dev == ref:
        raise DataFaultError(f"The threshold must be chosen on other pairs than it is judged on; both are {ref}.")
    resolved = [named_encoder(workspace, name) for name in names]
    params = {
        "set": ref,
        "encoders": [encoder["name"] for encoder in resolved],
        "baseline": resolved[0]["name"],
        "threshold_from": dev,
        "precision": precision,
        "fingerprints": resolved,
        "checked": {name: checked for name in names if (checked := _last_check(workspace, name)) is not None},
        **config,
    }
    return Request("evaluate", params, f"Evaluate {', '.join(names)} on {ref}")


def named_encoder(workspace: Workspace, name: str) -> dict[str, Any]:
    """Return an encoder's name and fingerprint, as the params of every request hold them.

    Of an imported one they tell that it loads no model, so that its jobs wait for no device.
    """
    encoder = resolve_encoder(workspace, name)
    named: dict[str, Any] = {"name": encoder.name, "fingerprint": encoder.fingerprint}
    return named | ({"loads_model": False} if encoder.kind in IMPORTED else {})


def _last_check(workspace: Workspace, name: str) -> float | None:
    """Return when a tuned model was checked last: a newer check is a reason to judge it again."""
    if not NAME_PATTERN.fullmatch(name) or not workspace.model(name).is_dir():
        return None
    report = latest_checks(workspace, name)
    return report.created if report else None


def require_free_dataset(workspace: Workspace, name: str) -> None:
    """Refuse a name for a dataset that another one has.

    Raises:
        WorkspaceError: If it is taken or not allowed.
    """
    if list_versions(workspace, valid_name(name, "dataset name")):
        raise WorkspaceError(f"The name {name!r} is taken by another dataset; choose another name.")

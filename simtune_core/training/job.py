"""The job kind `train`: pairs and settings in, a saved and checked model out."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.adapters.checks import findings_of
from simtune_core.adapters.job import diagnose, result_of
from simtune_core.datasets import load_pairs
from simtune_core.encoders.catalogue import Encoder, resolve_encoder
from simtune_core.errors import ConfigError, TrainingError, WorkspaceError
from simtune_core.evaluation.metrics import roc_auc, spearman
from simtune_core.files import read_json
from simtune_core.jobs.context import Job
from simtune_core.labels import weak_label_findings
from simtune_core.pairs import PairSet
from simtune_core.training.artifacts import save_full, save_head, save_lora, write_model
from simtune_core.training.card import model_card
from simtune_core.training.config import HEAD_PENALTIES, TrainingConfig
from simtune_core.training.dev import DevScore
from simtune_core.training.head import HeadEpoch, HeadFit, IndexedPairs, fit_head, indexed_pairs, pair_cosines
from simtune_core.training.ledger import LedgerLine, differences, fact, line
from simtune_core.training.recipe import Trained, train
from simtune_core.training.resuming import forget_checkpoints
from simtune_core.training.truncation import Truncation


@dataclass(frozen=True, slots=True)
class _Request:
    """What was asked for, resolved."""

    model_id: str
    base: Encoder
    train: PairSet
    dev: PairSet
    config: TrainingConfig


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one method gives back, whichever it was."""

    save: Callable[[Path], None]
    trained: bool
    max_seq_length: int
    dev: dict[str, Any]
    baseline_dev: dict[str, Any]
    ledger: tuple[LedgerLine, ...]
    stopped: bool
    kept: str  # which weights a stopped run holds, as the end of a sentence


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Train one model.

    Args:
        params: `train` and `dev` (references of pair sets), `base` (an encoder's name), `config` (settings by name),
            optionally `method` and `precision` (win over the config's absence, must not contradict it) and `name`.
        job: Where the run is reported.

    Returns:
        `model_id, kind, base, trained, stopped, dev, baseline_dev, ledger, checks, status, layers, n_train, n_dev,
        wall_seconds, findings`.

    Raises:
        TrainingError: If the method cannot learn from these pairs, or the loss is no longer a number.
    """
    started = time.monotonic()
    request = _resolve(params, job)
    _warn_before(request, job)
    outcome = _run_head(request, job) if request.config.method == "head" else _run_recipe(request, job)
    for entry in outcome.ledger:
        job.ledger(entry.name, entry.as_dict())
    _warn_after(outcome, job)
    ledger = [entry.as_dict() for entry in outcome.ledger]
    _save(request, outcome, ledger, job)
    report = diagnose(request.model_id, job)
    if not outcome.stopped:
        forget_checkpoints(job)
    alerts = [{key: alert[key] for key in ("code", "severity", "message")} for alert in job.alerts]
    return {
        **result_of(report),
        "kind": request.config.method,
        "base": request.base.name,
        "trained": outcome.trained,
        "stopped": outcome.stopped,
        "dev": outcome.dev,
        "baseline_dev": outcome.baseline_dev,
        "ledger": ledger,
        "config": request.config.effective().model_dump(mode="json"),
        "n_train": len(request.train),
        "n_dev": len(request.dev),
        "wall_seconds": round(time.monotonic() - started, 2),
        "findings": alerts + findings_of(report),
    }


def _resolve(params: dict[str, Any], job: Job) -> _Request:
    config = _config(params)
    base = resolve_encoder(job.workspace, params["base"])
    if base.kind != "transformer":
        raise TrainingError(
            f"Training starts from an untuned transformer, got {base.name}, which is {base.kind}. Choose minilm, a "
            "folder or a hub id."
        )
    model_id = _model_id(params, config, job)
    train_pairs, dev_pairs = (load_pairs(job.workspace, params[side]) for side in ("train", "dev"))
    for side in (train_pairs, dev_pairs):
        if len(side) == 0:
            raise TrainingError(f"A pair set must hold at least one pair to train with, {side.ref} holds none.")
    return _Request(model_id, base, train_pairs, dev_pairs, config)


def _model_id(params: dict[str, Any], config: TrainingConfig, job: Job) -> str:
    """Return the name asked for, else one made up; a continued run counts on where the run before has the name."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    asked = params.get("name") or f"{config.method}-{stamp}-{secrets.token_hex(2)}"
    if not job.workspace.model(asked).exists():
        return asked
    if job.continues is None:
        raise WorkspaceError(f"Model {asked} exists already and nothing is overwritten; choose another name.")
    numbered = (f"{asked}-{number}" for number in count(2))
    return next(name for name in numbered if not job.workspace.model(name).exists())


def _config(params: dict[str, Any]) -> TrainingConfig:
    values = dict(params.get("config") or {})
    for name in ("method", "precision"):
        asked = params.get(name)
        if asked is not None and values.setdefault(name, asked) != asked:
            raise ConfigError(f"{name} is asked for twice: {asked} beside the settings and {values[name]} in them.")
    return TrainingConfig(**values)


def _warn_before(request: _Request, job: Job) -> None:
    records, texts = _shared(request.train, request.dev)
    if records or texts:
        job.alert(
            "T001",
            f"{records} records and {texts} texts are in both {request.train.ref} and {request.dev.ref}; dev numbers "
            "are too good and the step they choose may be wrong. Split by record, and equal texts together.",
        )
    for weak in weak_label_findings(job.workspace, [request.train.ref, request.dev.ref]):
        job.alert(weak["code"], weak["message"], severity=weak["severity"])
    if unused := request.config.unused():
        job.alert("T002", f"{', '.join(unused)} was set, but {request.config.method} does not use it.", severity="info")


def _shared(train_pairs: PairSet, dev_pairs: PairSet) -> tuple[int, int]:
    """Return how many records, told by their ids, and how many texts, letter for letter, are in both sets."""
    known, held_out = ({*first, *second} for first, second in (train_pairs.record_ids(), dev_pairs.record_ids()))
    return len(known & held_out), len({*train_pairs.unique_texts()} & {*dev_pairs.unique_texts()})


def _warn_after(outcome: _Outcome, job: Job) -> None:
    for sentence in differences(outcome.ledger):
        if not outcome.stopped:
            job.alert("T003", f"What ran is not what was asked. {sentence}")
    metric = outcome.dev["metric"]
    tuned, baseline = outcome.dev[metric], outcome.baseline_dev[metric]
    if tuned is not None and baseline is not None and tuned < baseline:
        job.alert(
            "T004",
            f"On dev the best step is below the untouched base: {metric} {tuned:.3f} against {baseline:.3f}. Keep the "
            "base, or change the pairs, the loss or the learning rate.",
        )
    if not outcome.trained:
        job.alert(
            "T005", "No map was better on dev than the untouched base, so the head is the identity.", severity="info"
        )
    if outcome.stopped:
        job.alert("T006", f"The run was stopped {outcome.kept}.", severity="info")


def _run_head(request: _Request, job: Job) -> _Outcome:
    from simtune_core.encoders.embedding import embed

    config = request.config
    texts = list(dict.fromkeys([*request.train.unique_texts(), *request.dev.unique_texts()]))
    made = embed(job.workspace, request.base, texts, precision=config.precision, progress=job.progress)
    row = {text: number for number, text in enumerate(texts)}
    dev_rows = indexed_pairs(request.dev, row)
    labels = request.dev.labels(config.score_cut)
    identity = np.eye(made.vectors.shape[1], dtype=np.float32)
    baseline = _head_score(pair_cosines(made.vectors, identity, dev_rows), dev_rows, labels, step=0)
    if baseline.value is not None:
        job.metric(f"dev_{baseline.metric}", baseline.value, step=0)
    fit = fit_head(
        made.vectors, indexed_pairs(request.train, row), dev_rows, config, on_epoch=_epoch_reporter(config, job)
    )
    return _Outcome(
        save=lambda folder: save_head(folder, fit.weight),
        trained=fit.trained,
        max_seq_length=_max_seq_length(request.base),
        dev=_head_score(pair_cosines(made.vectors, fit.weight, dev_rows), dev_rows, labels, step=fit.epoch).as_dict(),
        baseline_dev=baseline.as_dict(),
        ledger=(*_head_ledger(request, fit), fact("precision", made.precision), fact("embedded_now", made.n_computed)),
        stopped=fit.stopped,
        kept=f"after pass {len(fit.history)}; the model holds the best map on dev until then",
    )


def _head_ledger(request: _Request, fit: HeadFit) -> tuple[LedgerLine, ...]:
    config = request.config
    return (
        line("learning_rate", config.peak_learning_rate, max(done.learning_rate for done in fit.history)),
        fact("learning_rate_source", config.source("learning_rate")),
        line("passes", config.max_epochs * len(HEAD_PENALTIES), len(fit.history)),
        line("pairs", len(request.train), fit.history[-1].n_pairs),
        fact("trainable_parameters", fit.weight.size + 2),  # W, and scale and bias of the cosine
        fact("penalty_kept", fit.penalty),
        fact("weights_kept", f"epoch {fit.epoch}, best on dev" if fit.trained else "the identity: the untouched base"),
        fact("seed", config.seed),
    )


def _head_score(scores: NDArray[np.float32], dev: IndexedPairs, labels: NDArray[np.int8], *, step: int) -> DevScore:
    return DevScore(step, roc_auc(scores, labels), spearman(scores, dev.targets), len(labels), dev.graded)


def _epoch_reporter(config: TrainingConfig, job: Job) -> Callable[[HeadEpoch], bool]:
    total = config.max_epochs * len(HEAD_PENALTIES)

    def report(done: HeadEpoch) -> bool:
        phase = f"lambda {done.penalty:g}"
        if done.epoch == 1:
            job.phase(phase, step=done.step - 1)
        job.metric("loss", done.loss, step=done.step, epoch=done.epoch, phase=phase)
        job.metric("learning_rate", done.learning_rate, step=done.step, epoch=done.epoch, phase=phase)
        job.metric(f"dev_{done.metric}", done.dev_metric, step=done.step, epoch=done.epoch, phase=phase)
        job.progress(done.step, total, f"head, {phase}, epoch {done.epoch}")
        return job.stop_requested

    return report


def _max_seq_length(base: Encoder) -> int:
    """Return the base's own limit in tokens: a head changes nothing about how texts are read."""
    from simtune_core.encoders.loading import load_model

    stated = base.folder / "sentence_bert_config.json" if base.folder else None
    if stated and stated.exists() and (limit := read_json(stated).get("max_seq_length")):
        return int(limit)
    return int(load_model(base).max_seq_length or 512)


def _run_recipe(request: _Request, job: Job) -> _Outcome:
    done = train(request.base, request.train, request.dev, request.config, job)
    if done.n_dropped:
        job.alert(
            "T007",
            f"{done.n_dropped} of {len(request.train)} training pairs were left out: {request.config.loss} learns from "
            "similar pairs alone.",
            severity="info",
        )
    _warn_of_cut_texts(done.truncation, job)
    return _Outcome(
        save=lambda folder: _save_recipe(request, done, folder),
        trained=True,
        max_seq_length=int(done.model.max_seq_length or request.config.max_seq_length),
        dev=done.dev.as_dict(),
        baseline_dev=done.baseline.as_dict(),
        ledger=done.ledger,
        stopped=done.stopped,
        kept=_kept(done),
    )


def _warn_of_cut_texts(cut: Truncation, job: Job) -> None:
    if cut.n_cut > cut.n_cut_by_base:
        job.alert(
            "T008",
            f"{cut.n_cut} of {cut.n_texts} texts are longer than the {cut.limit} tokens that this run reads; the base "
            f"reads {cut.base_limit}. The dev numbers, the untouched base's too, are of the cut texts, while an "
            f"evaluation reads the base at its own length. Set max_seq_length to {cut.base_limit} to compare alike.",
        )


def _kept(done: Trained) -> str:
    held = f"after step {done.n_steps}; the model holds the weights of step {done.dev.step}"
    if done.dev.scored:
        return f"{held}, the best on dev until then"
    return f"{held}, which was never scored on dev: evaluate it before use"


def _save_recipe(request: _Request, done: Trained, folder: Path) -> None:
    if request.config.method == "lora":
        save_lora(folder, done.model, base=request.base.name)
    else:
        save_full(folder, done.model)


def _save(request: _Request, outcome: _Outcome, ledger: list[dict[str, Any]], job: Job) -> None:
    config = request.config.effective().model_dump(mode="json")
    facts = {
        "model_id": request.model_id,
        "kind": request.config.method,
        "base": request.base.name,
        "base_fingerprint": request.base.fingerprint,
        "max_seq_length": outcome.max_seq_length,
        "trained": outcome.trained,
        "job": job.id,
        "train": request.train.ref,
        "dev": request.dev.ref,
        "config": config,
    }
    texts = {
        "ledger.json": json.dumps(ledger, indent=1, allow_nan=False) + "\n",
        "config.json": json.dumps(config, indent=1) + "\n",
        "README.md": model_card(facts, dev=outcome.dev, baseline=outcome.baseline_dev, ledger=ledger),
    }
    write_model(job.workspace, facts, outcome.save, texts=texts)

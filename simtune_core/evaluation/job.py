"""The `evaluate` job: score encoders on one pair set, judge them against a baseline, write the scores down."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.datasets import load_pairs
from simtune_core.encoders.catalogue import TFIDF, Encoder, resolve_encoder
from simtune_core.encoders.loading import precision_that_ran
from simtune_core.encoders.scoring import score_pairs
from simtune_core.errors import ConfigError, JobError
from simtune_core.evaluation import findings as checks
from simtune_core.evaluation.config import EvaluationConfig
from simtune_core.evaluation.metrics import roc_auc, summarise_scores
from simtune_core.evaluation.thresholds import Confusion, choose_threshold, threshold_table
from simtune_core.evaluation.uncertainty import Interval, Metric, resample_records, verdict
from simtune_core.files import whole_file
from simtune_core.jobs.context import Job
from simtune_core.labels import weak_label_findings
from simtune_core.pairs import PairSet

SCORES = "scores.parquet"
DEV_SCORES = "dev_scores.parquet"
FIXED_COLUMNS = ("row", "label", "target")


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """One encoder's scores: shapes (n_pairs,) and (n_dev_pairs,), the second None without dev pairs."""

    encoder: Encoder
    test: NDArray[np.float32]
    dev: NDArray[np.float32] | None

    @property
    def column(self) -> str:
        return f"encoder:{self.encoder.name}" if self.encoder.name in FIXED_COLUMNS else self.encoder.name


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Evaluate encoders side by side on the same pairs.

    Args:
        params: `set`, `encoders`, `baseline` (null: the first), `threshold_from` (or null), `precision`, and any field
            of `EvaluationConfig`.
        job: Where progress and the score files go.

    Returns:
        What docs/metrics.md lists: the set, one entry in `models` for each encoder (`test` and `dev` numbers, interval,
        difference to the baseline, verdict), TF-IDF beside them, and findings.

    Raises:
        SimtuneError: If a set or an encoder is not there, or the baseline is not among the encoders.
    """
    given = {name: params[name] for name in EvaluationConfig.model_fields if params.get(name) is not None}
    config = EvaluationConfig(**given)
    sets = [load_pairs(job.workspace, ref) for ref in (params["set"], params.get("threshold_from")) if ref]
    encoders = [resolve_encoder(job.workspace, name) for name in dict.fromkeys(params["encoders"])]
    baseline = _baseline(encoders, params.get("baseline"))
    lexical = _score(job, resolve_encoder(job.workspace, TFIDF), sets, "fp32")
    scored = [lexical if each.kind == TFIDF else _score(job, each, sets, params["precision"]) for each in encoders]
    _write_scores(job, SCORES, sets[0], config, {each.column: each.test for each in scored})
    if len(sets) == 2:
        dev = {each.column: each.dev for each in scored if each.dev is not None}
        _write_scores(job, DEV_SCORES, sets[1], config, dev)
    return _result(job, sets, scored, lexical, baseline=baseline, config=config) | {
        "precision": precision_that_ran(encoders, params["precision"])
    }


def _baseline(encoders: list[Encoder], name: str | None) -> int:
    names = [each.name for each in encoders]
    if not names:
        raise ConfigError("An evaluation needs at least one encoder, got none.")
    if name is None:
        return 0
    if name not in names:
        raise ConfigError(f"The baseline must be one of the evaluated encoders {', '.join(names)}, got {name!r}.")
    return names.index(name)


def _score(job: Job, encoder: Encoder, sets: list[PairSet], precision: Any) -> _Scored:
    if job.stop_requested:
        raise JobError("Stopped before every encoder was scored; texts embedded so far are kept for the next time.")
    scores = score_pairs(job.workspace, encoder, sets, precision=precision, progress=job.progress)
    return _Scored(encoder, scores[0], scores[1] if len(scores) > 1 else None)


def _write_scores(
    job: Job, name: str, pairs: PairSet, config: EvaluationConfig, scores: dict[str, NDArray[np.float32]]
) -> None:
    fixed = {
        "row": np.arange(len(pairs), dtype=np.int64),
        "label": pairs.labels(config.score_cut),
        "target": pairs.targets(),
    }
    with whole_file(job.folder / name) as beside:
        pd.DataFrame(fixed | scores).to_parquet(beside, index=False)


def _result(
    job: Job, sets: list[PairSet], scored: list[_Scored], lexical: _Scored, *, baseline: int, config: EvaluationConfig
) -> dict[str, Any]:
    pairs, dev = sets[0], sets[1] if len(sets) == 2 else None
    labels, targets = pairs.labels(config.score_cut), pairs.targets()
    metric: Metric = "spearman_cosine" if pairs.graded else "roc_auc"
    job.progress(0, 1, f"resampling records {config.n_resamples:,} times")
    matrix = np.stack([each.test for each in scored])
    wanted = targets if metric == "spearman_cosine" else labels
    resampled = resample_records(metric, matrix, wanted, pairs.record_ids(), config)
    models, found = [], []
    for row, each in enumerate(scored):
        model, confusion = _judge(each, pairs, dev, config)
        difference = None if row == baseline else resampled.difference(row, baseline, level=config.level)
        model |= {
            "baseline": row == baseline,
            "interval": _as_json(resampled.interval(row, level=config.level)),
            "difference": _as_json(difference),
            "verdict": None if row == baseline else verdict(difference, config.margin),
            "adapter": _adapter_status(job, each.encoder),
        }
        models.append(model)
        found += checks.check_threshold(each.encoder.title, confusion)
        found += checks.check_adapter(each.encoder.title, model["adapter"])
    summary = summarise_scores(scored[baseline].test, labels, targets)
    tfidf_roc_auc = roc_auc(lexical.test, labels)
    found += checks.check_identical([each.encoder.title for each in scored], matrix)
    found += checks.check_threshold_source(pairs.ref, dev.ref if dev else None)
    found += checks.check_classes(pairs.ref, summary) + checks.check_circular(pairs.ref, tfidf_roc_auc)
    found += checks.check_shared_records(resampled.n_records, len(pairs))
    found += weak_label_findings(job.workspace, [each.ref for each in sets])
    job.progress(1, 1, "evaluated")
    return {
        "set": pairs.ref, "content_id": pairs.content_id, "threshold_from": dev.ref if dev else None,
        "baseline": scored[baseline].encoder.name, "metric": metric, "models": models,
        "n": summary.n, "n_positive": summary.n_positive, "prevalence": summary.prevalence,
        "spearman_ceiling": summary.spearman_ceiling, "graded": pairs.graded, "labelled": pairs.labelled,
        "always_similar_f1": checks.always_similar_f1(summary.n_positive, summary.n), "n_records": resampled.n_records,
        "config": config.model_dump(), "findings": found,
        "tfidf_roc_auc": tfidf_roc_auc, "tfidf_fitted_on": [each.ref for each in sets],
        "tfidf_n_texts": len({text for each in sets for text in each.unique_texts()}),
    }  # fmt: skip


def _judge(
    scored: _Scored, pairs: PairSet, dev: PairSet | None, config: EvaluationConfig
) -> tuple[dict[str, Any], Confusion | None]:
    """Choose the threshold and return the numbers on both sets, and the confusion on the judged one."""
    source, source_scores = (dev, scored.dev) if dev is not None and scored.dev is not None else (pairs, scored.test)
    threshold = choose_threshold(threshold_table(source_scores, source.labels(config.score_cut)), config)
    test, confusion = _numbers(scored.test, pairs, threshold, config)
    model = {
        "encoder": scored.encoder.name, "title": scored.encoder.title, "kind": scored.encoder.kind,
        "fingerprint": scored.encoder.fingerprint, "column": scored.column,
        "threshold": threshold, "threshold_rule": config.threshold_rule, "threshold_from": source.ref,
        "test": test, "dev": None if source is pairs else _numbers(source_scores, source, threshold, config)[0],
    }  # fmt: skip
    return model, confusion


def _numbers(
    scores: NDArray[np.float32], pairs: PairSet, threshold: float | None, config: EvaluationConfig
) -> tuple[dict[str, Any], Confusion | None]:
    labels = pairs.labels(config.score_cut)
    summary = summarise_scores(scores, labels, pairs.targets())
    confusion = None if threshold is None else threshold_table(scores, labels).confusion_at(threshold)
    names = ("f1", "precision", "recall", "accuracy", "mcc")
    return (
        asdict(summary)
        | {"spearman_share": summary.spearman_share, "fpr": confusion.fpr if confusion else None}
        | {f"cosine_{name}": getattr(confusion, name) if confusion else None for name in names}
        | {name: getattr(confusion, name) if confusion else None for name in ("tn", "fp", "fn", "tp")}
    ), confusion


def _adapter_status(job: Job, encoder: Encoder) -> dict[str, Any] | None:
    """Return what the last diagnosis of a tuned model said: `status, failed, codes`; None for an untouched encoder."""
    if not encoder.tuned:
        return None
    from simtune_core.adapters.checks import latest_checks

    report = latest_checks(job.workspace, encoder.name)
    if report is None:
        return {"status": "not run", "failed": False, "codes": []}
    return {"status": report.status, "failed": not report.ok, "codes": [result.code for result in report.failed]}


def _as_json(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else asdict(interval)

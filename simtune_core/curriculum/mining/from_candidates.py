"""Adversarial and cross-category mining: a candidates job and a model's readings of its sample in, pairs out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.candidates.counted import COUNTS, RECORDS, SAMPLE, CandidateCounts, load_counts
from simtune_core.candidates.readings import load_readings, load_scores
from simtune_core.candidates.readings_job import counted_candidates
from simtune_core.curriculum.mining.adversarial import Labelled, Mined, label_sample, mine_across, mine_adversarial
from simtune_core.curriculum.mining.assembling import assembled
from simtune_core.curriculum.mining.config import AdversarialConfig, CrossCategoryConfig, require_veto
from simtune_core.curriculum.mining.measuring import Measured, measure_mined
from simtune_core.curriculum.mining.mined import Judged, MinedSet, MiningLoss
from simtune_core.curriculum.mining.veto import pair_scorer
from simtune_core.curriculum.rules import POSITIVE_ROLES, Rule, resolve_rule
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.errors import ConfigError, DataFaultError, JobError, WorkspaceError
from simtune_core.files import read_json
from simtune_core.jobs.context import Job
from simtune_core.jobs.states import RESULT
from simtune_core.labels import label_origin

CROSS = "cross-category"  # phase of pairs mined across categories
_KNOWING = ("duplicate_group", "label")


@dataclass(frozen=True, slots=True, eq=False)
class _Pool:
    """Sampled candidates and what a model makes of them.

    Attributes:
        counted: Result of the candidates job.
        read: Result of the readings job.
        counts: What was counted.
        sample: SAMPLE_COLUMNS.
        records: `id, text, category`.
        scores: The model's cosine of each row of the sample.
    """

    counted: dict[str, Any]
    read: dict[str, Any]
    counts: CandidateCounts
    sample: pd.DataFrame
    records: pd.DataFrame
    scores: NDArray[np.float32]


def mine_errors(params: dict[str, Any], job: Job) -> MinedSet:
    """Mine pairs by how a model errs on them.

    Args:
        params: `candidates` and `readings` (ids of finished jobs), `veto` (an encoder or cross-encoder, or null),
            `precision` of the veto, `config`, `fingerprints` of the veto.
        job: Where progress goes.

    Raises:
        SimtuneError: If a job is not there or the two do not belong together, a rule does not fit the candidates, or no
            pair lies in the bands.
    """
    config = AdversarialConfig(**(params.get("config") or {}))
    require_veto(config, params.get("veto"))
    pool = _pool(params, job)
    rule = resolve_rule(pool.counts, config.rule)
    labelled = label_sample(pool.sample, pool.counts, rule, config)
    mined = mine_adversarial(labelled, pool.scores, config)
    kept = mined.rows[~_vetoed(mined.rows, labelled, pool, config, (params, job))]
    _require_pairs(kept, "in these bands")
    losses = [
        ("conflicting", labelled.n_conflicting,
         "Candidates that fit both bands and are neither; bands that do not overlap lose none."),
        ("veto", len(mined.rows) - len(kept), "Negatives that the second model takes for likely positives."),
        ("sample", mined.n_wanted - len(mined.rows),
         "Pairs wanted that the sample does not hold in these bands; widen them, or sample more pairs."),
    ]  # fmt: skip
    return _mined_set(
        pool, rule, kept, labelled.label[kept],
        _Made(config.strategy, _measured(pool, labelled, kept), mined, losses, weak=rule.weak, words=rule.words),
        (params, config.model_dump(), job),
    )  # fmt: skip


def mine_across_categories(params: dict[str, Any], job: Job) -> MinedSet:
    """Mine positives whose two records have different categories; params and errors as for `mine_errors`."""
    config = CrossCategoryConfig(**(params.get("config") or {}))
    pool = _pool(params, job)
    if not pool.counts.has_categories:
        raise ConfigError("Positives across categories need records with categories, and these candidates have none.")
    rule = resolve_rule(pool.counts, config.rule)
    mined = mine_across(pool.sample, pool.counts, rule, pool.scores, config)
    _require_pairs(mined.rows, "of two categories within these bounds")
    known = rule.name in _KNOWING
    words = rule.words if known else (
        f"positive = two categories, but a cosine of {config.min_score:g} to {config.max_score:g} in "
        f"{pool.counted['title']} and of {config.model_min_score:g} or more in {pool.read['title']}; nobody looked"
    )  # fmt: skip
    losses = [("sample", mined.n_wanted - len(mined.rows), "Pairs wanted that the sample does not hold.")]
    labels = np.ones(len(mined.rows), dtype=np.int8)
    measured = measure_mined(pool.scores[mined.rows], labels, title=pool.read["title"])
    return _mined_set(
        pool, rule, mined.rows, labels, _Made(CROSS, measured, mined, losses, weak=not known, words=words),
        (params, config.model_dump(), job),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """What a method found besides the rows: its phase, the verdict, losses, and what its labels rest on."""

    phase: str
    measured: Measured
    mined: Mined
    losses: list[tuple[str, int, str]]
    weak: bool
    words: str


def _pool(params: dict[str, Any], job: Job) -> _Pool:
    folder = job.workspace.job(params["candidates"])
    counted = counted_candidates(folder)
    reading = job.workspace.job(params["readings"])
    try:
        read = read_json(reading / RESULT)
    except WorkspaceError as error:
        raise JobError(f"The readings {reading.name} must be a finished job; read the candidates first.") from error
    if read.get("candidates") != folder.name:
        raise JobError(f"{reading.name} holds no readings of the candidates {folder.name}; read these first.")
    sample = pd.read_parquet(folder / SAMPLE)
    scores = load_scores(load_readings(reading).path)
    if len(scores) != len(sample):
        raise JobError(f"{reading.name} read {len(scores):,} pairs, and {folder.name} has {len(sample):,}; read again.")
    job.progress(1, 3, "mining")
    return _Pool(counted, read, load_counts(folder / COUNTS), sample, pd.read_parquet(folder / RECORDS), scores)


def _vetoed(
    rows: NDArray[np.int64],
    labelled: Labelled,
    pool: _Pool,
    config: AdversarialConfig,
    asked: tuple[dict[str, Any], Job],
) -> NDArray[np.bool_]:
    """Tell which of the chosen rows are negatives that the second model takes for positives."""
    params, job = asked
    out = np.zeros(len(rows), dtype=bool)
    if config.veto_score is None:
        return out
    negative = np.flatnonzero(labelled.label[rows] == 0)
    ends = pool.sample.iloc[rows[negative]]
    used, places = np.unique(np.append(ends["i"], ends["j"]), return_inverse=True)
    texts = pool.records["text"].to_numpy(object)[used]
    unique = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    first, second = np.array([unique[text] for text in texts], dtype=np.int64)[places].reshape(2, -1)
    model = resolve_encoder(job.workspace, params["veto"])
    scorer = pair_scorer(job.workspace, model, list(unique), precision=params["precision"], progress=job.progress)
    out[negative] = scorer.score(first, second) >= np.float32(config.veto_score)
    return out


def _measured(pool: _Pool, labelled: Labelled, rows: NDArray[np.int64]) -> Measured:
    """Measure with the model; negatives are compared to all positives of the bands, as it chose the mined ones."""
    positive = labelled.rows(*POSITIVE_ROLES)
    return measure_mined(
        pool.scores[rows],
        labelled.label[rows],
        title=pool.read["title"],
        known=pool.scores[positive],
        weights=labelled.weight[positive],
        positives="all positives of these bands",
    )


def _mined_set(
    pool: _Pool, rule: Rule, rows: NDArray[np.int64], labels: NDArray[np.int8], made: _Made,
    asked: tuple[dict[str, Any], dict[str, Any], Job],
) -> MinedSet:  # fmt: skip
    params, config, job = asked
    chosen = pool.sample.iloc[rows]
    ends = {side: pool.records.iloc[chosen[end].to_numpy()] for side, end in (("1", "i"), ("2", "j"))}
    table = assembled(
        pd.DataFrame(
            {
                **{f"sentence{side}": end["text"].to_numpy(object) for side, end in ends.items()},
                **{f"id{side}": end["id"].to_numpy(object) for side, end in ends.items()},
                **{f"category{side}": end["category"].to_numpy(object) for side, end in ends.items()},
                "label": labels.astype(np.float64),
                "phase": made.phase,
                "split": "train",
                "similarity": chosen["similarity"].to_numpy(),
            }
        )
    )
    origin = label_origin(job.workspace, pool.counted["records"]) if rule.name == "label" else None
    return MinedSet(
        frame=table.frame,
        details=table.details,
        judged=Judged(pool.scores[rows], made.measured, pool.read["test"]),
        weak=made.weak or bool(origin and origin.weak),
        words=made.words if origin is None else f"{made.words} {origin.sentence}",
        source=pool.counted["records"],
        encoders=(
            *({"name": each["encoder"], "fingerprint": each["fingerprint"]} for each in (pool.counted, pool.read)),
            *params["fingerprints"],
        ),
        step=_step(pool, params, config),
        losses=tuple(MiningLoss(reason, n, words) for reason, n, words in made.losses if n > 0),
        facts={
            "candidates": params["candidates"],
            "readings": params["readings"],
            "encoder": pool.counted["encoder"],
            "title": pool.counted["title"],
            "precision": pool.counted["precision"],
            "rule": rule.name,
            "n_wanted": made.mined.n_wanted,
            "n_available": {"negative": made.mined.n_available[0], "positive": made.mined.n_available[1]},
            "n_scarce": made.mined.n_scarce,
        },
    )


def _step(pool: _Pool, params: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    counted = pool.counted
    return {
        **{name: counted.get(name) for name in ("records", "encoder", "precision", "test", "apart")},
        "candidates": {name: counted[name] for name in ("seed", "cap", "exact_up_to")},
        "baseline": pool.read["encoder"],
        "baseline_precision": pool.read["precision"],
        "veto": params.get("veto"),
        "veto_precision": params.get("precision"),
        "config": config,
    }


def _require_pairs(rows: NDArray[np.int64], where: str) -> None:
    if not len(rows):
        raise DataFaultError(f"At least one pair must lie {where}, and the sample holds none; widen them.")

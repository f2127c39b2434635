"""The `preflight` job: measure everything that tells whether training on one set can help on another, and decide."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simtune_core.datasets import find_dataset, load_pairs
from simtune_core.difficulty.audits.running import AuditConfig, audit_sets, read_texts
from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.difficulty.preflight.coverage import enough_pairs, measure_coverage
from simtune_core.difficulty.preflight.detectable import smallest_detectable
from simtune_core.difficulty.preflight.fixes import bands_of
from simtune_core.difficulty.preflight.headroom import measure_standing
from simtune_core.difficulty.preflight.looking import Looked, probe_of, sampled, shared_with, shift_between
from simtune_core.difficulty.preflight.probe import Probe
from simtune_core.difficulty.preflight.reasons import Evidence
from simtune_core.difficulty.preflight.verdict import decide, finding_of
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.difficulty.scoring import score_sets
from simtune_core.encoders.catalogue import Encoder, resolve_encoder
from simtune_core.encoders.embedding import embed
from simtune_core.encoders.loading import precision_that_ran
from simtune_core.errors import JobError
from simtune_core.findings import Audit, findings_of
from simtune_core.jobs.context import Job
from simtune_core.pairs import PairSet
from simtune_core.training.head import indexed_pairs

_WITHOUT_VECTORS = ("tfidf", "scores")  # kinds of encoder
_STAGES = ("checking the pairs", "comparing the sets", "probing with a head", "resampling the test records")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for, resolved."""

    encoder: Encoder
    precision: Any
    config: PreflightConfig


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Tell whether training on one pair set can help on another.

    Args:
        params: `set`, `against` (or null: then there is no verdict, only what the set itself shows), `encoder`,
            `precision`, and any field of `PreflightConfig`.
        job: Where progress goes.

    Returns:
        `verdict` (`Preflight.as_json`, or null), `train` and `test` (standings), `coverage`, `shift`, `probe`,
        `not_probed`, `detectable`, `audits`, `findings`; `set`, `against`, `encoder`, `title`, `fingerprint`,
        `precision`, `config`, `tfidf` {`fitted_on`, `n_texts`}, `wall_seconds`. What does not apply is null.

    Raises:
        SimtuneError: If a set or the encoder is not there, or a set has neither labels nor scores.
    """
    started = time.monotonic()
    asked = _Asked(
        resolve_encoder(job.workspace, params["encoder"]),
        params["precision"],
        PreflightConfig(
            **{name: params[name] for name in PreflightConfig.model_fields if params.get(name) is not None}
        ),
    )
    pairs = [load_pairs(job.workspace, ref) for ref in (params["set"], params.get("against")) if ref]
    scored = score_sets(
        job.workspace,
        asked.encoder,
        pairs,
        precision=asked.precision,
        cut=asked.config.score_cut,
        progress=job.progress,
    )
    _stage(job, 0)
    audits = audit_sets(
        scored,
        config=AuditConfig(seed=asked.config.seed),
        siblings=_siblings(pairs, job),
        readings=[read_texts(asked.encoder, each, job.progress) for each in pairs],
        progress=job.progress,
    )
    return {
        "set": pairs[0].ref,
        "against": pairs[1].ref if len(pairs) == 2 else None,
        "encoder": asked.encoder.name,
        "title": asked.encoder.title,
        "fingerprint": asked.encoder.fingerprint,
        "precision": precision_that_ran([asked.encoder], asked.precision),
        "config": asked.config.model_dump(mode="json"),
        "tfidf": {
            "fitted_on": [each.ref for each in pairs],
            "n_texts": len({text for each in pairs for text in each.unique_texts()}),
        },
        **_measured(scored, audits, asked, job),
        "wall_seconds": round(time.monotonic() - started, 2),
    }


def _measured(scored: Sequence[ScoredSet], audits: Sequence[Audit], asked: _Asked, job: Job) -> dict[str, Any]:
    """Return the part of the result that was measured, and what follows from it."""
    config = asked.config
    _stage(job, 1)
    standings = [measure_standing(each) for each in scored]
    looked = _look(scored, asked, job)
    two = len(scored) == 2
    coverage = shift = detectable = verdict = None
    if two:
        enough = enough_pairs(len(scored[0].pairs), config.min_cell_pairs)
        coverage = measure_coverage(*scored, width=config.bin_width, min_pairs=enough)
        shift = shift_between(looked, config)
    _stage(job, 2)
    probe = probe_of(looked, config, progress=job.progress)
    _stage(job, 3)
    findings = findings_of(audits)
    if two and coverage is not None and shift is not None:
        test = looked.sets[1]
        detectable = smallest_detectable(test, standings[1].metric, config)
        evidence = Evidence(
            encoder=asked.encoder.name, space=asked.encoder.title, train=standings[0], test=standings[1],
            coverage=coverage, shift=shift, probe=probe if isinstance(probe, Probe) else None,
            not_probed="" if isinstance(probe, Probe) else probe, detectable=detectable, bands=bands_of(test),
            audits=audits, n_shared=int(looked.shared.sum()),
        )  # fmt: skip
        verdict = decide(evidence, config)
        findings = [finding_of(verdict, standings[0].ref, standings[1].ref), *findings]
    job.progress(len(_STAGES), len(_STAGES), "decided")
    return {
        "verdict": verdict.as_json() if verdict else None,
        "train": standings[0].as_json(),
        "test": standings[1].as_json() if two else None,
        "coverage": coverage.as_json() if coverage else None,
        "shift": shift.as_json() if shift else None,
        "probe": probe.as_json() if isinstance(probe, Probe) else None,
        "not_probed": "" if isinstance(probe, Probe) else probe,
        "detectable": detectable.as_json() if detectable else None,
        "audits": [each.as_json() for each in audits],
        "findings": findings,
    }


def _look(scored: Sequence[ScoredSet], asked: _Asked, job: Job) -> Looked:
    """Draw the samples and fetch the vectors of their texts, which scoring has left in the cache."""
    sets = sampled(scored, asked.config.probe_pairs, asked.config.seed)
    sizes = tuple(len(each.pairs) for each in scored)
    shared = np.zeros(len(sets[0].pairs), dtype=bool)
    if len(scored) == 2:
        shared = shared_with(sets[0].pairs, scored[1].pairs)
    if asked.encoder.kind in _WITHOUT_VECTORS:
        return Looked(sets, sizes, (), None, shared)
    texts = list(dict.fromkeys(text for each in sets for text in each.pairs.unique_texts()))
    vectors = embed(job.workspace, asked.encoder, texts, precision=asked.precision, progress=job.progress).vectors
    row_of = {text: row for row, text in enumerate(texts)}
    return Looked(sets, sizes, tuple(indexed_pairs(each.pairs, row_of) for each in sets), vectors, shared)


def _siblings(pairs: Sequence[PairSet], job: Job) -> dict[str, PairSet]:
    """Return the other splits of the datasets of these sets, by reference."""
    found: dict[str, PairSet] = {}
    for each in pairs:
        version, split = find_dataset(job.workspace, each.ref)
        others = [name for name in version.splits if split is not None and name != split]
        found |= {f"{version.ref}:{name}": load_pairs(job.workspace, f"{version.ref}:{name}") for name in others}
    return {ref: held for ref, held in found.items() if ref not in {each.ref for each in pairs}}


def _stage(job: Job, stage: int) -> None:
    if job.stop_requested:
        raise JobError(f"Stopped before {_STAGES[stage]}; texts embedded so far are kept for the next time.")
    job.progress(stage, len(_STAGES), _STAGES[stage])

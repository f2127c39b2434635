"""Anchored mining: a pair set and records in, the set's positives with negatives near their anchors out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.candidates.gathering import gather
from simtune_core.candidates.products import cosines
from simtune_core.curriculum.mining.anchored import Chosen, Ranked, Veto, choose_negatives, rank_candidates
from simtune_core.curriculum.mining.assembling import assemble
from simtune_core.curriculum.mining.config import AnchoredConfig, require_veto
from simtune_core.curriculum.mining.measuring import measure_mined
from simtune_core.curriculum.mining.mined import Judged, MinedSet, MiningLoss
from simtune_core.curriculum.mining.neighbourhood import (
    Anchors,
    Corpus,
    Exclusion,
    anchors_of,
    barred_rows,
    corpus_of,
    negatives_in_words,
    resolve_allowed,
)
from simtune_core.curriculum.mining.veto import PairScorer, pair_scorer
from simtune_core.datasets import content_id, find_dataset, load_pairs
from simtune_core.difficulty.separability import measure_side, side_to_json
from simtune_core.encoders.catalogue import TFIDF, Encoder, resolve_encoder
from simtune_core.encoders.embedding import embed
from simtune_core.encoders.loading import precision_that_ran
from simtune_core.encoders.scoring import score_pairs
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.jobs.context import Job
from simtune_core.labels import label_origin
from simtune_core.pairs import PairSet

_STEP = ("pairs", "records", "encoder", "precision", "baseline", "test", "apart", "veto")
_LIMITS = {
    "absolute_margin": "Candidates closer to their anchor than the absolute margin allows.",
    "relative_margin": "Candidates closer to their anchor than the relative margin allows.",
    "max_score": "Candidates more similar to their anchor than max_score.",
    "min_score": "Candidates less similar to their anchor than min_score.",
}


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """The positives of a pair set and the negatives mined for them.

    Attributes:
        pairs: The pair set.
        corpus: Its texts and those that negatives are taken from.
        anchors: Its anchors and positives.
        scores: Cosine of each positive; shape (n_positives,).
        ranked: The candidates of each anchor.
        chosen: The negatives.
        wanted: Negatives wanted for each anchor; shape (n_anchors,).
    """

    pairs: PairSet
    corpus: Corpus
    anchors: Anchors
    scores: NDArray[np.float32]
    ranked: Ranked
    chosen: Chosen
    wanted: NDArray[np.int64]


def mine_from_pairs(params: dict[str, Any], job: Job) -> MinedSet:
    """Mine negatives for the positives of a pair set.

    Args:
        params: `pairs`, `records` (or null: the texts of the pairs), `encoder`, `precision`, `baseline`, `test`,
            `apart`, `veto` (an encoder or cross-encoder, or null), `config`, `fingerprints` of the encoders.
        job: Where progress goes.

    Raises:
        SimtuneError: If something named is not there, no pair is positive, or the settings contradict each other.
    """
    config = AnchoredConfig(**(params.get("config") or {}))
    require_veto(config, params.get("veto"))
    pairs = load_pairs(job.workspace, params["pairs"])
    gathered = gather(job.workspace, params.get("records") or pairs.ref, _apart(job, params), job.progress)
    corpus = corpus_of(gathered.frame, pairs)
    exclusion = resolve_allowed(corpus, config.allowed)
    encoder = resolve_encoder(job.workspace, params["encoder"])
    found = _find(pairs, corpus, _vectors(encoder, corpus.texts, params["precision"], job), exclusion, (params, job))
    made = assemble(pairs, corpus, found.anchors, found.scores, found.chosen)
    origin = label_origin(job.workspace, pairs.ref)
    return MinedSet(
        frame=made.frame,
        details=made.details,
        judged=_judge(made.frame, params, job),
        weak=bool(origin.weak) or exclusion != "duplicate_group",
        words=f"positive = as in {pairs.ref}; negative = {negatives_in_words(exclusion)}",
        source=pairs.ref,
        encoders=tuple(params["fingerprints"]),
        step={name: params.get(name) for name in _STEP} | {"config": config.model_dump()},
        losses=_losses(found, config),
        facts=_facts(found, encoder, exclusion, params),
        findings=tuple(each for each in gathered.findings if each["code"] == "kept_apart"),
    )


def _find(
    pairs: PairSet, corpus: Corpus, vectors: Any, exclusion: Exclusion, asked: tuple[dict[str, Any], Job]
) -> _Found:
    """Rank the candidates of every anchor and take negatives from them."""
    params, job = asked
    config, anchors = AnchoredConfig(**(params.get("config") or {})), anchors_of(pairs, corpus)
    ends = (anchors.rows[anchors.positives["anchor"].to_numpy()], anchors.positives["row"].to_numpy(np.int64))
    scores = cosines(vectors, *ends)
    ranked = rank_candidates(
        vectors[anchors.rows], vectors[: corpus.n_records], barred_rows(anchors, corpus, pairs, exclusion),
        _lowest(anchors, scores), config, progress=job.progress,
    )  # fmt: skip
    groups = anchors.positives.drop_duplicates(["anchor", "phase"])["anchor"]
    wanted = np.bincount(groups, minlength=len(anchors.rows)) * config.num_negatives
    known = {(min(pair), max(pair)) for pair in zip(*(side.tolist() for side in ends), strict=True)}
    veto = None
    if params.get("veto"):
        job.progress(0, 1, "asking the second model")
        second = resolve_encoder(job.workspace, params["veto"])
        scorer = pair_scorer(job.workspace, second, corpus.texts, precision=params["precision"], progress=job.progress)
        veto = _veto(scorer, anchors, _lowest(anchors, scorer.score(*ends)), config)
    chosen = choose_negatives(ranked, anchors.rows, wanted, known, veto=veto)
    return _Found(pairs, corpus, anchors, scores, ranked, chosen, wanted)


def _lowest(anchors: Anchors, scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the least score of each anchor's positives, shape (n_anchors,)."""
    least = np.full(len(anchors.rows), np.inf, dtype=np.float32)
    np.minimum.at(least, anchors.positives["anchor"].to_numpy(), scores)
    return least


def _veto(scorer: PairScorer, anchors: Anchors, lowest: NDArray[np.float32], config: AnchoredConfig) -> Veto:
    """Return what drops a negative: a second score at a bound or above, or too near that of the lowest positive."""

    def vetoed(rows: NDArray[np.int64], positions: NDArray[np.int64]) -> NDArray[np.bool_]:
        scores = scorer.score(anchors.rows[rows], positions)
        out = np.zeros(len(rows), dtype=bool)
        if config.veto_score is not None:
            out |= scores >= np.float32(config.veto_score)
        if config.veto_margin is not None:
            out |= scores > lowest[rows] - np.float32(config.veto_margin)
        return out

    return vetoed


def _apart(job: Job, params: dict[str, Any]) -> list[str]:
    """Return the sets to share nothing with: those asked for, and the other splits of the pair set itself."""
    version, split = find_dataset(job.workspace, params["pairs"], kind="pairs")
    others = [f"{version.ref}:{other}" for other in version.splits if split and other != split]
    return list(dict.fromkeys([*(params.get("apart") or []), *others]))


def _vectors(encoder: Encoder, texts: list[str], precision: Any, job: Job) -> Any:
    """Return the unit vector of each text: sparse for TF-IDF, else dense; shape (n_texts, dim)."""
    if encoder.kind == TFIDF:
        return tfidf_matrix(texts)
    return embed(job.workspace, encoder, texts, precision=precision, progress=job.progress).vectors


def _losses(found: _Found, config: AnchoredConfig) -> tuple[MiningLoss, ...]:
    n_got = np.bincount(found.chosen.anchors, minlength=len(found.wanted))
    few, none = int(((n_got > 0) & (n_got < found.wanted)).sum()), int((n_got == 0).sum())
    told = [
        *((name, n, _LIMITS[name]) for name, n in found.ranked.dropped.items()),
        ("veto", found.chosen.n_vetoed, "Candidates that the second model takes for likely positives."),
        ("repeated", found.chosen.n_repeated, "Candidates that were a pair of the set already, the other way round."),
        ("repeated_positives", found.anchors.n_repeated,
         "Positives that repeat another one, or whose two texts are equal."),
        ("few_negatives", few, f"Anchors with fewer negatives than the {config.num_negatives} wanted in each phase."),
        ("no_negative", none, "Anchors without a negative: nothing in their window passed. Their positives are kept."),
    ]  # fmt: skip
    return tuple(MiningLoss(reason, n, words) for reason, n, words in told if n)


def _facts(found: _Found, encoder: Encoder, exclusion: Exclusion, params: dict[str, Any]) -> dict[str, Any]:
    return {
        "pairs": found.pairs.ref,
        "encoder": encoder.name,
        "title": encoder.title,
        "precision": precision_that_ran([encoder], params["precision"]),
        "allowed": exclusion,
        "n_anchors": len(found.anchors.rows),
        "n_corpus": found.corpus.n_records,
        "n_wanted": int(found.wanted.sum()) + len(found.anchors.positives),
        "n_vetoed": found.chosen.n_vetoed,
    }


def _judge(frame: pd.DataFrame, params: dict[str, Any], job: Job) -> Judged:
    """Score the mined pairs, and the test pairs beside them, with the model that they are to be hard for."""
    baseline = resolve_encoder(job.workspace, params["baseline"])
    sets = [PairSet(frame, "mined", content_id(frame))]
    if params.get("test"):
        sets.append(load_pairs(job.workspace, params["test"]))
    scores = score_pairs(job.workspace, baseline, sets, precision=params["precision"], progress=job.progress)
    words = "the positives of these anchors"
    measured = measure_mined(scores[0], sets[0].labels(), title=baseline.title, positives=words)
    if len(sets) < 2:
        return Judged(scores[0], measured, None)
    side = side_to_json(measure_side(scores[1], sets[1].labels(), sets[1].targets()))
    return Judged(scores[0], measured, {"ref": sets[1].ref} | side)

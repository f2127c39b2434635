"""All audits of one pair set, or of a training and a test set, in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from simtune_core.difficulty.audits.circularity import audit_circularity
from simtune_core.difficulty.audits.classes import PREVALENCE, audit_classes, audit_prevalence
from simtune_core.difficulty.audits.config import AuditConfig
from simtune_core.difficulty.audits.contradictions import audit_contradictions
from simtune_core.difficulty.audits.corpus import build_corpus
from simtune_core.difficulty.audits.leakage import audit_leakage
from simtune_core.difficulty.audits.learnability import audit_learnability
from simtune_core.difficulty.audits.reading import Reading, read_texts
from simtune_core.difficulty.audits.repetition import audit_repetition
from simtune_core.difficulty.audits.texts import audit_texts
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.findings import Audit
from simtune_core.near_duplicates import Progress
from simtune_core.pairs import PairSet

__all__ = ["AuditConfig", "Reading", "audit_sets", "read_texts"]


def audit_sets(
    scored: Sequence[ScoredSet],
    *,
    config: AuditConfig,
    siblings: Mapping[str, PairSet] | None = None,
    readings: Sequence[Reading | None] = (),
    progress: Progress | None = None,
) -> list[Audit]:
    """Run every audit.

    Args:
        scored: One set, or the training and the test set.
        config: From when on an audit finds something.
        siblings: The other splits of the datasets of these sets, by reference: leaks between splits are looked for.
        readings: How the encoder reads each set (`read_texts`); none: truncation and language are not checked.
        progress: Called with (texts done, texts to do, what is being done).

    Returns:
        One audit per check, or per check and set where a check looks at one set; in the same order every time.
    """
    others = [pairs for ref, pairs in (siblings or {}).items() if ref not in {each.ref for each in scored}]
    corpus = build_corpus([*(each.pairs for each in scored), *others], config, progress)
    audits = audit_leakage(corpus, list(_comparisons(scored, others)), n_asked=len(scored))
    audits += audit_contradictions(scored, corpus, config)
    read = [*readings, *([None] * (len(scored) - len(readings)))]
    for each, part, reading in zip(scored, corpus.parts, read, strict=False):
        audits += audit_repetition(part, corpus)
        audits += audit_circularity(each, config)
        audits += audit_classes(each, config)
        audits += audit_texts(part, corpus, reading, config)
    test = scored[1] if len(scored) == 2 else None
    if test is None:
        audits.append(PREVALENCE.not_applicable("There is no second set to compare with."))
    else:
        audits.append(audit_prevalence(scored[0], test, config))
    return [*audits, *audit_learnability(scored[0], test, config)]


_ORDER = ("train", "dev", "test")  # what may have been trained on or tuned with before what


def _comparisons(scored: Sequence[ScoredSet], others: Sequence[PairSet]) -> Iterator[tuple[int, int]]:
    """Yield which parts may leak into which: the first set into the second, and each set and the splits beside it."""
    if len(scored) == 2:
        yield 0, 1
    for place, each in enumerate(scored):
        for other, pairs in enumerate(others, len(scored)):
            if _dataset(each.pairs) == _dataset(pairs):
                yield (place, other) if _rank(each.pairs) < _rank(pairs) else (other, place)


def _rank(pairs: PairSet) -> int:
    split = pairs.ref.partition(":")[2]
    return _ORDER.index(split) if split in _ORDER else len(_ORDER)


def _dataset(pairs: PairSet) -> str:
    return pairs.ref.partition(":")[0]

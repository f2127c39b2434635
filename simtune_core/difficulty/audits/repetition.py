"""Audits of pairs that are there twice, and of pairs of a text with itself."""

from __future__ import annotations

import numpy as np

from simtune_core.difficulty.audits.check import Check, pair_rows, share_of
from simtune_core.difficulty.audits.corpus import Corpus, Part
from simtune_core.findings import EVIDENCE_ROWS, Audit, Fix

REPEATED = Check("repeated_pairs", "Repeated pairs", Fix("Import the set again without the repeated pairs.", "data"))
SELF = Check("self_pairs", "A text paired with itself", Fix("Import the set again without these pairs.", "data"))


def audit_repetition(part: Part, corpus: Corpus) -> list[Audit]:
    """Look for repeated pairs, whatever their order, and for pairs of equal texts; case and punctuation aside."""
    if not len(part.pairs):
        return [check.not_applicable(f"{part.ref} has no pairs.") for check in (REPEATED, SELF)]
    return [_repeated(part, corpus), _of_itself(part)]


def _repeated(part: Part, corpus: Corpus) -> Audit:
    ends = np.sort(part.keys, axis=1)
    _, first, times = np.unique(ends[:, 0] * corpus.n_keys + ends[:, 1], return_index=True, return_counts=True)
    n, n_found = len(part.pairs), len(part.pairs) - len(first)
    if not n_found:
        return REPEATED.clear(f"Each of the {n:,} pairs of {part.ref} is there once.")
    shown = np.argsort(-times, kind="stable")[: min(EVIDENCE_ROWS, int((times > 1).sum()))]
    message = (
        f"{share_of(n_found, n)} rows of {part.ref} repeat an earlier pair, the most frequent one {times.max():,} "
        "times in all. Such a pair weighs more than the others in training and in every number."
    )
    rows = pair_rows(part.pairs.frame, first[shown].tolist(), times=times[shown].tolist())
    return REPEATED.found("warning", message, n_found, rows)


def _of_itself(part: Part) -> Audit:
    same = np.flatnonzero(part.keys[:, 0] == part.keys[:, 1])
    n = len(part.pairs)
    if not len(same):
        return SELF.clear(f"No pair of {part.ref} has the same text on both sides.")
    message = (
        f"{share_of(len(same), n)} pairs of {part.ref} have the same text on both sides, case and punctuation aside: "
        "any encoder gives them a cosine of about 1, so they teach and test nothing."
    )
    return SELF.found("warning", message, len(same), pair_rows(part.pairs.frame, same.tolist()))

"""Settings of counting candidates: default, bounds and help, stated once."""

from __future__ import annotations

from pydantic import Field

from simtune_core.settings import Settings


class CandidatesConfig(Settings):
    """How pairs are counted and sampled."""

    seed: int = Field(0, ge=0, le=2**32 - 1, description="The same seed samples the same pairs.")
    cap: int = Field(
        5000, ge=100, le=50_000,
        description="Pairs sampled for each 0.01 of similarity and kind of pair (same category, known positive); the "
        "categories share it evenly.",
    )  # fmt: skip
    exact_up_to: int = Field(
        50_000, ge=100, le=1_000_000,
        description="Up to this many records every pair is counted; beyond, the pairs of this many randomly chosen "
        "records with all others, and the counts carry their sampling error.",
    )  # fmt: skip

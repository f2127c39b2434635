"""The scores of a measured pair set as a file of its job, and the pairs whose similarity lies in a band.

Works on places and numbers; texts are read by workflows/distributions.py. No model, no plotting.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simtune_core.difficulty.bins import bin_index, edge_index
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.errors import DataFaultError, JobError
from simtune_core.files import whole_file

SCORES = "scores.npz"  # in the folder of a difficulty job
Kind = Literal["all", "positive", "negative"]


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of similarity and which of its pairs are wanted.

    Attributes:
        low: Where it begins, cosine; rounded to 0.001 as every bin edge.
        high: Where it ends, itself outside; at 1 it is inside.
        kind: Pairs of which label.
        phase: Pairs of which phase; None for those of all.
    """

    low: float
    high: float
    kind: Kind = "all"
    phase: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class KeptScores:
    """What a difficulty job keeps of every pair of one set.

    Attributes:
        cosines: Similarity in the encoder's space; shape (n_pairs,).
        labels: 1 for a similar pair, 0 for a dissimilar one; shape (n_pairs,).
        phases: Place of its phase among `phase_names`, -1 for none; shape (n_pairs,).
        phase_names: In order of first appearance.
    """

    cosines: NDArray[np.float32]
    labels: NDArray[np.int8]
    phases: NDArray[np.int16]
    phase_names: tuple[str, ...]

    def places_in(self, band: Band) -> NDArray[np.int64]:
        """Return the places of the pairs in a band, the hardest first.

        These are the least similar positives, the most similar negatives; of all pairs, the most similar.

        Raises:
            DataFaultError: If the set has no such phase.

        Returns:
            Rows of the set; shape (n_found,).
        """
        bins = bin_index(self.cosines)
        wanted = (bins >= edge_index(band.low)) & (bins < edge_index(band.high))
        if band.kind != "all":
            wanted &= self.labels == (band.kind == "positive")
        if band.phase is not None:
            wanted &= self.phases == self._phase(band.phase)
        found = np.flatnonzero(wanted)
        cosines = self.cosines[found] if band.kind == "positive" else -self.cosines[found]
        return found[np.argsort(cosines, kind="stable")]

    def _phase(self, name: str) -> int:
        if name not in self.phase_names:
            known = ", ".join(self.phase_names) or "no phases"
            raise DataFaultError(f"A phase must be one of the set's, which has {known}; got {name[:60]!r}.")
        return self.phase_names.index(name)


def keep_scored(folder: Path, scored: Sequence[ScoredSet]) -> None:
    """Write what is kept of every pair into a job's folder, some six bytes a pair."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for place, each in enumerate(scored):
        codes = np.full(len(each.pairs), -1, dtype=np.int16)
        for code, inside in enumerate(each.phases.values()):
            codes[inside] = code
        arrays |= {f"cosines{place}": each.cosines, f"labels{place}": each.labels, f"phases{place}": codes}
        arrays[f"names{place}"] = np.array(list(each.phases), dtype=np.str_)
    with whole_file(folder / SCORES) as beside, beside.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def read_kept(folder: Path) -> list[KeptScores]:
    """Read what `keep_scored` wrote, one for each set.

    Raises:
        JobError: If the file is missing or damaged.
    """
    try:
        with (folder / SCORES).open("rb") as file, np.load(file, allow_pickle=False) as kept:
            sets = range(sum(name.startswith("cosines") for name in kept.files))
            return [
                KeptScores(
                    kept[f"cosines{place}"],
                    kept[f"labels{place}"],
                    kept[f"phases{place}"],
                    tuple(kept[f"names{place}"].tolist()),
                )
                for place in sets
            ]
    except (OSError, ValueError, KeyError, EOFError, IndexError, zipfile.BadZipFile) as error:
        raise JobError(
            f"The similarities of the single pairs of {folder.name} cannot be read ({type(error).__name__}); delete "
            "that job and measure again."
        ) from error

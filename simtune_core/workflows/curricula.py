"""What the curriculum page looks up while its sliders move: the counted candidates of a job, and their preview."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simtune_core.candidates.counting import CandidateCounts, load_counts
from simtune_core.candidates.job import COUNTS
from simtune_core.curriculum.config import CurriculumConfig, preset
from simtune_core.curriculum.phases import PhasePreview, Supply, preview, supply_of
from simtune_core.difficulty.bins import coarsen
from simtune_core.figures.candidates import PhaseLines
from simtune_core.figures.histograms import ScoreBins
from simtune_core.jobs.launcher import read_job
from simtune_core.workspace import Workspace

_BIN_WIDTH = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Counted candidates, ready for sliders; made once per candidates job.

    Attributes:
        counts: As the job wrote them.
        supply: The same in cells of 0.01.
        bins: Positive and negative candidates per 0.01, for the figure.
        preset: The settings to begin with.
    """

    counts: CandidateCounts
    supply: Supply
    bins: ScoreBins
    preset: CurriculumConfig

    def preview(self, config: CurriculumConfig) -> list[PhasePreview]:
        """Tell what each phase will hold."""
        return preview(self.supply, config)


def load_pool(workspace: Workspace, job_id: str) -> Pool:
    """Read the counts of a finished candidates job."""
    counts = load_counts(read_job(workspace, job_id).folder / COUNTS)
    by_label = counts.counts.sum(axis=0)  # same category, same group, bin
    groups = counts.rule == "duplicate_group"
    positive = by_label[:, 1].sum(axis=0) if groups else by_label[1].sum(axis=0)
    negative = by_label[:, 0].sum(axis=0) if groups else by_label[0].sum(axis=0)
    coarse = coarsen(np.stack([negative, positive]), width=_BIN_WIDTH)
    edges = np.append(coarse.left, coarse.left[-1] + coarse.width)
    bins = ScoreBins(edges, coarse.counts[0], coarse.counts[1])
    return Pool(counts, supply_of(counts), bins, preset(counts.rule))


def phase_lines(config: CurriculumConfig) -> list[PhaseLines]:
    """Return where the phases cut, for the figure."""
    return [PhaseLines(phase.name, phase.pos_min, phase.neg_max) for phase in config.phases]

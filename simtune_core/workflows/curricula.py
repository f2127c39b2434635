"""What the curriculum page looks up while its sliders move: counted candidates, what a plan takes of them, in words."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from shlex import quote
from typing import Any, get_args

import numpy as np
import yaml
from numpy.typing import NDArray

from simtune_core.candidates.config import CandidatesConfig
from simtune_core.candidates.counted import COUNTS, N_CELLS, STEP, CandidateCounts, TestPairs, load_counts
from simtune_core.candidates.readings import Readings, load_readings, roc_auc_of
from simtune_core.curriculum.config import CurriculumConfig, PhaseConfig, RuleName
from simtune_core.curriculum.explaining import CLOSE
from simtune_core.curriculum.planning import PhasePlan, Plan, plan
from simtune_core.curriculum.presets import PRESETS, PresetName, preset_phases
from simtune_core.curriculum.rules import NEGATIVE_ROLES, POSITIVE_ROLES, Role, Rule, resolve_rule
from simtune_core.curriculum.supply import Supply, supply_of
from simtune_core.difficulty.bins import coarsen
from simtune_core.difficulty.separability import Side, measure_side
from simtune_core.encoders.config import EncodingConfig
from simtune_core.errors import ConfigError
from simtune_core.figures.curriculum import PhaseBars
from simtune_core.figures.histograms import ScoreBins
from simtune_core.jobs.launcher import read_job, read_result
from simtune_core.workflows.hardness import UNDEFINED, Form, Value, in_words
from simtune_core.workspace import Workspace

# What the table tells of the test pairs and of every phase alike: label, form, attribute.
_NUMBERS: tuple[tuple[str, Form, str], ...] = (
    ("pairs", "count", "n_pairs"),
    ("positive", "count", "n_positive"),
    ("negative", "count", "n_negative"),
    ("separability", "number", "separability"),
    ("overlap", "share", "overlap"),
    ("positive mean", "number", "positive_mean"),
    ("negative mean", "number", "negative_mean"),
)

_DRAWN: tuple[tuple[str, Form, str], ...] = (
    ("pairs", "count", "n_pairs"),
    ("positive", "count", "n_positive"),
    ("negative", "count", "n_negative"),
    ("same-category negatives", "count", "n_same_category"),
    ("separability", "number", "separability"),
    ("overlap", "share", "overlap"),
    ("ROC-AUC", "number", "roc_auc"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Counted candidates, ready for sliders; made once per candidates job.

    Attributes:
        counts: As the job wrote them.
        supply: The same in cells of 0.01.
        rules: The label rules that these candidates allow, `auto` first.
        test: The test pairs' difficulty in this space; None without a test set.
        presets: Phases to begin with, by name; `test_matched` only with a test set.
        cells: First and last cell, exclusive, that a candidate or a test pair lies in.
    """

    counts: CandidateCounts
    supply: Supply
    rules: tuple[RuleName, ...]
    test: Side | None
    presets: dict[PresetName, tuple[PhaseConfig, ...]]
    cells: tuple[int, int]

    @property
    def axis(self) -> tuple[float, float]:
        """Return the stretch of similarity that the sliders must reach over: [0, 1], or from below 0 if pairs do."""
        return min(0.0, _edge(self.cells[0])), 1.0

    def plan(self, config: CurriculumConfig) -> Plan:
        """Tell what each phase will hold."""
        return plan(self.supply, config)

    def bins(self, rule: Rule) -> ScoreBins:
        """Return the candidates by what the rule could call them, at any similarity."""
        kinds = self.supply.pairs.sum(axis=0)
        positive = {"category": kinds[1].sum(axis=0), "band": kinds.sum(axis=(0, 1))}.get(
            rule.name, kinds[:, 1].sum(axis=0)
        )
        negative = kinds[:, 0].sum(axis=0) if rule.name != "category" else kinds[0, 0]
        return self._shown(negative, positive)

    def test_bins(self) -> ScoreBins | None:
        """Return the test pairs on the same bins; None without a test set."""
        if self.test is None:
            return None
        sides = (self.test.negative_counts, self.test.positive_counts)
        negative, positive = (side.reshape(N_CELLS, -1).sum(axis=1) for side in sides)
        return self._shown(negative, positive)

    def phase_bars(self, phase: PhasePlan) -> PhaseBars:
        """Return what a phase will hold, for the figure."""
        config = phase.phase
        return PhaseBars(
            config.name,
            self._shown(phase.negative_cells, phase.positive_cells),
            (config.pos_min, config.pos_max),
            (config.neg_min, config.neg_max),
            f"{phase.n_pairs:,} pairs",
        )

    def _shown(self, negative: NDArray[np.int64], positive: NDArray[np.int64]) -> ScoreBins:
        first, last = self.cells
        return ScoreBins(
            np.arange(first, last + 1, dtype=np.float64) * STEP - 1.0, negative[first:last], positive[first:last]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """What an encoder makes of the sampled candidates, and of the test pairs.

    Attributes:
        title: Its name as pages show it.
        readings: By cell of the candidates' space.
        test_roc_auc: On the test pairs themselves; None without a test set.
    """

    title: str
    readings: Readings
    test_roc_auc: float | None

    def roc_auc(self, phase: PhasePlan) -> float | None:
        """Return the ROC-AUC that the encoder is expected to have on a phase; None where it is not defined."""
        return roc_auc_of(phase, self.readings)


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One line of the table of phases, in words.

    Attributes:
        label: What the numbers are.
        test: Of the test pairs; empty where it has none.
        phases: Of each phase.
    """

    label: str
    test: str
    phases: tuple[str, ...]


def load_pool(workspace: Workspace, job_id: str) -> Pool:
    """Read the counts of a finished candidates job."""
    counts = load_counts(read_job(workspace, job_id).folder / COUNTS)
    supply = supply_of(counts)
    test = counts.test
    side = None if test is None else _side_of(test)
    held = counts.counts.sum(axis=(0, 1, 2))
    if side is not None:
        held = held + side.positive_counts + side.negative_counts
    left = coarsen(held, width=STEP).left
    cells = (round((left[0] + 1.0) / STEP), round((left[-1] + 1.0) / STEP) + 1) if len(left) else (0, N_CELLS)
    return Pool(counts, supply, _rules_for(counts), side, _presets_for(counts), cells)


def load_baseline(workspace: Workspace, job_id: str) -> Baseline:
    """Read what a finished `readings` job found out."""
    readings = load_readings(read_job(workspace, job_id).folder)
    test = read_result(workspace, job_id)["test"]
    return Baseline(readings.title, readings, None if test is None else test["roc_auc"])


def settings_text(config: CurriculumConfig) -> str:
    """Return settings as YAML that `CurriculumConfig.from_text` and the command's `--config` read."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def command_for(
    records: str, encoding: EncodingConfig, config: CandidatesConfig, *, test: str | None, name: str
) -> str:
    """Return the command that makes the same pair set, given the settings in the file NAME.yaml.

    Args:
        records: The set whose pairs are counted.
        encoding: The space.
        config: How pairs are counted and sampled; only what is not the default is said.
        test: The pairs to resemble.
        name: Of the pair set.
    """
    parts = ["python -m simtune_core curriculum", quote(records), "--name", quote(name or "curriculum")]
    parts += ["--config", quote(f"{name or 'curriculum'}.yaml"), "--encoder", quote(encoding.encoder)]
    if encoding.precision != EncodingConfig.model_fields["precision"].default:
        parts += ["--precision", encoding.precision]
    if test:
        parts += ["--test", quote(test)]
    for field, value in config:
        if value != CandidatesConfig.model_fields[field].default:
            parts += ["--count", f"{field}={value}"]
    return " ".join(parts)


def drawn_rows(result: dict[str, Any]) -> list[PlanRow]:
    """Return the table of a drawn curriculum: what was drawn beside what was foretold and wanted, and the test set.

    Args:
        result: Of a `curriculum` job.
    """
    phases, test = result["phases"], result.get("test") or {}
    rows = []
    for label, form, name in _DRAWN:
        told = in_words(test[name], form) if name in test else ""
        rows.append(PlanRow(label, told, tuple(in_words(phase[name], form) for phase in phases)))
        if all(name in phase["foretold"] for phase in phases):
            foretold = tuple(in_words(phase["foretold"][name], form) for phase in phases)
            rows.append(PlanRow(f"{label} foretold", "", foretold))
    wanted = [phase["separability_wanted"] for phase in phases]
    named = ("as found" if value is None else in_words(value, "number") for value in wanted)
    return [*rows, PlanRow("separability wanted", "", tuple(named))]


def plan_rows(pool: Pool, made: Plan, baseline: Baseline | None = None) -> list[PlanRow]:
    """Return the table of phases: what each will hold, beside the test pairs.

    Args:
        pool: The candidates.
        made: The plan.
        baseline: An encoder that is no test of the pairs in the space they were counted in; None while it is not known.
    """
    return [*_number_rows(pool, made, baseline), *_category_rows(pool, made), *_supply_rows(pool, made)]


def table_words(pool: Pool) -> str:
    """Say whose similarities the table is about, and which pairs its column of the test are."""
    test = pool.counts.test
    told = (
        "There is no test set to hold them against."
        if test is None
        else (f"Test: {test.ref}, {len(test.labels):,} pairs; a distance is Wasserstein's, in points of cosine.")
    )
    return f"Similarity is {pool.counts.space} cosine. {told}"


def misses(phase: PhasePlan) -> bool:
    """Tell whether a phase will lack pairs, or the separability that was wanted of it."""
    wanted, found = phase.phase.separability, phase.separability
    return phase.shortage > 0 or (wanted is not None and (found is None or abs(found - wanted) > CLOSE))


def yield_in_words(phase: PhasePlan) -> str:
    """Say how many of the wanted pairs a phase gets, and what became of the others."""
    found = f"{phase.n_pairs:,} of {phase.n_wanted:,} wanted"
    return "; ".join([found, *(loss.words.rstrip(".") for loss in phase.losses)])


def _number_rows(pool: Pool, made: Plan, baseline: Baseline | None) -> list[PlanRow]:
    test, phases = pool.test, made.phases
    told = test is not None
    rows = [
        _row(label, form, getattr(test, name, None), [getattr(phase, name) for phase in phases], told=told)
        for label, form, name in _NUMBERS
    ]
    rows.insert(4, PlanRow("separability wanted", "", tuple(_wanted(phase.phase) for phase in phases)))
    space = [phase.roc_auc for phase in phases]
    rows.append(_row(f"ROC-AUC of {pool.counts.space}", "number", getattr(test, "roc_auc", None), space, told=told))
    if baseline is not None:
        found = [baseline.roc_auc(phase) for phase in phases]
        rows.append(_row(f"ROC-AUC of {baseline.title}", "number", baseline.test_roc_auc, found, told=told))
    return rows


def _category_rows(pool: Pool, made: Plan) -> list[PlanRow]:
    if not pool.counts.has_categories:
        return []
    phases = made.phases
    known = None if pool.test is None else pool.test.same_category_share_negative
    same = [_part(phase.n_same_category, phase.n_negative) for phase in phases]
    rows = [_row("same-category negatives", "share", known, same, told=known is not None)]
    if any(phase.n_cross_category for phase in phases):
        cross = [_part(phase.n_cross_category, phase.n_positive) for phase in phases]
        rows.append(_row("cross-category positives", "share", None, cross, told=False))
    return [*rows, PlanRow("pairs of a category", "", tuple(_balance(phase) for phase in phases))]


def _supply_rows(pool: Pool, made: Plan) -> list[PlanRow]:
    classes = ((1, "positives", POSITIVE_ROLES), (0, "negatives", NEGATIVE_ROLES))
    far = [
        PlanRow(f"{name}, distance to test", "", tuple(_distance(phase, label) for phase in made.phases))
        for label, name, _ in classes
        if pool.test is not None
    ]
    there = [
        PlanRow(f"{name} to choose from", "", tuple(f"{_available(phase, roles):,}" for phase in made.phases))
        for _, name, roles in classes
    ]
    return [*far, *there]


def _available(phase: PhasePlan, roles: tuple[Role, ...]) -> int:
    return sum(phase.available[role] for role in roles)


def _row(label: str, form: Form, test: Value, phases: Sequence[Value], *, told: bool = True) -> PlanRow:
    return PlanRow(label, in_words(test, form) if told else "", tuple(in_words(value, form) for value in phases))


def _wanted(phase: PhaseConfig) -> str:
    return "as found" if phase.separability is None else f"{phase.separability:.3f}"


def _part(n: int, whole: int) -> float | None:
    return n / whole if whole else None


def _balance(phase: PhasePlan) -> str:
    by_category = phase.balance.sum(axis=1)
    return f"{int(by_category.min()):,} to {int(by_category.max()):,}"


def _distance(phase: PhasePlan, label: int) -> str:
    """Word how far a class will be from the test pairs of its label."""
    found = next((each for each in phase.distances or () if each.label == label), None)
    return UNDEFINED if found is None else in_words(found.after, "number")


def _side_of(test: TestPairs) -> Side:
    return measure_side(test.similarities, test.labels, same_category=test.same_category)


def _rules_for(counts: CandidateCounts) -> tuple[RuleName, ...]:
    return tuple(name for name in get_args(RuleName) if _allows(counts, name))


def _presets_for(counts: CandidateCounts) -> dict[PresetName, tuple[PhaseConfig, ...]]:
    found = {}
    for name in PRESETS:
        with suppress(ConfigError):  # a preset that needs a test set of both classes
            found[name] = preset_phases(name, counts)
    return found


def _allows(counts: CandidateCounts, name: RuleName) -> bool:
    try:
        resolve_rule(counts, name)
    except ConfigError:
        return False
    return True


def _edge(cell: int) -> float:
    """Return the similarity at which a cell begins."""
    return round(cell * STEP - 1.0, 2)

"""What the command `curriculum` makes of its options: settings of a preset, a file and single values, and the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from simtune_core.curriculum.config import CurriculumConfig, PhaseConfig
from simtune_core.curriculum.planning import PhasePlan, Plan
from simtune_core.curriculum.presets import PresetName, preset_phases
from simtune_core.errors import ConfigError
from simtune_core.findings import Finding, finding
from simtune_core.settings import with_overrides
from simtune_core.workflows.curricula import Pool, yield_in_words

_PHASE_FIELDS = tuple(name for name in PhaseConfig.model_fields if name != "name")


def settings_for(
    pool: Pool, given: CurriculumConfig | None, preset: PresetName | None, overrides: Sequence[str]
) -> CurriculumConfig:
    """Return the settings of a curriculum as options tell them; without any they are those the page begins with.

    Args:
        pool: The counted candidates: what a preset gives depends on them.
        given: The settings of a file.
        preset: The phases to take where the file names none; cumulative by default.
        overrides: `name=value` of a common setting, `field=value` for every phase, `phase.field=value` for one.

    Raises:
        ConfigError: If the file names phases and a preset is asked for, too, the preset needs a test set and there is
            none, an override has no such name, or a value is out of its bounds.
    """
    config = given or CurriculumConfig()
    if "phases" not in config.model_fields_set:
        config = config.model_copy(update={"phases": preset_phases(preset or "cumulative", pool.counts)})
    elif preset is not None:
        raise ConfigError("The settings file names its phases, and a preset does so, too; take one of them.")
    common = [text for text in overrides if _named(text) in CurriculumConfig.model_fields]
    config = with_overrides(config, common)
    for text in overrides:
        if text not in common:
            config = _with_phase_override(config, text)
    return CurriculumConfig(**config.model_dump())


def plan_json(made: Plan) -> dict[str, Any]:
    """Return a plan as JSON: the rule, and for each phase what it will hold, what is lost and why."""
    return {
        "rule": {"name": made.rule.name, "weak": made.rule.weak, "words": made.rule.words},
        "n_pairs": made.n_pairs,
        "phases": [_phase_json(phase) for phase in made.phases],
    }


def plan_findings(made: Plan) -> list[Finding]:
    """Return what a plan cannot reach, and what is odd about it, as findings."""
    found = [finding("category_shortcut", "warning", made.shortcut)] if made.shortcut else []
    for phase in made.phases:
        if phase.losses:
            message = f"Phase {phase.phase.name} will have {yield_in_words(phase)}."
            short = phase.shortage > 0
            found.append(
                finding("phase_short" if short else "phase_otherwise", "warning" if short else "info", message)
            )
        reachable = phase.phase.reachable
        found += [
            finding(
                "phase_explained" if reachable else "target_out_of_reach", "info" if reachable else "warning",
                f"Phase {phase.phase.name}: {words}",
            )
            for words in phase.explanations
        ]  # fmt: skip
    return found


def _phase_json(phase: PhasePlan) -> dict[str, Any]:
    return {
        "name": phase.phase.name,
        "n_wanted": phase.n_wanted,
        "n_pairs": phase.n_pairs,
        "n_positive": phase.n_positive,
        "n_negative": phase.n_negative,
        "n_same_category": phase.n_same_category,
        "n_cross_category": phase.n_cross_category,
        "separability": phase.separability,
        "separability_wanted": phase.phase.separability,
        "positive_mean": phase.positive_mean,
        "negative_mean": phase.negative_mean,
        "overlap": phase.overlap,
        "roc_auc": phase.roc_auc,
        "losses": [asdict(loss) for loss in phase.losses],
        "explanations": list(phase.explanations),
    }


def _with_phase_override(config: CurriculumConfig, text: str) -> CurriculumConfig:
    name, equals, _ = text.partition("=")
    phase_name, _, field = name.strip().rpartition(".")
    told = text[len(name) - len(name.lstrip()) + len(phase_name) + bool(phase_name) :]
    names = [phase.name for phase in config.phases]
    if not equals or field not in _PHASE_FIELDS or (phase_name and phase_name not in names):
        raise ConfigError(
            f"An override must be name=value with a name among {', '.join(CurriculumConfig.model_fields)}, or "
            f"{', '.join(_PHASE_FIELDS)} for every phase, or phase.name=value for one of {', '.join(names)}; got "
            f"{text[:120]!r}."
        )
    phases = tuple(
        with_overrides(phase, [told]) if phase_name in ("", phase.name) else phase for phase in config.phases
    )
    return config.model_copy(update={"phases": phases})


def _named(text: str) -> str:
    return text.partition("=")[0].strip()

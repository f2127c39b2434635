"""The settings of a curriculum in the session: each widget holds one value, each phase its own widgets.

Presets, loaded settings and the ways here from other pages all go through `take_over`; what the widgets hold becomes
settings again in `held_config`, which is where contradictions become sentences. Draws nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from simtune_core.curriculum.config import MOST_PHASES, CurriculumConfig, PhaseConfig
from simtune_core.settings import Settings
from ui.keys import CURRICULUM_SETTINGS, config_key, key, range_key

SCOPE = "curriculum"
BANDS = (("pos_min", "pos_max"), ("neg_min", "neg_max"))  # each pair is one slider with two ends
_PHASES = key("curriculum", "phases")
_ENDS = {name for band in BANDS for name in band}


def phase_ids() -> tuple[str, ...]:
    """Return the ids of the phases in order; a phase keeps its id, and so its widgets, when another one goes."""
    return tuple(st.session_state.get(_PHASES, ()))


def phase_scope(phase_id: str) -> str:
    """Return what tells the widgets of one phase from those of another."""
    return f"{SCOPE}.{phase_id}"


def begin_with(config: CurriculumConfig) -> None:
    """Take settings over that wait in the session, else the given ones where there are none yet.

    Raises:
        ConfigError: If what waits are no settings of a curriculum; they are forgotten.
    """
    waiting = st.session_state.pop(CURRICULUM_SETTINGS, None)
    if not phase_ids():
        take_over(config)
    if waiting is not None:
        take_over(CurriculumConfig.from_text(waiting))


def take_over(config: CurriculumConfig) -> None:
    """Set every widget of the curriculum; called before they are drawn, or when one is pressed."""
    _hold(config, SCOPE, [name for name in CurriculumConfig.model_fields if name != "phases"])
    take_phases(config.phases)


def take_phases(phases: Sequence[PhaseConfig]) -> None:
    """Set the widgets of every phase; the common settings stay."""
    ids = tuple(f"p{place}" for place in range(1, len(phases) + 1))
    st.session_state[_PHASES] = ids
    for phase_id, phase in zip(ids, phases, strict=True):
        _hold_phase(phase_id, phase)


def fitting_rule(rules: Sequence[str]) -> None:
    """Go back to the automatic label rule, and say so, where the one held is not among those that can be."""
    held = config_key(CurriculumConfig, "rule", SCOPE)
    if st.session_state.get(held, "auto") not in rules:
        st.toast(f"The label rule {st.session_state[held]} does not fit these candidates; Automatic is chosen.")
        st.session_state[held] = "auto"


def add_phase() -> None:
    """Add a phase like the last one, with a name of its own, for the user to change; none beyond the most there are."""
    ids = phase_ids()
    if len(ids) >= MOST_PHASES:
        return
    names = {_value(PhaseConfig, "name", phase_scope(phase_id)) for phase_id in ids}
    free = next(name for place in range(1, 2 * MOST_PHASES) if (name := f"phase {place}") not in names)
    new = next(phase_id for place in range(1, 2 * MOST_PHASES) if (phase_id := f"p{place}") not in ids)
    for name in PhaseConfig.model_fields:
        if name not in _ENDS:
            st.session_state[config_key(PhaseConfig, name, phase_scope(new))] = _value(
                PhaseConfig, name, phase_scope(ids[-1])
            )
    for low, high in BANDS:
        st.session_state[range_key(PhaseConfig, low, high, phase_scope(new))] = band_of(ids[-1], low, high)
    st.session_state[config_key(PhaseConfig, "name", phase_scope(new))] = free
    st.session_state[_PHASES] = (*ids, new)


def remove_phase(phase_id: str) -> None:
    """Take one phase away; the last one stays."""
    left = tuple(each for each in phase_ids() if each != phase_id)
    if left:
        st.session_state[_PHASES] = left


def move_end(phase_id: str, end: str, value: float) -> None:
    """Set one end of a band, such as `pos_min`, before its slider is drawn; beyond the other end it stops there."""
    low, high = next(band for band in BANDS if end in band)
    least, most = band_of(phase_id, low, high)
    moved = round(value, 2)
    ends = (min(moved, most), most) if end == low else (least, max(moved, least))
    st.session_state[range_key(PhaseConfig, low, high, phase_scope(phase_id))] = ends


def band_of(phase_id: str, low: str, high: str) -> tuple[float, float]:
    """Return where the slider with two ends of one phase stands."""
    fallback = (PhaseConfig.model_fields[low].default, PhaseConfig.model_fields[high].default)
    ends = st.session_state.get(range_key(PhaseConfig, low, high, phase_scope(phase_id)), fallback)
    return round(ends[0], 2), round(ends[1], 2)


def held_config() -> CurriculumConfig:
    """Return what the widgets hold as settings.

    Raises:
        ConfigError: If two of them contradict each other; the message says which and how.
    """
    values = {name: _value(CurriculumConfig, name, SCOPE) for name in CurriculumConfig.model_fields if name != "phases"}
    return CurriculumConfig(**values, phases=tuple(_phase(phase_id) for phase_id in phase_ids()))


def _phase(phase_id: str) -> PhaseConfig:
    scope = phase_scope(phase_id)
    values = {name: _value(PhaseConfig, name, scope) for name in PhaseConfig.model_fields if name not in _ENDS}
    for low, high in BANDS:
        values[low], values[high] = band_of(phase_id, low, high)
    return PhaseConfig(**values)


def _hold_phase(phase_id: str, phase: PhaseConfig) -> None:
    scope = phase_scope(phase_id)
    _hold(phase, scope, [name for name in PhaseConfig.model_fields if name not in _ENDS])
    for low, high in BANDS:
        st.session_state[range_key(PhaseConfig, low, high, scope)] = (getattr(phase, low), getattr(phase, high))


def _hold(settings: Settings, scope: str, names: Sequence[str]) -> None:
    for name in names:
        st.session_state[config_key(type(settings), name, scope)] = getattr(settings, name)


def _value(config: type[Settings], name: str, scope: str) -> Any:
    """Return what a widget holds; steps of a slider are not whole in floating point."""
    held = st.session_state.get(config_key(config, name, scope), config.model_fields[name].default)
    return round(held, 4) if isinstance(held, float) else held

"""The widgets of a curriculum: label rule, preset, common settings, and a card for every phase. Plans nothing."""

from __future__ import annotations

import streamlit as st

from simtune_core.curriculum.config import MOST_PHASES, CurriculumConfig, PhaseConfig
from simtune_core.curriculum.planning import PhasePlan, Plan
from simtune_core.curriculum.presets import PRESETS
from simtune_core.workflows.curricula import Baseline, Pool, misses
from simtune_core.workflows.hardness import in_words
from ui.curriculum_settings import SCOPE, add_phase, phase_ids, phase_scope, remove_phase, take_phases
from ui.errors import shown_as_message
from ui.keys import CURRICULUM_SETTINGS, config_key, key
from ui.text import as_label
from ui.widgets import field_for, number_for, range_for, words

_COMMON = ("balance", "category_cap", "max_per_record", "seed")
_MORE = {
    "n_positives": "Positive pairs",
    "n_negatives": "Negative pairs",
    "cross_category_share": "Positives across categories",
    "same_category_share": "Negatives of one category",
    "separability": "Separability wanted",
    "shape": "Shape",
}
_PRESETS = key("curriculum", "presets")
_RULE_WORDS = {
    "auto": "Automatic",
    "duplicate_group": "Known duplicates",
    "category": "Same category",
    "band": "Similarity band alone",
    "label": "Labels of the pair set",
}


def rule_and_preset(pool: Pool, config: CurriculumConfig | None, made: Plan | None) -> None:
    """Draw what holds for all phases: label rule with its words, preset, common settings, loading, another phase.

    Args:
        pool: The candidates.
        config: What the widgets hold; None while they contradict each other.
        made: The plan of it.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rules = list(pool.rules)
        st.selectbox(
            "Label rule", rules, key=config_key(CurriculumConfig, "rule", SCOPE), format_func=_RULE_WORDS.__getitem__,
            help=CurriculumConfig.model_fields["rule"].description, persist_state="session", width=230,
        )  # fmt: skip
        _preset(pool, config)
        common = st.popover(
            "Common settings", icon=":material/tune:", key=key("curriculum", "common"), on_change="rerun"
        )
        if common.open:
            with common:
                for name in _COMMON:
                    field_for(CurriculumConfig, name, scope=SCOPE)
        _loading()
        st.button(
            "Add a phase", icon=":material/add:", key=key("curriculum", "add"), on_click=add_phase,
            disabled=len(phase_ids()) >= MOST_PHASES,
        )  # fmt: skip
    if made is not None:
        weak = ":orange-badge[:material/help: weak labels] " if made.rule.weak else ""
        st.markdown(f"{weak}:small[{as_label(made.rule.words, longest=400)}]")


def phase_cards(pool: Pool, made: Plan | None, baseline: Baseline | None) -> None:
    """Draw a card for each phase: its two bands, its other settings, and what it will hold."""
    ids = phase_ids()
    with st.grid(min(3, len(ids)), min_column_width=290):
        for place, phase_id in enumerate(ids):
            with st.container(border=True, gap="xsmall", height="stretch"):
                _card(pool, phase_id)
                if made is not None:
                    _told(pool, made.phases[place], baseline)


def _card(pool: Pool, phase_id: str) -> None:
    scope = phase_scope(phase_id)
    name = st.session_state[config_key(PhaseConfig, "name", scope)]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{as_label(name)}**")
        more = st.popover("More", key=key("curriculum", f"more.{phase_id}"), on_change="rerun", type="tertiary")
    if more.open:
        with more:
            field_for(PhaseConfig, "name", scope=scope)
            with st.grid(2, min_column_width=150):
                for setting, label in _MORE.items():
                    draw = number_for if setting == "separability" else field_for  # it may be left empty
                    draw(PhaseConfig, setting, label=label, scope=scope)
            st.button(
                "Remove this phase", key=key("curriculum", f"remove.{phase_id}"), icon=":material/delete:",
                on_click=remove_phase, args=(phase_id,), disabled=len(phase_ids()) == 1,
            )  # fmt: skip
    range_for(PhaseConfig, "pos_min", "pos_max", label="positives", scope=scope, within=pool.axis)
    range_for(PhaseConfig, "neg_min", "neg_max", label="negatives", scope=scope, within=pool.axis)


def _told(pool: Pool, phase: PhasePlan, baseline: Baseline | None) -> None:
    """Word what a phase will hold: yield with its losses, separability beside target and test, ROC-AUC, overlap."""
    icon = ":material/check_circle:" if not misses(phase) else ":material/warning:"
    wanted = "as found" if phase.phase.separability is None else f"wanted {phase.phase.separability:.3f}"
    beside = "" if pool.test is None else f" · test {in_words(pool.test.separability, 'number')}"
    read = "" if baseline is None else f" · {as_label(baseline.title)} {in_words(baseline.roc_auc(phase), 'number')}"
    lost = "".join(f"  \n:small[{as_label(loss.words, longest=300)}]" for loss in phase.losses)
    st.markdown(
        f"{icon} **{phase.n_pairs:,}** of {phase.n_wanted:,} wanted{lost}  \n"
        f"separability **{in_words(phase.separability, 'number')}** · {wanted}{beside}  \n"
        f"overlap {in_words(phase.overlap, 'share')} · ROC-AUC {in_words(phase.roc_auc, 'number')}{read}"
    )


def _preset(pool: Pool, config: CurriculumConfig | None) -> None:
    """Draw the presets as buttons: a list that followed the sliders would set them back when two moves meet a run."""
    same = (name for name, phases in pool.presets.items() if config is not None and phases == config.phases)
    label = f"Preset: {words(next(same, 'custom'))}"
    box = st.popover(label, icon=":material/stairs:", key=_PRESETS, on_change="rerun")
    if not box.open:
        return
    with box:
        for name, phases in pool.presets.items():
            st.button(words(name), key=key("curriculum", f"preset.{name}"), on_click=_take, args=(phases,))
            st.caption(PRESETS[name])


def _take(phases: tuple[PhaseConfig, ...]) -> None:
    take_phases(phases)
    st.session_state[_PRESETS] = False


def _loading() -> None:
    """Draw the way in for settings kept in a file: upload or paste; a fault is a sentence and changes nothing."""
    box = st.popover("Load settings", icon=":material/upload_file:", key=key("curriculum", "load"), on_change="rerun")
    if not box.open:
        return
    with box:
        file = st.file_uploader("YAML or JSON file", type=["yaml", "yml", "json"], key=key("curriculum", "file"))
        text = st.text_area("or paste it", key=key("curriculum", "pasted"), placeholder="phases: ...")
        if not st.button("Use these settings", key=key("curriculum", "use"), disabled=not (file or text)):
            return
        with shown_as_message("These are no settings of a curriculum; the sliders stand as they were.", stop=False):
            given = file.getvalue().decode("utf-8", errors="replace") if file else text
            CurriculumConfig.from_text(given)
            st.session_state[CURRICULUM_SETTINGS] = given
            st.rerun(scope="fragment")

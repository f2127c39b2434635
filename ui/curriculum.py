"""The curriculum on screen: sliders, what each phase will hold, the candidates, and the button that draws the pairs."""

from __future__ import annotations

import streamlit as st

from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.curriculum.phases import PhasePreview
from simtune_core.figures.candidates import candidate_histogram
from simtune_core.jobs.states import JobStatus
from simtune_core.workflows.curricula import Pool, load_pool, phase_lines
from simtune_core.workflows.requests import curriculum_request
from simtune_core.workflows.running import result_of
from ui.ask import launch_once, show_findings
from ui.errors import shown_as_message
from ui.jobs import job_panel
from ui.keys import config_key, key
from ui.live_chart import plotly_live
from ui.menu import link_to
from ui.session import current_workspace
from ui.text import as_label
from ui.widgets import field_for, slider_for

PHASES = ("easy", "medium", "hard")
_MORE = ("pairs_per_phase", "same_category_share", "balance_categories", "seed")
_SCOPE = "curriculum"


@st.cache_resource(max_entries=4, show_spinner="Reading the counts")
def pool_of(job_id: str) -> Pool:
    """Read counted candidates once per server process; they never change."""
    return load_pool(current_workspace(), job_id)


@st.fragment
def design(job: JobStatus) -> None:
    """Draw the sliders and, after each move, what the phases will hold; end with the button that draws the pairs."""
    with shown_as_message("The counted candidates cannot be read; count them again."):
        pool = pool_of(job.id)
    scope = _scope(pool)
    _start_from(pool.preset, scope)
    cards = []
    for column, name in zip(st.columns(3), PHASES, strict=True):
        with column.container(border=True):
            st.markdown(f"**{name.capitalize()}**")
            slider_for(CurriculumConfig, f"{name}_pos_min", label="positives from", scope=scope)
            slider_for(CurriculumConfig, f"{name}_neg_max", label="negatives up to", scope=scope)
            cards.append(st.container())
    with st.grid(2, min_column_width=300):
        slider_for(CurriculumConfig, "neg_min", label="negatives of every phase from", scope=scope)
        field_for(CurriculumConfig, "cumulative", label="cumulative bands", scope=scope)
    with st.expander("More settings", icon=":material/tune:"), st.grid(4, min_column_width=170):
        for setting in _MORE:
            field_for(CurriculumConfig, setting, scope=scope)
    with shown_as_message("These thresholds contradict each other."):
        config = _config(scope)
    previews = pool.preview(config)
    for card, phase in zip(cards, previews, strict=True):
        with card:
            phase_card(phase)
    figure = candidate_histogram(pool.bins, phase_lines(config), space=f"{pool.counts.space} cosine")
    alt = (
        f"Positive and negative candidates of {pool.counts.n_pairs:,} pairs by similarity, with the phases' thresholds"
    )
    plotly_live(figure, key=key("curriculum", f"pool.{job.id}"), alt=alt)
    _generate(job, config, ready=any(phase.n_pairs for phase in previews))


def phase_card(phase: PhasePreview) -> None:
    """Draw what one phase will hold: yield, separability beside the wanted one, means and overlap."""
    with st.grid(2, min_column_width=110):
        st.metric(
            "Pairs",
            phase.n_pairs,
            delta=f"{phase.shortage:,} missing" if phase.shortage else None,
            delta_color="inverse",
            delta_arrow="off",
            format="localized",
            help=f"{phase.n_positive_available:,} positive and {phase.n_negative_available:,} negative candidates.",
        )
        st.metric(
            "Separability",
            "not defined" if phase.separability is None else f"{phase.separability:.3f}",
            delta=f"wanted {phase.separability_wanted:.2f}",
            delta_color="off",
            delta_arrow="off",
            help="Expected mean positive minus mean negative similarity; measured again on the pairs drawn.",
        )
    overlap = "not defined" if phase.overlap is None else f"{100 * phase.overlap:.1f} %"
    st.caption(
        f"positive mean {_mean(phase.positive_mean)}, negative mean {_mean(phase.negative_mean)}, overlap {overlap}"
    )


def _scope(pool: Pool) -> str:
    """Keep the sliders of the two label rules apart: what fits one contradicts the other."""
    return _SCOPE if pool.counts.rule == "duplicate_group" else f"{_SCOPE}_{pool.counts.rule}"


def _start_from(config: CurriculumConfig, scope: str) -> None:
    """Let the sliders begin at the preset that fits the label rule, where it is not the class's default."""
    for name, value in config:
        field = config_key(CurriculumConfig, name, scope)
        if field not in st.session_state and value != CurriculumConfig.model_fields[name].default:
            st.session_state[field] = value


def _config(scope: str) -> CurriculumConfig:
    held = {
        name: st.session_state.get(config_key(CurriculumConfig, name, scope)) for name in CurriculumConfig.model_fields
    }
    chosen = {name: round(value, 2) if isinstance(value, float) else value for name, value in held.items()}
    return CurriculumConfig(**{name: value for name, value in chosen.items() if value is not None})


def _generate(job: JobStatus, config: CurriculumConfig, *, ready: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name of the pair set", value="curriculum", key=key("curriculum", "name"), width=280)
        pressed = st.button(
            "Generate", type="primary", disabled=not ready, key=key("curriculum", "generate"), icon=":material/stairs:"
        )
    held = key("curriculum", "job")
    if pressed:
        with shown_as_message("This was not generated; the workspace is as it was."):
            request = curriculum_request(current_workspace(), job.id, config.model_dump(mode="json"), name)
            st.session_state[held] = launch_once(request, key=key("curriculum", "launch"))
        st.rerun()


def generated() -> None:
    """Draw the job that draws the pairs, and what it made."""
    job_id = st.session_state.get(key("curriculum", "job"))
    if job_id is None:
        return
    with shown_as_message("What was generated cannot be shown any more."):
        status = job_panel(job_id, key=key("curriculum", "panel"))
        if status.state != "done":
            return
        result = result_of(current_workspace(), job_id)
    rows = [
        {
            "phase": phase["name"],
            "pairs": phase["n_pairs"],
            "positive": phase.get("n_positive"),
            "negative": phase.get("n_negative"),
            "same category": phase["n_same_category"],
            "separability": phase["separability"],
            "wanted": phase["separability_wanted"],
            "overlap": phase.get("overlap"),
        }
        for phase in result["phases"]
    ]
    st.header(f"{as_label(result['dataset'])}: {result['n_pairs']:,} pairs")
    numbers = {name: st.column_config.NumberColumn(format="%.3f") for name in ("separability", "wanted")}
    numbers["overlap"] = st.column_config.NumberColumn(format="percent")
    st.dataframe(rows, hide_index=True, column_config=numbers, alt=f"The phases of {result['dataset']} as drawn")
    show_findings(result["findings"])
    link_to("training", "Train on it")


def _mean(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"

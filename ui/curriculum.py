"""The tab Cut of the curriculum page: sliders that answer at once, and below what they would make.

Everything that a move redraws is one fragment; it reads what `pool_of` keeps, and neither disk nor jobs.
"""

from __future__ import annotations

import streamlit as st

from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.curriculum.planning import Plan
from simtune_core.workflows.curricula import Baseline, Pool, load_baseline, load_pool
from ui.ask import Answer
from ui.curriculum_cards import phase_cards, rule_and_preset
from ui.curriculum_made import generate_row
from ui.curriculum_numbers import notices, plan_figure, plan_table, take_dragged_line
from ui.curriculum_settings import begin_with, fitting_rule, held_config
from ui.curriculum_sources import Sources
from ui.errors import shown_as_message
from ui.session import current_workspace

_WIDE_AT_MOST = 4  # phases whose table stands beside the figure; that of more stands below


@st.cache_resource(max_entries=4, show_spinner="Reading the counts")
def pool_of(job_id: str) -> Pool:
    """Read counted candidates once per server process; they never change."""
    return load_pool(current_workspace(), job_id)


@st.cache_resource(max_entries=4, show_spinner=False)
def baseline_of(job_id: str) -> Baseline:
    """Read an encoder's readings once per server process; they never change."""
    return load_baseline(current_workspace(), job_id)


@st.fragment
def cut_panel(counted: Answer, sources: Sources, readings: str | None) -> None:
    """Draw the sliders and, after each move, what the phases will hold; end with the button that draws the pairs.

    Args:
        counted: The candidates job that is done.
        sources: What was counted, as chosen.
        readings: Id of the job in which the baseline read the candidates; None while there is none.
    """
    with shown_as_message("The counted candidates cannot be read; count them again."):
        pool = pool_of(counted.job.id)
        baseline = None if readings is None else baseline_of(readings)
    with shown_as_message(
        "The settings that were to be loaded are none of a curriculum; the sliders stand.", stop=False
    ):
        begin_with(CurriculumConfig(phases=pool.presets["cumulative"]))
    take_dragged_line(counted.job.id)
    fitting_rule(pool.rules)
    config, made = None, None
    fault = st.container()
    with (
        fault,
        shown_as_message("These settings contradict each other; nothing is planned until they do not.", stop=False),
    ):
        config = held_config()
        made = pool.plan(config)
    rule_and_preset(pool, config, made)
    phase_cards(pool, made, baseline)
    if config is not None and made is not None:
        _planned(pool, made, baseline, counted.job.id)
    generate_row(counted, sources, config, ready=made is not None and made.n_pairs > 0)


def _planned(pool: Pool, made: Plan, baseline: Baseline | None, job_id: str) -> None:
    notices(made)
    wide = len(made.phases) > _WIDE_AT_MOST
    left, right = (st.container(), st.container()) if wide else st.columns(2)
    with left:
        plan_figure(pool, made, job_id)
    with right:
        plan_table(pool, made, baseline)

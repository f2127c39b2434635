"""What a planned curriculum holds, on screen: notices, the table beside the test pairs, the figure on one axis."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import streamlit as st

from simtune_core.curriculum.planning import Plan
from simtune_core.figures.curriculum import LINES_PER_PHASE, curriculum_figure
from simtune_core.workflows.curricula import Baseline, PlanRow, Pool, misses, plan_rows, table_words
from simtune_core.workflows.hardness import in_words
from ui.curriculum_settings import BANDS, move_end, phase_ids
from ui.keys import key
from ui.live_chart import moved_line, plotly_live
from ui.text import as_label

_ENDS = tuple(end for band in BANDS for end in band)  # the order of a phase's lines in the figure
_ROW_HEIGHT = 30  # pixels
_APPLIED = key("curriculum", "line_applied")  # browser time of the last drag that was taken over


def take_dragged_line(job_id: str) -> None:
    """Move the band whose line was dragged in the figure; called before the sliders are drawn, once per drag."""
    line = moved_line(_chart(job_id))
    if line is None or line.at == st.session_state.get(_APPLIED):
        return
    st.session_state[_APPLIED] = line.at
    phase, end = divmod(line.place, LINES_PER_PHASE)
    if phase < len(phase_ids()):
        move_end(phase_ids()[phase], _ENDS[end], line.x)


def notices(made: Plan) -> None:
    """Draw what the settings make impossible or odd: a warning where a phase or the labels go wrong, else a note."""
    for missed, draw in ((True, st.warning), (False, st.info)):
        told = [
            f"**{as_label(phase.phase.name)}**: {as_label(sentence, longest=600)}"
            for phase in made.phases
            if misses(phase) == missed
            for sentence in phase.explanations
        ]
        if missed and made.shortcut:
            told.append(as_label(made.shortcut, longest=600))
        if told:
            draw("  \n".join(told), icon=":material/rule:")


def plan_figure(pool: Pool, made: Plan, job_id: str) -> None:
    """Draw the candidates, and under them what each phase takes, with its bands as lines that can be dragged."""
    figure = curriculum_figure(
        pool.bins(made.rule),
        [pool.phase_bars(phase) for phase in made.phases],
        pool.test_bins(),
        space=f"{pool.counts.space} cosine",
        revision=job_id,
    )
    told = "; ".join(
        f"{phase.phase.name} {phase.n_pairs:,} pairs, separability {in_words(phase.separability, 'number')}"
        for phase in made.phases
    )
    alt = f"Candidates by similarity and what each phase takes of them: {told}"
    plotly_live(figure, key=_chart(job_id), alt=alt)


def plan_table(pool: Pool, made: Plan, baseline: Baseline | None) -> None:
    """Draw every number of every phase beside the test pairs."""
    told = table_words(pool)
    names = [phase.phase.name for phase in made.phases]
    phases_table(
        names, plan_rows(pool, made, baseline), alt=f"What every phase will hold beside the test pairs. {told}"
    )
    st.caption(as_label(told, longest=600))


def phases_table(phases: Sequence[str], rows: Sequence[PlanRow], *, alt: str) -> None:
    """Draw rows of numbers with a column for the test set and one for each phase.

    Args:
        phases: Their names, in order.
        rows: What is shown, in words.
        alt: What the table tells.
    """
    lines = [(row.label, row.test, *row.phases) for row in rows]
    columns_of_text = zip(*lines, strict=True)
    cells = pa.table({str(place): list(column) for place, column in enumerate(columns_of_text)})  # no way by pandas
    columns = {
        str(place): st.column_config.TextColumn(name, alignment="right" if place else "left", pinned=not place)
        for place, name in enumerate(["", "test set", *phases])
    }
    st.dataframe(cells, hide_index=True, height="content", row_height=_ROW_HEIGHT, column_config=columns, alt=alt)


def _chart(job_id: str) -> str:
    return key("curriculum", f"pool.{job_id}")

"""The distributions of a measured difficulty: histograms that a threshold follows, and the pairs behind their bars."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from simtune_core.difficulty.banding import Band
from simtune_core.difficulty.config import DifficultyConfig
from simtune_core.pairs import text_id
from simtune_core.settings import bounds
from simtune_core.workflows.distributions import (
    PAGE_ROWS,
    BandPage,
    Facet,
    band_of_cell,
    confusion_curve,
    facets_of,
    pairs_in_band,
    thresholds_of,
)
from simtune_core.workflows.hardness import common_bins, in_words, space_of, usual_grey_zone
from ui.ask import Answer
from ui.errors import shown_as_message
from ui.keys import key
from ui.session import current_workspace
from ui.text import as_label
from ui.threshold_explorer import (
    MODELS_AT_MOST,
    ExplorerLook,
    ExplorerModel,
    ExplorerState,
    Form,
    threshold_explorer,
)

_FORMS: dict[str, Form] = {"Histogram": "bars", "Cumulative": "lines"}
_BAND_STEP = 0.005
_KINDS = {"all": "all", "positive": "similar", "negative": "different"}
_BAND, _OF, _KIND = (key("difficulty", name) for name in ("band", "band_of", "band_kind"))
_APPLIED = key("difficulty", "band_click")
_HEIGHT = 400


def grey_zone() -> tuple[float, float]:
    """Draw the slider of the grey zone and return its ends; what follows it is counted in bins already."""
    low, high = st.slider(
        "Grey zone",
        0.0,
        bounds(DifficultyConfig, "grey_high")[1],
        usual_grey_zone(),
        0.01,
        key=key("difficulty", "grey"),
        help=DifficultyConfig.model_fields["grey_low"].description,
        bind="query-params",
        persist_state="session",
    )
    return low, high


@st.fragment
def distributions_panel(answer: Answer, *, grey: tuple[float, float] | None = None) -> None:
    """Draw the histograms of a measurement with a threshold that is dragged, and the pairs of a band below.

    Args:
        answer: A `difficulty` job that is done.
        grey: The grey zone to shade; the usual one by default.
    """
    result = answer.result
    zone = grey or usual_grey_zone()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        facets = _pick_facets(facets_of(result))
        form = st.segmented_control(
            "Drawn as", list(_FORMS), default="Histogram", required=True, key=key("difficulty", "form"),
            bind="query-params", persist_state="session",
        )  # fmt: skip
    thresholds = thresholds_of([facet.side for facet in facets])
    state = threshold_explorer(
        [
            ExplorerModel(
                name=facet.name, curve=confusion_curve(facet.side, thresholds), bins=bins, note=_note(facet, zone)
            )
            for facet, bins in zip(facets, common_bins([facet.side for facet in facets]), strict=True)
        ],
        index=int(np.abs(thresholds - 0.5).argmin()),
        key=key("difficulty", f"explorer.{answer.job.id}"),
        look=ExplorerLook(
            space=space_of(result), shares=True, form=_FORMS[form], zone=zone, stacked=True, clickable=True, height=260
        ),
    )
    _take_click(state, thresholds)
    _pairs_of_band(answer, facets, zone, least=float(thresholds[0]))


def _pick_facets(facets: list[Facet]) -> list[Facet]:
    """Draw the choice of what is shown where there are phases; else show the sets."""
    sets = [facet for facet in facets if facet.phase is None]
    if len(facets) == len(sets):
        return sets
    names = {facet.name: facet for facet in facets}
    held = key("difficulty", "facets")
    if any(name not in names for name in st.session_state.get(held, [])):
        del st.session_state[held]
    chosen = st.multiselect(
        "Shown",
        list(names),
        default=[facet.name for facet in sets],
        max_selections=MODELS_AT_MOST,
        key=held,
        help="Sets and their phases, up to four beside each other.",
        persist_state="session",
    )
    return [names[name] for name in chosen] or sets


def _note(facet: Facet, zone: tuple[float, float]) -> str:
    side = facet.side
    grey = in_words(side.grey_share(*zone), "share")
    return (
        f"{side.n_pairs:,} pairs, {in_words(side.prevalence, 'share')} similar; separability "
        f"{in_words(side.separability, 'number')}; {grey} in the grey zone {zone[0]:.2f} to {zone[1]:.2f}"
    )


def _take_click(state: ExplorerState, thresholds: np.ndarray) -> None:
    """Set the band's widgets to the bar or the cell that was clicked, once per click."""
    if not state.clicked_at or st.session_state.get(_APPLIED) == state.clicked_at:
        return
    st.session_state[_APPLIED] = state.clicked_at
    if state.bar is not None:
        band, of = Band(state.bar.low, state.bar.high, state.bar.kind), state.bar.model
    elif state.cell is not None and state.model is not None:
        of = state.model
        band = band_of_cell(state.cell, float(thresholds[state.indices.get(of, state.index)]))
    else:
        return
    st.session_state[_BAND] = (band.low, band.high)
    st.session_state[_OF], st.session_state[_KIND] = of, band.kind


def _pairs_of_band(answer: Answer, facets: list[Facet], zone: tuple[float, float], *, least: float) -> None:
    st.header("Pairs of a band")
    st.caption("Click a bar or a cell above, or choose here; the hardest pairs come first.")
    names = [facet.name for facet in facets]
    if st.session_state.get(_OF) not in (None, *names):
        del st.session_state[_OF]
    held = st.session_state.get(_BAND, zone)
    st.session_state[_BAND] = tuple(max(least, round(round(end / _BAND_STEP) * _BAND_STEP, 3)) for end in held)
    st.session_state.setdefault(_KIND, "all")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        of = st.selectbox("Of", names, key=_OF, persist_state="session")
        ends: Any = st.slider(  # of two ends, because the session's value has two
            "Similarity", least, 1.0, step=_BAND_STEP, key=_BAND, persist_state="session"
        )
        kind: Any = st.segmented_control(
            "Labelled", list(_KINDS), required=True, key=_KIND, format_func=lambda name: _KINDS[name],
            persist_state="session",
        )  # fmt: skip
    facet = facets[names.index(of or names[0])]
    band = Band(ends[0], ends[1], kind, facet.phase)
    paged = key("difficulty", f"band_page.{text_id(f'{answer.job.id} {facet.name} {band}')}")  # each band has its own
    with shown_as_message("The pairs cannot be read."):
        found = pairs_in_band(
            current_workspace(),
            answer.job.id,
            answer.result,
            facet.place,
            band,
            page=int(st.session_state.get(paged) or 1),
        )
    what = "pairs" if kind == "all" else f"{_KINDS[kind]} pairs"
    stretch = f"{band.low:.3f} <= similarity < {band.high:.3f}"
    st.text(f"{found.n_found:,} {what} of {facet.name} with {stretch}, {space_of(answer.result)}")
    if found.n_found:
        _band_table(found, facet.name, paged)


def _band_table(found: BandPage, name: str, paged: str) -> None:
    st.dataframe(
        found.frame,
        hide_index=True,
        height=_HEIGHT if len(found.frame) > 10 else "content",
        alt=f"{len(found.frame)} of {found.n_found} pairs of {name} in the band",
        column_config={
            "similarity": st.column_config.NumberColumn(format="%.4f", width="small"),
            "label": st.column_config.TextColumn(width="small"),
            "score": st.column_config.NumberColumn(format="%.2f", width="small"),
            "sentence1": st.column_config.TextColumn(width="large"),
            "sentence2": st.column_config.TextColumn(width="large"),
        },
    )
    if found.n_pages > 1:
        st.pagination(found.n_pages, key=paged)
        st.caption(as_label(f"{PAGE_ROWS} pairs a page."))

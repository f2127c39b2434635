"""The map section of a page: what to draw, the map, the rows of a selection, and whose neighbours changed most."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from simtune_core.encoders.catalogue import list_encoders
from simtune_core.figures.maps import Colouring, kept_neighbours, shown_names, side_by_side
from simtune_core.figures.style import DISTINCT
from simtune_core.workflows.maps import (
    DrawnMap,
    Of,
    ProjectionConfig,
    colourings,
    hover_texts,
    map_request,
    read_map,
    sets_of_pairs,
)
from simtune_core.workspace import Workspace
from ui.ask import Answer, answer_to, show_findings
from ui.errors import shown_as_message
from ui.keys import key
from ui.point_map import MapDrawing, MapState, packed, point_map
from ui.session import current_workspace
from ui.text import as_label
from ui.widgets import pick_one, settings_from

ROWS_AT_MOST = 500  # of a selection, in the table
_MOST_CHANGED = 100
_ALONE = "none"
_SETTINGS = ("n_neighbors", "min_dist", "n_most", "seed")
_VIEW = key("difficulty", "map_view")


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is drawn now."""

    drawn: DrawnMap
    colouring: Colouring
    in_colour: tuple[str, ...]


def map_section(workspace: Workspace, ref: str, against: str | None, encoder: str, precision: str = "auto") -> None:
    """Draw the map of a set, or of two, in an encoder's space; a job draws it, and a second look is at once.

    Args:
        workspace: Where everything lies.
        ref: Records or pairs.
        against: A second set, told apart by colour; None for one set.
        encoder: The space.
        precision: Number format of the encoders.
    """
    _section(str(workspace.root), ref, against, encoder, precision)


@st.fragment
def _section(root: str, ref: str, against: str | None, encoder: str, precision: str) -> None:
    del root  # the workspace is the server's; it tells two fragments apart
    workspace = current_workspace()
    with shown_as_message("There is no map of these data.", stop=False):
        answer = _asked(workspace, [ref, *([against] if against else [])], encoder, precision)
        if answer is None:
            return
        show_findings(answer.result["findings"])
        _explore(_read(answer.job.id))


def _asked(workspace: Workspace, sets: list[str], encoder: str, precision: str) -> Answer | None:
    """Draw the controls and return the map that they ask for, or the way to it and None."""
    of: Of = "records"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if sets_of_pairs(workspace, sets):
            of = st.segmented_control(
                "Points", ["records", "pairs"], default="records", required=True, key=key("difficulty", "map_of"),
                format_func={"records": "texts", "pairs": "pairs"}.__getitem__, bind="query-params",
                persist_state="session",
            )  # fmt: skip
        others = [name for name in list_encoders(workspace) if name != encoder]
        second = pick_one("Second space beside it", [_ALONE, *others], key=key("difficulty", "map_second"))
        with st.popover("Map settings", icon=":material/tune:"):
            config = settings_from(ProjectionConfig, scope="difficulty.map", names=_SETTINGS)
    encoders = [encoder] if second in (None, _ALONE) else [encoder, str(second)]
    request = map_request(workspace, sets, encoders, of=of, precision=precision, config=config)
    why = "UMAP takes about half a minute for 10,000 points and each space; afterwards the map is there at once."
    return answer_to(request, key=key("difficulty", "map_ask"), button="Draw the map", why=why)


@st.cache_resource(max_entries=4, show_spinner="Reading the map")
def _read(job_id: str) -> DrawnMap:
    """Read a finished map once per server process; it never changes."""
    return read_map(current_workspace(), job_id)


@st.cache_resource(max_entries=4, show_spinner=False)
def _hover(job_id: str) -> str:
    return packed(hover_texts(_read(job_id)))


def _explore(drawn: DrawnMap) -> None:
    """Draw the map with its colouring, then the rows selected, the groups and the change."""
    shown = _coloured(drawn)
    state = _draw(shown)
    groups = _groups_table(shown)
    _selected_rows(shown, state, groups)
    if drawn.result["change"]:
        _change(drawn)


def _coloured(drawn: DrawnMap) -> _Shown:
    """Let the reader choose what colours the points, and which classes where there are many."""
    offered = colourings(drawn)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = pick_one("Colour by", list(offered), key=key("difficulty", "map_colour"))
        colouring = offered[chosen] if chosen else Colouring("points", ("all",), np.zeros(len(drawn), np.int32))
        picked: list[str] = []
        if len(colouring.names) > DISTINCT:
            picked = st.multiselect(
                f"In colour, at most {DISTINCT} of {len(colouring.names)}", colouring.names, max_selections=DISTINCT,
                placeholder=f"the {DISTINCT} largest", key=_table_key("map_names", "\n".join(colouring.names)),
            )  # fmt: skip
    return _Shown(drawn, colouring, tuple(picked))


def _draw(shown: _Shown) -> MapState:
    drawn, colouring = shown.drawn, shown.colouring
    figure = side_by_side(drawn.layers, colouring, in_colour=shown.in_colour, revision=drawn.job)
    trust = " and ".join(f"{each['title']} {each['trustworthiness']:.2f}" for each in drawn.result["maps"])
    alt = f"Map of {len(drawn):,} {drawn.what}, coloured by {colouring.title}; trustworthiness in {trust}"
    names = shown_names(colouring, shown.in_colour)
    drawing = MapDrawing(figure, drawn.job, _hover(drawn.job), names, colouring.title, drawn.what)
    state = point_map(drawing, key=_VIEW, alt=alt)
    refs = " and ".join(each["ref"] for each in drawn.result["sets"])
    of_all = "" if len(drawn) == drawn.result["n_all"] else f" of {drawn.result['n_all']:,}"
    words = (
        f"{len(drawn):,}{of_all} {drawn.what} of {refs}. Only nearness means something: the axes, and how wide a gap "
        "is, do not."
    )
    st.caption(as_label(words, longest=600))
    return state


def _groups_table(shown: _Shown) -> NDArray[np.int64]:
    """Draw the classes as a table, the way to the rows without a mouse; return the points of the classes chosen."""
    colouring, drawn = shown.colouring, shown.drawn
    if colouring.numbers is not None:
        return np.zeros(0, np.int64)
    counts = colouring.counts
    table = pd.DataFrame({colouring.title: colouring.names, drawn.what: counts, "share": counts / max(1, len(drawn))})
    if "kept" in drawn.points:
        kept = drawn.points["kept"].groupby(colouring.codes).mean()
        table["neighbours kept, mean"] = kept.reindex(range(len(table))).to_numpy()
    with st.expander(as_label(f"Groups by {colouring.title} ({len(table)})"), icon=":material/table_rows:"):
        event = st.dataframe(
            table,
            key=_table_key("map_groups", table.to_csv()),
            hide_index=True,
            height="auto" if len(table) > 8 else "content",
            on_select="rerun",
            selection_mode="multi-row",
            alt=f"{drawn.what} of each {colouring.title} on the map; select rows for their {drawn.what}",
            column_config={
                "share": st.column_config.NumberColumn(format="percent"),
                "neighbours kept, mean": st.column_config.NumberColumn(format="%.2f"),
            },
        )
    return np.flatnonzero(np.isin(colouring.codes, event.selection.rows))


def _selected_rows(shown: _Shown, state: MapState, of_groups: NDArray[np.int64]) -> None:
    """Draw the rows inside the outline, or of the groups chosen, or of both where both are; and the point clicked."""
    drawn = shown.drawn
    places = of_groups
    if state.region is not None:
        places = drawn.within(min(state.region.layer, len(drawn.neighbours) - 1), state.region.corners)
        places = np.intersect1d(places, of_groups) if len(of_groups) else places
    chosen = state.region is not None or len(of_groups) > 0
    point = state.point
    if chosen or point is not None:
        st.subheader(f"{len(places):,} {drawn.what} selected" if chosen else "The point clicked")
    if chosen and len(places) == 0:
        st.info("No point lies inside. Draw around some points.", icon=":material/info:")
    elif chosen:
        point = _table(drawn, places[:ROWS_AT_MOST], "map_rows", f"The {drawn.what} selected on the map", point)
        if len(places) > ROWS_AT_MOST:
            st.caption(f"The first {ROWS_AT_MOST:,} of {len(places):,} are shown.")
    if point is not None and point < len(drawn):
        _neighbours(drawn, point)


def _change(drawn: DrawnMap) -> None:
    """Draw how far the neighbourhoods differ between the two spaces, and where most."""
    change, (first, second) = drawn.result["change"], [each["title"] for each in drawn.result["maps"]]
    st.subheader("Neighbourhoods that changed")
    words = (
        f"Of the {change['k']} nearest {drawn.what} in the whole space of {first}, {change['mean_kept']:.1f} are also "
        f"among the {change['k']} nearest in {second} on average: mean neighbourhood change (1 - Jaccard) "
        f"{change['mean']:.3f}, median {change['median']:.3f}."
    )
    st.markdown(as_label(words, longest=600))
    left, right = st.columns((2, 3))
    with left:
        figure = kept_neighbours(change["n_kept"], what=drawn.what, height=300)
        alt = f"{change['mean_kept']:.1f} of {change['k']} neighbours are the same in {first} and {second} on average"
        st.plotly_chart(figure, key=key("difficulty", "map_kept"), alt=alt)
    with right:
        places = drawn.most_changed(_MOST_CHANGED)
        point = _table(drawn, places, "map_changed", f"The {drawn.what} whose neighbours changed most", None)
    if point is not None:
        _neighbours(drawn, point)


def _table(drawn: DrawnMap, places: NDArray[np.int64], name: str, alt: str, otherwise: int | None) -> int | None:
    """Draw rows of points and return the point of the row selected, else `otherwise`."""
    wide = {column: st.column_config.TextColumn(width="large") for column in ("text", "sentence1", "sentence2")}
    event = st.dataframe(
        drawn.rows(places),
        key=_table_key(name, places.tobytes()),
        hide_index=True,
        height=300,
        on_select="rerun",
        selection_mode="single-row",
        alt=alt,
        column_config=wide,
    )
    rows = event.selection.rows
    return int(places[rows[0]]) if rows and rows[0] < len(places) else otherwise


def _table_key(name: str, content: str | bytes) -> str:
    """Return the key of a table or list whose selection is forgotten when its rows change."""
    digest = zlib.crc32(content.encode() if isinstance(content, str) else content)
    return key("difficulty", f"{name}.{digest:08x}")


def _neighbours(drawn: DrawnMap, point: int) -> None:
    """Draw one point in full, and its nearest points in each space."""
    itself = drawn.rows(np.array([point])).iloc[0]
    with st.container(border=True):
        for name in ("text", "sentence1", "sentence2"):
            if name in itself:
                st.text(itself[name])
        known = (f"{name}: {value}" for name, value in itself.items() if name not in ("text", "sentence1", "sentence2"))
        st.caption(as_label(" · ".join(known), longest=600))
    for place, column in enumerate(st.columns(len(drawn.neighbours))):
        words = f"Nearest {drawn.what} in {drawn.result['maps'][place]['title']}"
        with column:
            st.caption(as_label(words))
            st.dataframe(drawn.nearest_rows(point, place), hide_index=True, height="content", alt=words)

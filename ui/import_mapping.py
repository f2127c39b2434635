"""What the columns of a foreign table mean: roles, options, and the questions that only the user can answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pandas as pd
import streamlit as st

from simtune_core.importing.drafting import Questions
from simtune_core.importing.options import ImportKind, ImportOptions
from simtune_core.importing.values import LabelValue
from simtune_core.workflows import importing
from ui.keys import key
from ui.widgets import select_for, text_for, toggle_for

_ABSENT = "(none)"
_KINDS: dict[ImportKind, str] = {"records": "a record", "pairs": "a pair"}
_SEPARATORS = {"\n": "a line break", " ": "a space", ". ": "a full stop", " - ": "a dash"}
_MEANINGS = {1: "1 similar", 0: "0 not similar", None: "leave out"}
_SCALES = ((0.0, 5.0), (1.0, 5.0), (0.0, 10.0), (0.0, 100.0), (-1.0, 1.0))
_AS_IT_IS = (0.0, 1.0)
_MAKERS = {"a person": False, "a rule": True}


def choose_kind(columns: list[str], token: str) -> ImportKind:
    """Draw whether each row is a record or a pair, the guess chosen."""
    chosen: ImportKind = st.segmented_control(
        "Each row is",
        list(_KINDS),
        default=importing.guess_kind(columns),
        required=True,
        key=key("data", f"kind.{token}"),
        format_func=lambda name: _KINDS[name],
    )
    return chosen


def choose_columns(columns: list[str], kind: ImportKind, token: str) -> dict[str, tuple[str, ...]]:
    """Draw which column plays which role, the guess chosen; roles that nothing plays wait behind a button."""
    guessed = importing.guess_columns(columns, kind)
    asked = [role for role in importing.GUESSES[kind] if role in guessed or role in importing.REQUIRED[kind]]
    further = [role for role in importing.GUESSES[kind] if role not in asked]
    chosen: dict[str, tuple[str, ...]] = {}
    texts = [role for role in asked if role in importing.REQUIRED[kind]]
    for n_columns, roles in ((2, texts), (4, [role for role in asked if role not in texts])):
        with st.grid(n_columns, min_column_width=170):
            for role in roles:
                chosen[role] = _column_of(role, columns, guessed, f"{kind}-{role}-{token}")
    with st.popover("More columns", icon=":material/add:", type="tertiary"):
        for role in further:
            chosen[role] = _column_of(role, columns, guessed, f"{kind}-{role}-{token}")
    return {role: named for role, named in chosen.items() if named}


def choose_options(columns: Mapping[str, tuple[str, ...]], kind: ImportKind, token: str) -> dict[str, Any]:
    """Draw the options that change the data, all off at first; return those that were chosen."""
    scope, fields = f"import.{token}", ImportOptions.model_fields
    chosen: dict[str, Any] = {}
    with st.expander("Options", icon=":material/settings:"):
        masks = st.pills(
            "Mask personal data",
            list(get_args(get_args(fields["mask"].annotation)[0])),
            selection_mode="multi",
            help=fields["mask"].description,
            key=key("data", f"mask.{token}"),
        )
        chosen["mask"] = tuple(masks or ())
        chosen["repair_mojibake"] = toggle_for(
            ImportOptions, "repair_mojibake", label="Repair wrongly decoded texts", scope=scope
        )
        chosen["unmark_formulas"] = toggle_for(
            ImportOptions, "unmark_formulas", label="Remove apostrophes before formulas", scope=scope
        )
        if kind == "records":
            chosen["on_duplicate_id"] = select_for(
                ImportOptions, "on_duplicate_id", label="When an id stands in an earlier row", scope=scope
            )
            chosen["keep_columns"] = toggle_for(
                ImportOptions, "keep_columns", label="Keep further columns", scope=scope
            )
        if kind == "pairs":
            chosen |= _label_origin(token, scope)
        if any(len(named) > 1 for named in columns.values()):
            chosen["separator"] = st.selectbox(
                "Between the parts of a text",
                list(_SEPARATORS),
                format_func=lambda separator: _SEPARATORS[separator],
                help=fields["separator"].description,
                width=280,
                key=key("data", f"separator.{token}"),
            )
    return {name: value for name, value in chosen.items() if value != fields[name].get_default()}


def answer_questions(questions: Questions, token: str) -> dict[str, Any]:
    """Draw what only the user can say of the values: labels, the scale of scores, the order of day and month."""
    answers: dict[str, Any] = {}
    if questions.labels:
        answers["labels"] = _label_meanings(questions.labels, token)
    if questions.score_offer is not None and questions.score_found is not None:
        answers["score_range"] = _scale(questions.score_found, questions.score_offer, token)
    if questions.time_example is not None:
        answers["day_first"] = _day_first(questions, token)
    return {name: value for name, value in answers.items() if value not in (None, {})}


def _column_of(role: str, columns: list[str], guessed: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    label = role.replace("_", " ").capitalize()
    if role in importing.TEXT_ROLES and role != "negative":
        return tuple(
            st.multiselect(
                label,
                columns,
                default=list(guessed.get(role, ())),
                help="Several columns are joined in this order.",
                placeholder="choose",
                key=key("data", f"role.{name}"),
            )
        )
    options = [_ABSENT, *columns]
    start = options.index(guessed[role][0]) if role in guessed else 0
    picked = st.selectbox(label, options, index=start, key=key("data", f"role.{name}"))
    return () if picked == _ABSENT else (picked,)


def _label_origin(token: str, scope: str) -> dict[str, Any]:
    """Draw who or what made the labels; nothing is chosen at first."""
    made = st.segmented_control(
        "The labels were made by",
        list(_MAKERS),
        help=ImportOptions.model_fields["weak_labels"].description,
        key=key("data", f"weak_labels.{token}"),
    )
    words = text_for(ImportOptions, "labels_from", label="Where the labels come from", scope=scope, empty="not said")
    return {"weak_labels": _MAKERS.get(made or ""), "labels_from": words}


def _label_meanings(values: tuple[LabelValue, ...], token: str) -> dict[str, int]:
    """Draw the values of the label column with their counts and proposed meanings; empty until they are confirmed."""
    st.markdown("The labels are not plainly 0 and 1. **What do they mean?**")
    proposed = pd.DataFrame(
        {
            "value": [each.value for each in values],
            "rows": [each.n for each in values],
            "means": [_MEANINGS[each.meaning] for each in values],
        }
    )
    edited = st.data_editor(
        proposed,
        hide_index=True,
        width=460,
        disabled=["value", "rows"],
        column_config={
            "means": st.column_config.SelectboxColumn(options=list(_MEANINGS.values()), required=True),
            "rows": st.column_config.NumberColumn(format="localized"),
        },
        key=key("data", f"labels.{token}"),
        alt=f"{len(values)} values of the label column with their counts and what they mean",
    )
    confirmed = st.toggle("These meanings are right", key=key("data", f"labels_right.{token}"))
    meanings = {words: meaning for meaning, words in _MEANINGS.items() if meaning is not None}
    told = dict(zip(edited["value"], edited["means"], strict=True))
    return {str(value): meanings[words] for value, words in told.items() if words in meanings} if confirmed else {}


def _scale(found: tuple[float, float], offer: tuple[float, float], token: str) -> tuple[float, float] | None:
    """Draw the choice of the scale on which the scores are; None until it is said."""
    fitting = [scale for scale in _SCALES if scale[0] <= found[0] and found[1] <= scale[1]]
    scales = list(dict.fromkeys([offer, *fitting, _AS_IT_IS]))
    return st.selectbox(
        f"The scores run from {found[0]:g} to {found[1]:g}. The scale they are on",
        scales,
        index=None,
        placeholder=f"choose, such as {offer[0]:g} to {offer[1]:g}",
        format_func=lambda scale: (
            f"{scale[0]:g} to {scale[1]:g}" + (" (scores outside are faults)" if scale == _AS_IT_IS else "")
        ),
        width=460,
        key=key("data", f"scale.{token}"),
    )


def _day_first(questions: Questions, token: str) -> bool | None:
    st.markdown("Times such as the one below can be read in two ways. **Which comes first?**")
    st.text(questions.time_example)
    hint = {True: "Other rows say: the day.", False: "Other rows say: the month.", None: None}[questions.day_first]
    said = st.segmented_control(
        "First comes", ["the day", "the month"], help=hint, key=key("data", f"day_first.{token}")
    )
    if hint:
        st.caption(hint)
    return None if said is None else said == "the day"

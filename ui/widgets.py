"""Widgets drawn from the settings classes, so that a page never repeats a default, a bound or a help text.

Also the pickers of pair sets and encoders. Every value survives page switches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args, get_origin

import streamlit as st

from simtune_core.settings import AnySettings, Settings, bounds
from ui.keys import config_key, range_key

_BUTTONS_AT_MOST = 4
_FINE = 0.01  # step of a slider of similarities; a float default below it is a rate, typed as 5e-05
_STEPS_AT_MOST = 64  # whole numbers beyond are typed


def field_for(
    config: type[Settings], name: str, *, label: str | None = None, scope: str = "config", empty: str = "default"
) -> Any:
    """Draw the widget that fits one setting's type: toggle, choice, slider between two bounds, number or text.

    Args:
        config: The settings class.
        name: The field.
        label: Text above the widget; the field's title or name by default.
        scope: Tells two widgets of the same setting apart.
        empty: What stands faintly in the box of a setting that may be left empty.

    Returns:
        The value chosen, of the field's type.
    """
    kind = config.model_fields[name].annotation
    if kind is bool:
        return toggle_for(config, name, label=label, scope=scope)
    if get_origin(kind) is Literal:
        return select_for(config, name, label=label, scope=scope)
    if kind in (int, float):
        drawn = slider_for if _fits_a_slider(config, name) else number_for
        return drawn(config, name, label=label, scope=scope)
    return text_for(config, name, label=label, scope=scope, empty=empty)


def settings_from(config: type[AnySettings], *, scope: str, names: Sequence[str] | None = None) -> AnySettings:
    """Draw the widgets of several settings and return them checked.

    Args:
        config: The settings class.
        scope: Tells two widgets of the same setting apart.
        names: The fields drawn, in order; all by default. The others keep their defaults.

    Raises:
        ConfigError: If the values contradict each other; the message says how.
    """
    chosen = {name: field_for(config, name, scope=scope) for name in names or config.model_fields}
    changed = {name: value for name, value in chosen.items() if value != _default(config, name)}
    return config(**changed)


def slider_for(
    config: type[Settings], name: str, *, step: float | None = None, label: str | None = None, scope: str = "config"
) -> float:
    """Draw the slider of one setting that has a least and a greatest value.

    Args:
        config: The settings class.
        name: The field.
        step: Distance of two positions; else the field's `multiple_of`, else 0.01 (1 for whole numbers).
        label: Text above the widget; the field's title or name by default.
        scope: Tells two widgets of the same setting apart.
    """
    kind = _number_type(config, name)
    low, high = bounds(config, name)
    size = kind(step or _multiple(config, name) or (1 if kind is int else _FINE))
    return st.slider(
        min_value=kind(low) + size * _excludes(config, name, "gt"),
        max_value=kind(high) - size * _excludes(config, name, "lt"),
        value=kind(_default(config, name)),
        step=size,
        **_common(config, name, label, scope),
    )


def range_for(
    config: type[Settings],
    low: str,
    high: str,
    *,
    label: str,
    scope: str = "config",
    within: tuple[float, float] | None = None,
) -> tuple[float, float]:
    """Draw one slider with two ends for two settings: where a stretch begins and where it ends.

    Args:
        config: The settings class.
        low: The field of the lower end.
        high: The field of the upper end.
        label: Text above the widget.
        scope: Tells two widgets of the same settings apart.
        within: Least and greatest position; the fields' bounds by default.

    Returns:
        Both ends, rounded to the step of 0.01.
    """
    fields = [config.model_fields[name] for name in (low, high)]
    least, most = within or (bounds(config, low)[0], bounds(config, high)[1])
    chosen = st.slider(
        label,
        float(least),
        float(most),
        (float(_default(config, low)), float(_default(config, high))),
        _FINE,
        key=range_key(config, low, high, scope),
        help=" ".join(field.description or "" for field in fields),
        persist_state="session",
    )
    return round(chosen[0], 2), round(chosen[1], 2)


def number_for(
    config: type[Settings], name: str, *, step: float | None = None, label: str | None = None, scope: str = "config"
) -> float | None:
    """Draw the number box of one setting; small floats are shown as 5e-05. Arguments as for `slider_for`.

    A setting that may be None has an empty box then.
    """
    kind = _number_type(config, name)
    low, high = bounds(config, name)
    held = _default(config, name)
    default: Any = None if held is None else kind(held)
    small = kind is float and default is not None and 0 < abs(default) < _FINE
    fallback = 1 if kind is int else (default / 10 if small and default else _FINE)
    return st.number_input(
        min_value=None if low is None else kind(low),
        max_value=None if high is None else kind(high),
        value=default,
        step=kind(step or _multiple(config, name) or fallback),
        placeholder="none",
        format="%d" if kind is int else ("%.1e" if small else "%.4g"),
        **_common(config, name, label, scope),
    )


def select_for(config: type[Settings], name: str, *, label: str | None = None, scope: str = "config") -> Any:
    """Draw the choice among the values of a `Literal` setting: buttons up to four, a list beyond."""
    options = list(get_args(config.model_fields[name].annotation))
    default = _default(config, name)
    common = _common(config, name, label, scope)
    if len(options) <= _BUTTONS_AT_MOST:
        return st.segmented_control(options=options, default=default, required=True, format_func=words, **common)
    return st.selectbox(options=options, index=options.index(default), format_func=words, **common)


def toggle_for(config: type[Settings], name: str, *, label: str | None = None, scope: str = "config") -> bool:
    """Draw the switch of a yes-or-no setting."""
    return st.toggle(value=_default(config, name), **_common(config, name, label, scope))


def text_for(
    config: type[Settings], name: str, *, label: str | None = None, scope: str = "config", empty: str = "default"
) -> Any:
    """Draw the text box of a text setting or of a list of texts separated by commas; an empty box shows `empty`."""
    default = _default(config, name)
    many = isinstance(default, list | tuple)
    shown = ", ".join(map(str, default)) if many else str(default or "")
    text = st.text_input(value=shown, placeholder=empty, **_common(config, name, label, scope))
    return type(default)(part.strip() for part in text.split(",") if part.strip()) if many else text


def pick_one(
    label: str,
    options: Sequence[str],
    *,
    key: str,
    default: str | None = None,
    format_func: Callable[[str], str] = str,
    help: str | None = None,
) -> str | None:
    """Draw a list to choose one pair set, encoder, run or job from; the choice stands in the address.

    Args:
        label: Text above the list.
        options: What can be chosen, in the order shown.
        key: Session-state key, also the name in the address.
        default: What is chosen at first; the first option by default. One that is not there is passed over.
        format_func: How an option is shown; plain text.
        help: Our own words behind the question mark.

    Returns:
        The chosen option, or None if there are none. A choice that has vanished falls back to the default.
    """
    names = list(options)
    _forget_vanished(key, names)
    start = names.index(default) if default in names else 0
    return st.selectbox(
        label,
        names,
        index=start if names else None,
        key=key,
        format_func=format_func,
        help=help,
        placeholder="none yet" if not names else "choose",
        disabled=not names,
        bind="query-params",
        persist_state="session",
    )


def _forget_vanished(key: str, names: list[str]) -> None:
    held = st.session_state.get(key)
    if held is None:
        return
    several = held if isinstance(held, list) else [held]
    if any(name not in names for name in several):
        del st.session_state[key]


def _fits_a_slider(config: type[Settings], name: str) -> bool:
    low, high = bounds(config, name)
    if low is None or high is None:
        return False
    default = abs(_default(config, name) or 0.0)
    if _number_type(config, name) is int:
        return high - low <= _STEPS_AT_MOST
    return high - low <= 2 and not 0 < default < _FINE


def _common(config: type[Settings], name: str, label: str | None, scope: str) -> dict[str, Any]:
    field = config.model_fields[name]
    return {
        "label": label or field.title or (words(name) if len(name) > 2 else name),
        "help": field.description,
        "key": config_key(config, name, scope),
        "persist_state": "session",
    }


def words(name: Any) -> str:
    """Show a name as words: `lora_alpha` -> `LoRA alpha`; other spellings (MPNet, CoSENT) stay as they are."""
    text = str(name)
    words = text.replace("_", " ").capitalize() if text.islower() else text
    return re.sub(r"^Lora\b", "LoRA", words)


def _default(config: type[Settings], name: str) -> Any:
    return config.model_fields[name].get_default(call_default_factory=True)


def _excludes(config: type[Settings], name: str, bound: str) -> bool:
    """Tell whether a bound (`gt`, `lt`) is itself not allowed, so that a slider ends one step inside."""
    return any(hasattr(item, bound) for item in config.model_fields[name].metadata)


def _number_type(config: type[Settings], name: str) -> type[int] | type[float]:
    return int if config.model_fields[name].annotation in (int, int | None) else float


def _multiple(config: type[Settings], name: str) -> float | None:
    metadata = config.model_fields[name].metadata
    return next((item.multiple_of for item in metadata if hasattr(item, "multiple_of")), None)

"""Columns that are not text: labels and what they mean, scores and their scale, times and the order of day and month.

Nothing is guessed silently: what is not plain is proposed with its counts, and has to be stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.importing.texts import arrow_of, series_of

SHOWN_VALUES = 50  # label values listed with their counts
_MISSING = {"", "nan", "null", "none", "na", "n/a", "-", "?"}
_MEANS_1 = {"1", "yes", "y", "true", "t", "similar", "same", "duplicate", "match", "positive", "pos", "related",
            "paraphrase", "equivalent", "ja", "oui", "si", "sí"}  # fmt: skip
_MEANS_0 = {"0", "-1", "no", "n", "false", "f", "dissimilar", "different", "distinct", "negative", "neg", "unrelated",
            "not similar", "not duplicate", "not_duplicate", "no match", "nein", "non"}  # fmt: skip
_SCALES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 5.0), (0.0, 10.0), (0.0, 100.0))
_DAY_OR_MONTH = r"^\s*([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})"
_UNIX_SECONDS = r"^[0-9]{9,10}(?:\.[0-9]+)?$"
_UNIX_MILLISECONDS = r"^[0-9]{12,13}$"
_TWELVE_HOURS = ("%Y-%m-%d %I:%M %p", "%Y-%m-%d %I:%M:%S %p")


@dataclass(frozen=True, slots=True)
class LabelValue:
    """One value of a label column.

    Attributes:
        value: As the file spells it, blanks around it removed.
        n: In how many rows.
        meaning: What it is said to mean, or what is proposed: 1 similar, 0 not, None where nothing can be said.
    """

    value: str
    n: int
    meaning: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """A label column as read.

    Attributes:
        column: 0, 1 or NaN, shape (n_rows,).
        missing: Where the file has no label.
        unknown: Where the label is neither 0 nor 1 and nothing was said of it.
        found: The values with their counts, most frequent first; empty where all are plainly 0 or 1.
        asks: Whether the meaning of the values has to be confirmed first.
    """

    column: pd.Series
    missing: NDArray[np.bool_]
    unknown: NDArray[np.bool_]
    found: tuple[LabelValue, ...]
    asks: bool


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """A score column as read.

    Attributes:
        column: In [0, 1], NaN where `broken` or `outside`; shape (n_rows,).
        broken: Where it is no finite number.
        outside: Where the number lies outside the scale.
        found: The least and the greatest number as the file has them; None without any.
        offer: The scale to state, where the numbers leave [0, 1] and none was stated.
    """

    column: pd.Series
    broken: NDArray[np.bool_]
    outside: NDArray[np.bool_]
    found: tuple[float, float] | None
    offer: tuple[float, float] | None


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """A time column as read.

    Attributes:
        column: ISO 8601 in UTC such as `2026-04-03T12:00:00Z`, null where unknown or broken; shape (n_rows,).
        broken: Where the file has something that is no time.
        n_without_zone: Times that name no offset and are taken as UTC.
        ambiguous: A time that can be read with the day or the month first, where the order was not stated; else None.
        day_first: What the other times say of that order; None if nothing.
    """

    column: pd.Series
    broken: NDArray[np.bool_]
    n_without_zone: int
    ambiguous: str | None
    day_first: bool | None


def numbers_of(raw: pd.Series) -> pd.Series:
    """Return texts as finite numbers, NaN where a text is none."""
    numbers = pd.to_numeric(raw.str.strip(), errors="coerce").astype("float64")
    return numbers.where(np.isfinite(numbers))


def is_missing(raw: pd.Series) -> NDArray[np.bool_]:
    """Tell where a value is absent, or spelled as absent (`nan`, `null`, `n/a`)."""
    stripped = raw.str.strip()
    return (raw.isna() | stripped.str.lower().isin(_MISSING)).to_numpy(bool)


def looks_graded(raw: pd.Series) -> bool:
    """Tell whether a label column is a score in truth: numbers throughout, some of them not whole."""
    told = pd.Series(raw.unique(), dtype="str")
    told = told[~is_missing(told)]
    numbers = numbers_of(told)
    return bool(len(told) and numbers.notna().all() and (numbers % 1 != 0).any())


def read_labels(raw: pd.Series, meanings: Mapping[str, int]) -> Labels:
    """Read a label column.

    Args:
        raw: The column as text.
        meanings: What each value means; if any is given, only these values are labels.
    """
    stripped = raw.str.strip()
    missing = is_missing(raw)
    numbers = numbers_of(raw)
    plain = numbers.isin([0, 1]).to_numpy()
    values = stripped.map(dict(meanings)).astype("float64") if meanings else numbers.where(plain)
    unknown = ~missing & values.isna().to_numpy()
    odd = bool((~missing & ~plain).any())
    counted = stripped[~missing].value_counts() if odd or meanings else pd.Series(dtype="int64")
    found = tuple(
        LabelValue(str(value), int(n), meanings.get(str(value), propose_meaning(str(value))))
        for value, n in counted.head(SHOWN_VALUES).items()
    )
    return Labels(values, missing, unknown, found, odd and not meanings)


def propose_meaning(value: str) -> int | None:
    """Propose what a label value means: 1 similar, 0 not, None where its word says neither."""
    word = value.strip().casefold()
    with suppress(ValueError):
        word = f"{float(word):g}"
    if word in _MEANS_1:
        return 1
    return 0 if word in _MEANS_0 else None


def read_scores(raw: pd.Series, scale: tuple[float, float] | None) -> Scores:
    """Read a score column and bring it to [0, 1].

    Args:
        raw: The column as text.
        scale: Its lowest and highest score as stated; None takes the numbers as they are.
    """
    numbers = numbers_of(raw)
    broken = numbers.isna().to_numpy()
    found = None if broken.all() else (float(numbers.min()), float(numbers.max()))
    low, high = scale or (0.0, 1.0)
    outside = ~broken & ~numbers.between(low, high).to_numpy()
    values = numbers if (low, high) == (0.0, 1.0) else (numbers - low) / (high - low)
    offer = offered_scale(found) if found and scale is None and outside.any() else None
    return Scores(values.where(~outside), broken, outside, found, offer)


def offered_scale(found: tuple[float, float]) -> tuple[float, float]:
    """Return the usual scale on which numbers from `found[0]` to `found[1]` fit, else these two themselves."""
    fitting = (scale for scale in _SCALES if scale[0] <= found[0] and found[1] <= scale[1])
    return next(fitting, found)


def read_times(raw: pd.Series, day_first: bool | None) -> Times:
    """Read a time column: ISO 8601, unix seconds or milliseconds, or day, month and year in a stated order.

    Args:
        raw: The column as text.
        day_first: Whether 03/04/2026 is the third of April; None where it was not stated.
    """
    absent = is_missing(raw)
    parts = raw.str.extract(_DAY_OR_MONTH)
    numbered = parts[0].notna().to_numpy() & ~absent
    first, second = (pd.to_numeric(parts[column][numbered], errors="coerce") for column in (0, 1))
    hint = _order_of(first, second)
    if numbered.any() and day_first is None:
        example = str(raw[numbered].iloc[0])
        return Times(raw.mask(raw.notna()), np.zeros(len(raw), dtype=bool), 0, example, hint)
    times = _parsed(raw.where(~absent), parts, numbered, first_is_day=bool(day_first))
    broken = ~absent & times.isna().to_numpy()
    zoned = raw.str.contains(r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})\s*$").fillna(False).to_numpy(bool)
    unix = raw.str.contains(f"{_UNIX_SECONDS}|{_UNIX_MILLISECONDS}").fillna(False).to_numpy(bool)
    n_naive = int((times.notna().to_numpy() & ~zoned & ~unix).sum())
    return Times(_as_iso(times), broken, n_naive, None, hint)


def _order_of(first: pd.Series, second: pd.Series) -> bool | None:
    """Return what numbers above 12 say of the order of day and month; None if nothing, or both."""
    day_leads, month_leads = bool((first > 12).any()), bool((second > 12).any())
    return None if day_leads == month_leads else day_leads


def _parsed(raw: pd.Series, parts: pd.DataFrame, numbered: NDArray[np.bool_], *, first_is_day: bool) -> pd.Series:
    """Return times in UTC, NaT where a text is none."""
    import pyarrow.compute as pc

    texts = raw.str.strip()
    if numbered.any():
        iso = parts[2] + "-" + parts[1 if first_is_day else 0].str.zfill(2) + "-"
        iso += parts[0 if first_is_day else 1].str.zfill(2)
        rest = series_of(pc.replace_substring_regex(arrow_of(texts), _DAY_OR_MONTH, ""), texts.index)
        texts = texts.mask(numbered, iso + rest.str.replace(", ", " ", regex=False))
    times = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True).astype("datetime64[us, UTC]")
    for pattern in _TWELVE_HOURS:
        left = times.isna() & texts.notna()
        if not left.any():
            break
        times[left] = pd.to_datetime(texts[left], format=pattern, errors="coerce", utc=True)
    units: tuple[tuple[str, Literal["s", "ms"]], ...] = ((_UNIX_SECONDS, "s"), (_UNIX_MILLISECONDS, "ms"))
    for pattern, unit in units:
        unix = texts.str.match(pattern).fillna(False).to_numpy(bool)
        if unix.any():
            moments = pd.to_datetime(pd.to_numeric(texts[unix]), unit=unit, utc=True, errors="coerce")
            times = times.where(~unix, moments.astype(times.dtype))
    return times


def _as_iso(times: pd.Series) -> pd.Series:
    """Return times as ISO 8601 texts in UTC, to the second where none is finer; null where unknown."""
    known = times.notna().to_numpy()
    plain = times.dt.tz_localize(None).to_numpy("datetime64[us]")
    whole = not (plain[known].astype("int64") % 1_000_000).any()
    words = np.datetime_as_string(plain, unit="s" if whole else "us")
    return pd.Series(np.char.add(words, "Z"), index=times.index, dtype="str").where(known)

"""Words for people: numbers with units, and text of others made safe to stand in a Markdown label."""

from __future__ import annotations

import re

LONGEST_LABEL = 200
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-!|<>~$:^&])")
_SHORTCODE = re.compile(r":(?=[\w+-]+(?::|$))")  # a backslash does not keep `:train:` from becoming a picture
_JOINER = "\u2060"  # has no width and allows no break


def as_label(text: str, *, longest: int = LONGEST_LABEL) -> str:
    """Return text of a user, a file or a log so that Markdown shows it as it is and fetches nothing.

    Args:
        text: Any text; line breaks become blanks.
        longest: Characters kept; what is beyond is cut off with an ellipsis.
    """
    line = " ".join(text.split())
    cut = line if len(line) <= longest else line[: longest - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", _SHORTCODE.sub(f":{_JOINER}", cut))


def duration(seconds: float) -> str:
    """Word a duration: `under 1 s`, `40 s`, `6 min`, `2 h 10 min`, `3 d 4 h`."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def count(number: float) -> str:
    """Word a count with thousands separators."""
    return f"{number:,.0f}"

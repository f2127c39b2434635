"""A result as one HTML file that needs nothing else: sentences, tables and figures, readable for years.

The text of it may come from data, so the template escapes everything; scripts are Plotly's own alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from simtune_core.figures.style import for_export

_TEMPLATE = Path(__file__).with_name("document.html")


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One part of a document.

    Attributes:
        title: Its heading; the first section may have none.
        sentences: Paragraphs.
        columns: Head of the table.
        rows: The table's cells, as wide as `columns`.
        figure: A figure, drawn with real colours for paper.
        alt: The figure's takeaway in words.
    """

    title: str = ""
    sentences: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    figure: go.Figure | None = None
    alt: str = ""


def html_document(title: str, made: str, sections: Sequence[Section]) -> str:
    """Return sections as a self-contained HTML page: no request leaves it, and no text of it is taken for markup.

    Args:
        title: Its heading and its name in the browser.
        made: By what it was made, and when.
        sections: The parts, in order.

    Returns:
        About 5 MB where there is a figure (Plotly's own script), a few KB else.
    """
    from jinja2 import Environment
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    drawn = [
        ""
        if section.figure is None
        else Markup(for_export(section.figure).to_html(full_html=False, include_plotlyjs=False, default_width="100%"))
        for section in sections
    ]
    template = Environment(autoescape=True, trim_blocks=True).from_string(_TEMPLATE.read_text(encoding="utf-8"))
    figures = any(drawn)
    plotly = Markup(get_plotlyjs()) if figures else ""
    return template.render(title=title, made=made, sections=sections, drawn=drawn, figures=figures, plotly=plotly)

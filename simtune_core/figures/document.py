"""A result as one HTML file that needs nothing else: sentences, tables and figures, readable for years.

The text of it may come from data, so the template escapes everything; scripts are Plotly's own alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from simtune_core.figures.style import for_export

_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; \
style-src 'unsafe-inline'; img-src data: blob:; font-src data:">
<title>{{ title }}</title>
<style>
body { font: 15px/1.5 "Source Sans 3", "Segoe UI", sans-serif; color: #141414; background: #fff; max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.9rem; margin-bottom: .2rem; } h2 { font-size: 1.3rem; margin-top: 2.2rem; }
.lead { font-size: 1.1rem; } .made { color: #595959; }
table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #e4e2df; padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; max-width: 26rem; }
td.number { text-align: right; }
</style>
{% if figures %}<script>{{ plotly }}</script>{% endif %}
</head>
<body>
<h1>{{ title }}</h1>
<p class="made">{{ made }}</p>
{% for section in sections %}
<section>
{% if section.title %}<h2>{{ section.title }}</h2>{% endif %}
{% for sentence in section.sentences %}<p{% if not section.title %} class="lead"{% endif %}>{{ sentence }}</p>
{% endfor %}
{% if section.figure is not none %}<div role="img" aria-label="{{ section.alt }}">{{ drawn[loop.index0] }}</div>{% endif %}
{% if section.rows %}<table>
<thead><tr>{% for column in section.columns %}<th scope="col">{{ column }}</th>{% endfor %}</tr></thead>
<tbody>{% for row in section.rows %}<tr>{% for cell in row %}<td{% if cell is number %} class="number"{% endif %}>\
{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table>{% endif %}
</section>
{% endfor %}
</body>
</html>
"""


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
    template = Environment(autoescape=True, trim_blocks=True).from_string(_TEMPLATE)
    figures = any(drawn)
    plotly = Markup(get_plotlyjs()) if figures else ""
    return template.render(title=title, made=made, sections=sections, drawn=drawn, figures=figures, plotly=plotly)

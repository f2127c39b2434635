"""A report is one file: whole without a network, and text of data in it stays text."""

import re

import plotly.graph_objects as go

from simtune_core.figures.document import Section, html_document

EVIL = "<script>alert(1)</script> ![x](http://evil/x.png) & <img src=x onerror=alert(1)>"


def test_text_of_data_is_never_markup():
    page = html_document(EVIL, EVIL, [Section(EVIL, [EVIL], [EVIL], [[EVIL, 1.5]])])

    assert "<script" not in page and "<img" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 7


def test_a_figure_is_drawn_with_real_colours_and_needs_no_request():
    figure = go.Figure(go.Bar(x=[0, 1], y=[2, 3], name=EVIL.replace("<", "&lt;"), marker={"color": "#000001"}))
    page = html_document("Difficulty", "simtune", [Section("Shape", figure=figure, alt='two "bars"')])

    assert 'aria-label="two &#34;bars&#34;"' in page
    assert '"color":"#0072B2"' in page.replace('": "', '":"')
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    assert "<script" in page and not re.search(r"(src|href)=", outside)
    assert "default-src 'none'" in page


def test_a_document_without_figures_is_small():
    page = html_document("T", "m", [Section(sentences=["One sentence."]), Section("Rows", columns=["a"], rows=[["b"]])])

    assert len(page.encode()) < 5_000
    assert '<p class="lead">One sentence.</p>' in page and "<td>b</td>" in page

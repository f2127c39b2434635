"""The explorer of pair sets in a real browser: a click on a bar tells its pairs; lines and zone are drawn."""

import shutil
from importlib.resources import files

import pytest

from simtune_core.workspace import CHECKOUT

APP = """
import numpy as np
import streamlit as st
from simtune_core.evaluation.thresholds import threshold_table
from simtune_core.figures.histograms import ScoreBins
from ui.threshold_explorer import ExplorerLook, ExplorerModel, threshold_explorer

# [0.2, 0.3) holds 6 negative and 2 positive pairs, [0.6, 0.7) 2 positive ones; the second set holds twice as many
scores, labels = np.array([0.25] * 8 + [0.65] * 2), np.array([0] * 6 + [1] * 4)
edges = np.linspace(0, 1, 11)

def model(name, times):
    bins = [times * np.histogram(scores[labels == kind], edges)[0] for kind in (0, 1)]
    curve = threshold_table(np.repeat(scores, times), np.repeat(labels, times)).confusions_at(np.linspace(0, 1, 201))
    return ExplorerModel(name, curve, ScoreBins(edges, *bins), note=f"{10 * times} pairs")

form = st.segmented_control("Form", ["bars", "lines"], default="bars", required=True)
state = threshold_explorer(
    [model("<i>train</i>", 1), model("test", 2)],
    index=100,
    key="p.sets",
    look=ExplorerLook(shares=True, form=form, zone=(0.4, 0.6), stacked=True, clickable=True),
)
bar = state.bar
st.text(f"bar {bar.kind} of {bar.model} {bar.low:.2f} {bar.high:.2f}" if bar else f"no bar, cell {state.cell}")
"""


@pytest.fixture
def page(chromium, serve, tmp_path):
    app = tmp_path / "app" / "bars_app.py"
    app.parent.mkdir()
    app.write_text(APP)
    (app.parent / "static").mkdir()
    shutil.copyfile(files("plotly") / "package_data" / "plotly.min.js", app.parent / "static" / "plotly.min.js")
    shutil.copytree(CHECKOUT / ".streamlit", app.parent / ".streamlit")
    page = chromium.new_context().new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.goto(serve(app=app))
    page.locator(".te-plot .bars").nth(3).wait_for(state="attached", timeout=60_000)
    page.wait_for_timeout(300)
    yield page
    page.context.close()


def click_at(page, card, x, y):
    """Click a place of a chart in the units of its axes."""
    plot = page.locator(".te-plot").nth(card)
    plot.scroll_into_view_if_needed()
    page.wait_for_timeout(400)  # two clicks within Plotly's 300 ms are a double click, which means something else
    box = plot.locator(".nsewdrag").bounding_box()
    left, low = plot.evaluate(
        "(plot, at) => [plot._fullLayout.xaxis.d2p(at[0]), plot._fullLayout.yaxis.d2p(at[1])]", [x, y]
    )
    page.mouse.move(box["x"] + left, box["y"] + low)
    page.wait_for_timeout(150)
    page.mouse.click(box["x"] + left, box["y"] + low)


def test_a_click_says_which_bar_of_which_set_was_meant(page):
    click_at(page, 0, 0.27, 10)  # 20 % of the pairs are positive there and stand in front
    page.get_by_text("bar positive of <i>train</i> 0.20 0.30").wait_for()
    click_at(page, 1, 0.23, 45)  # 60 % are negative: the part above the positive ones
    page.get_by_text("bar negative of test 0.20 0.30").wait_for()
    click_at(page, 1, 0.62, 40)  # above both
    page.get_by_text("bar all of test 0.60 0.70").wait_for()
    page.locator(".te-card").nth(0).locator("button[data-cell=fn]").click()
    page.get_by_text("no bar, cell fn").wait_for()
    # sets of different size stand on one scale, each shades the grey zone, and names and notes are text
    tops = [page.locator(".te-plot").nth(card).evaluate("plot => plot._fullLayout.yaxis.range[1]") for card in (0, 1)]
    assert tops[0] == tops[1] == pytest.approx(63)
    shapes = (
        page.locator(".te-plot")
        .nth(0)
        .evaluate("plot => plot.layout.shapes.map((shape) => [shape.type, shape.x0, shape.x1])")
    )
    assert ["rect", 0.4, 0.6] in shapes and shapes[0][0] == "line"
    assert page.locator(".te-card").nth(0).inner_text().startswith("<i>train</i>\n10 pairs")
    page.get_by_text("lines", exact=True).click()
    page.wait_for_function("document.querySelector('.te-plot').data[0].type === 'scatter'")
    assert page.locator(".te-plot").nth(0).evaluate("plot => plot.data.map((trace) => trace.y.at(-1))") == [100, 100]
    click_at(page, 0, 0.61, 50)
    page.get_by_text("bar all of <i>train</i> 0.60 0.70").wait_for()
    assert page.faults == []

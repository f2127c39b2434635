"""Our components in a real browser: live while dragging, silent on the wire, zoom kept, no request to another host."""

import shutil
from importlib.resources import files

import pytest

from simtune_core.figures.style import CATEGORY
from simtune_core.workspace import CHECKOUT

APP = """
import numpy as np
import plotly.graph_objects as go
import streamlit as st
from simtune_core.evaluation.thresholds import threshold_table
from simtune_core.figures.histograms import ScoreBins
from simtune_core.figures.style import finish
from ui.live_chart import plotly_live
from ui.threshold_explorer import ExplorerModel, threshold_explorer

rng = np.random.default_rng(0)
labels = np.arange(1000) % 2
scores = (0.4 + 0.2 * labels + 0.15 * rng.normal(size=1000)).clip(0, 1)
edges = np.linspace(0, 1, 51)
bins = ScoreBins(edges, np.histogram(scores[labels == 0], edges)[0], np.histogram(scores[labels == 1], edges)[0])
curve = threshold_table(scores, labels).confusions_at(np.linspace(0, 1, 201))
st.title("Components")
state = threshold_explorer(
    [
        ExplorerModel("base", curve, bins, baseline=True, chosen=0.45),
        ExplorerModel("<b>head</b>", curve, bins, failed_check="the adapter is not in the forward pass."),
    ],
    index=100,
    key="p.te",
)
st.text(f"index {state.index} cell {state.cell} of {state.model}")
st.code(" ".join(f"{name}={int(getattr(curve, name)[state.index])}" for name in ("tn", "fp", "fn", "tp")))
n_points = st.slider("Points", 10, 100, 10)
figure = finish(go.Figure(go.Scatter(y=np.arange(n_points))), x="step", y="loss", height=200)
plotly_live(figure, key="p.live", alt="loss per step")
"""


@pytest.fixture
def address(serve, tmp_path):
    app = tmp_path / "app" / "components_app.py"
    app.parent.mkdir()
    app.write_text(APP)
    (app.parent / "static").mkdir()
    shutil.copyfile(files("plotly") / "package_data" / "plotly.min.js", app.parent / "static" / "plotly.min.js")
    shutil.copytree(CHECKOUT / ".streamlit", app.parent / ".streamlit")
    return serve(app=app)


@pytest.fixture
def page(chromium, address):
    """Yield the drawn page, with its messages to the server, requests and errors as `sent`, `asked` and `faults`."""
    page = chromium.new_context(color_scheme="dark").new_page()
    page.sent, page.asked, page.faults = [], [], []
    page.on("websocket", lambda socket: socket.on("framesent", lambda _: page.sent.append(1)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.goto(address)
    page.get_by_text("index 100 cell None of None").wait_for(timeout=60_000)
    page.locator(".te-plot .bars").nth(3).wait_for(state="attached")
    page.locator(".simtune-chart .scatterlayer").wait_for(state="attached")
    page.wait_for_timeout(500)
    yield page
    page.context.close()


def test_components_are_live_silent_and_plain(page, address):
    index = drag(page)
    click_the_failed_model(page, index)
    move_by_keyboard(page, index)
    grow_the_live_chart(page)
    assert page.faults == []
    assert {url.split("/")[2] for url in page.asked if url.startswith("http")} == {address.split("/")[2]}


def drag(page):
    """Drag from 0.5 to 0.7: numbers and counts follow, nothing is sent; one message at the end."""
    slider = page.get_by_role("slider", name="Decision threshold")
    box = slider.bounding_box()
    n_before = len(page.sent)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(1, 21):
        page.mouse.move(box["x"] + box["width"] * (0.5 + 0.01 * step), box["y"] + box["height"] / 2)
        page.wait_for_timeout(10)
    page.wait_for_timeout(200)
    while_dragging = [cell.inner_text() for cell in page.locator(".te-cell b").all()[:4]]
    assert len(page.sent) == n_before
    page.mouse.up()
    index = int(slider.input_value())
    page.get_by_text(f"index {index} cell None of None").wait_for()
    page.wait_for_timeout(500)
    assert len(page.sent) == n_before + 1
    assert 130 < index < 150
    told = dict(part.split("=") for part in page.get_by_test_id("stCode").inner_text().split())
    assert while_dragging == [f"{name.upper()} {told[name]}" for name in ("tn", "fp", "fn", "tp")]
    return index


def click_the_failed_model(page, index):
    """Click a cell: it is a button. The failed model says so in words, and its name is text, not markup."""
    page.locator(".te-card").nth(1).locator("button[data-cell=fp]").click()
    page.get_by_text(f"index {index} cell fp of <b>head</b>").wait_for()
    failed = page.locator(".te-card.te-failed").inner_text()
    assert "⚠ <b>head</b>" in failed
    assert "Do not trust these numbers: the adapter is not in the forward pass." in failed


def move_by_keyboard(page, index):
    """Move by one step, then back to the threshold chosen on dev."""
    page.get_by_role("slider", name="Decision threshold").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text(f"index {index + 1} cell fp").wait_for()
    page.get_by_role("button", name="go to dev threshold 0.45").click()
    page.get_by_text("index 90 cell fp").wait_for()


def grow_the_live_chart(page):
    """Zoom, then add a point: the chart keeps the zoom, and its line has the dark theme's first colour."""
    chart = page.locator(".simtune-chart")
    chart.scroll_into_view_if_needed()
    box = chart.locator(".nsewdrag").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], middle, steps=5)
    page.mouse.up()
    page.wait_for_function("document.querySelector('.simtune-chart')._fullLayout.xaxis.autorange === false")
    zoomed = chart.evaluate("element => element._fullLayout.xaxis.range")
    assert 1 < zoomed[0] < zoomed[1] < 8
    page.get_by_role("slider", name="Points").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.simtune-chart')._fullData[0].y.length === 11")
    page.wait_for_timeout(500)
    assert chart.evaluate("element => element._fullLayout.xaxis.range") == zoomed
    assert chart.evaluate("element => element._fullData[0].line.color").upper() == CATEGORY["dark"][0].upper()

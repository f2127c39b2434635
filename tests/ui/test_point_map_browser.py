"""The map in a real browser: a lasso sends its outline alone, the rows are right, and text is text."""

import re
import shutil
from importlib.resources import files

import pytest

from simtune_core.workspace import CHECKOUT

APP = """
import numpy as np
import streamlit as st
from simtune_core.difficulty.regions import inside, on_grid
from simtune_core.figures.maps import Colouring, MapLayer, shown_names, side_by_side
from ui.point_map import MapDrawing, packed, point_map

rng = np.random.default_rng(0)
places = on_grid(rng.normal(size=(4_000, 2)))
layers = [MapLayer("first", places), MapLayer("second", on_grid(rng.normal(size=(4_000, 2))))]
names = ("<b>a</b>", "b", "c")
colouring = Colouring("category", names, rng.integers(0, 3, 4_000).astype(np.int32))
if st.toggle("Other colours"):
    colouring = Colouring("number", (), colouring.codes, rng.random(4_000).astype(np.float32))
figure = side_by_side(layers, colouring, revision="map")
texts = packed(["<img src=x onerror=alert(1)> text of a point"] * 4_000)
state = point_map(
    MapDrawing(figure, "map", texts, shown_names(colouring), colouring.title, "texts"), key="p.map", alt="A map"
)
n = 0 if state.region is None else int(inside(state.region.corners, places).sum())
st.text(f"{n} inside, corners {0 if state.region is None else len(state.region.corners)}, point {state.point}")
"""


@pytest.fixture
def page(chromium, serve, tmp_path):
    """Yield the drawn page, with the sizes of its messages and its errors as `sent`, `got` and `faults`."""
    app = tmp_path / "app" / "map_app.py"
    app.parent.mkdir()
    app.write_text(APP)
    (app.parent / "static").mkdir()
    shutil.copyfile(files("plotly") / "package_data" / "plotly.min.js", app.parent / "static" / "plotly.min.js")
    shutil.copytree(CHECKOUT / ".streamlit", app.parent / ".streamlit")
    page = chromium.new_context(viewport={"width": 1200, "height": 900}).new_page()
    page.sent, page.got, page.faults = [], [], []
    page.on("websocket", lambda socket: listen(page, socket))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.goto(serve(app=app))
    page.get_by_text("0 inside, corners 0, point None").wait_for(timeout=60_000)
    page.locator(".mv-plot .nsewdrag").nth(1).wait_for(state="attached")
    yield page
    page.context.close()


def listen(page, socket):
    socket.on("framesent", lambda frame: page.sent.append(len(frame)))
    socket.on("framereceived", lambda frame: page.got.append(len(frame)))


def test_a_lasso_sends_its_outline_alone_and_gives_the_rows_inside(page):
    assert max(page.got) < 600_000  # two maps of 20,000 points with their texts
    n_inside = lasso(page)
    zoom_stays_with_other_colours(page, n_inside)
    clear(page)
    assert page.faults == []


def lasso(page):
    """Drag a square over the first map: both maps and the server count the same points."""
    box = page.locator(".mv-plot .nsewdrag").first.bounding_box()
    corners = [(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6), (0.4, 0.42)]
    page.sent.clear()
    page.got.clear()
    for place, (x, y) in enumerate(corners):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
        if place == 0:
            page.mouse.down()
    page.mouse.up()
    told = page.get_by_text(re.compile(r"[1-9]\d* inside, corners")).inner_text()
    n_inside, n_corners = map(int, re.findall(r"\d+", told))
    assert 500 < n_inside < 4_000
    assert 3 <= n_corners <= 100
    assert sum(page.sent) < 5 * 1024
    assert max(page.got) < 50 * 1024  # the points do not come again
    assert f"{n_inside:,} texts inside the outline" in page.locator(".mv-bar").inner_text()
    drawn = page.evaluate("document.querySelector('.mv-plot')._fullData.map((trace) => trace.selectedpoints.length)")
    assert sum(drawn[:3]) == n_inside
    assert drawn[:3] == drawn[3:]
    return n_inside


def zoom_stays_with_other_colours(page, n_inside):
    """Zoom, hover and colour by a number: the view, the selection and the counts stay; markup in a text is text."""
    chart = page.locator(".mv-plot")
    reach = "(element) => element._fullLayout.xaxis.range.map(Math.round)"
    whole = chart.evaluate(reach)
    page.locator('.modebar-btn[data-title="Zoom in"]').click()
    page.wait_for_timeout(500)
    zoomed = chart.evaluate(reach)
    assert whole[0] < zoomed[0] < zoomed[1] < whole[1]
    box = page.locator(".mv-plot .nsewdrag").first.bounding_box()
    for step in range(60):  # until a point lies under the mouse
        page.mouse.move(box["x"] + box["width"] / 2 + 2 * step, box["y"] + box["height"] / 2)
        if page.locator(".mv-tip").is_visible():
            break
    assert "<img src=x onerror=alert(1)> text of a point" in page.locator(".mv-tip").inner_text()
    page.get_by_text("Other colours").click()
    page.wait_for_function("document.querySelector('.mv-plot')._fullData.length === 2")
    assert chart.evaluate(reach) == zoomed
    drawn = chart.evaluate("(element) => element._fullData.map((trace) => trace.selectedpoints.length)")
    assert drawn == [n_inside, n_inside]


def clear(page):
    page.get_by_role("button", name="Clear selection").click()
    page.get_by_text("0 inside, corners 0").wait_for()
    drawn = page.evaluate("document.querySelector('.mv-plot')._fullData.map((trace) => trace.selectedpoints ?? null)")
    assert drawn == [None, None]

"""A hostile data set on the pages: texts, ids, categories and a split are shown as they are written and do nothing."""

import pandas as pd
import pytest

from tests.browser_walk.seat import Seat
from tests.walk import command

SCRIPT = "<script>window.hacked = 1</script>"
PICTURE = "![x](http://example.invalid/x.png)"
ELEMENT = "<img src=x onerror='window.hacked = 1'>"
LINK = "[x](javascript:alert(1))"
SPLIT = "![x](//example.invalid/y.png)"  # an address without a colon passes for the name of a split
TFIDF = "tfidf"
N_PAIRS = 8


@pytest.fixture
def seat(chromium, serve, workspace, tmp_path):
    """Yield a reader of a workspace into which the hostile pairs were imported by command."""
    file = tmp_path / "hostile.csv"
    hostile_pairs().to_csv(file, index=False)
    command(workspace, "import", str(file), "--name", "hostile")
    seat = Seat(chromium, serve(workspace), width=2600)  # every column of a table is in sight
    yield seat
    seat.close()


def test_hostile_texts_are_literal_on_every_page_and_ask_nobody(seat):
    seat.open("/data")
    words = cells(seat, 1)
    assert {f"{SCRIPT} printer {PICTURE}", f"{ELEMENT} vpn {LINK}", PICTURE, ELEMENT, SCRIPT, f"{LINK}0"} <= words
    seat.inspect()
    look_at_difficulty(seat)
    look_at_evaluation(seat)
    assert (seat.outside(), seat.dialogs, seat.faults) == ([], [], [])
    assert [url for url in seat.asked if url.endswith("/x")] == []
    assert seat.page.evaluate("window.hacked") is None


def look_at_difficulty(seat):
    """The split's name stands in the lists, the table's header, the figure and the line below the table."""
    seat.walk_to("Difficulty")
    seat.choose("Pairs to train on", "hostile:dev")
    seat.choose("Pairs to test on", f"hostile:{SPLIT}")
    seat.choose("Space", TFIDF)
    seat.press("Measure")
    seat.see("Checks of the pairs", seconds=90)
    seat.see("95 % intervals from", seconds=60)
    seat.settle()
    seat.inspect()
    seat.cell(f"hostile@v0001:{SPLIT}", "tp").click()
    seat.see(f"{N_PAIRS // 2} similar pairs of hostile@v0001:{SPLIT}")
    seat.settle()
    shown = cells(seat, 0) | cells(seat, 1)
    assert f"hostile@v0001:{SPLIT}" in shown
    assert {f"{SCRIPT} printer {PICTURE}", PICTURE, SCRIPT} <= shown
    seat.see(f"unique texts of hostile@v0001:dev and hostile@v0001:{SPLIT}")


def look_at_evaluation(seat):
    """The pairs behind a cell are plain text, in the table and side by side."""
    seat.walk_to("Evaluation")
    seat.choose("Pairs to judge on", f"hostile:{SPLIT}")
    seat.choose("Threshold from", "hostile:dev")
    seat.choose("Baseline", TFIDF)
    seat.press("Evaluate")
    seat.main.get_by_role("heading", name="All metrics", exact=True).wait_for(timeout=60_000)
    seat.settle()
    seat.see(f"in hostile@v0001:{SPLIT}")
    seat.cell(TFIDF, "tp").click()
    seat.see(f"{TFIDF}: similar pairs that score at or above")
    seat.main.get_by_role("heading", name="True positives").wait_for()
    seat.settle()
    assert {f"{SCRIPT} printer {PICTURE}", PICTURE, SCRIPT} <= cells(seat, 0)
    seat.main.get_by_test_id("stDataFrame").first.locator(".dvn-scroller").click(position={"x": 15, "y": 50})
    seat.settle()
    assert f"{SCRIPT} printer {PICTURE}" in seat.main.get_by_test_id("stText").all_inner_texts()
    seat.inspect()


def hostile_pairs():
    """Return eight pairs in each of two splits, half of them similar, with the four payloads in every text column."""
    texts = {"printer": f"{SCRIPT} printer {PICTURE}", "vpn": f"{ELEMENT} vpn {LINK}"}
    rows = []
    for split in ("dev", SPLIT):
        for number in range(N_PAIRS):
            first = ("printer", "vpn")[number // 2 % 2]
            same = number % 2 == 0
            second = first if same else {"printer": "vpn", "vpn": "printer"}[first]
            rows.append(
                {
                    "sentence1": texts[first],
                    "sentence2": f"{texts[second]} again {number}",
                    "label": int(same),
                    "id1": PICTURE,
                    "id2": f"{LINK}{number}",
                    "category1": ELEMENT,
                    "category2": SCRIPT,
                    "split": split,
                }
            )
    return pd.DataFrame(rows)


def cells(seat, place):
    """Return the words in the cells and headers of the table number `place` of those not folded away, from 0."""
    table = seat.main.get_by_test_id("stDataFrame").filter(visible=True).nth(place)
    table.scroll_into_view_if_needed()  # cells are drawn once the table is in sight
    table.locator("[role=gridcell]").first.wait_for(state="attached")
    return set(table.locator("[role=gridcell], [role=columnheader]").all_text_contents())

"""The whole path by clicks in an empty workspace, and the same numbers from the commands.

A page and a command that ask the same share one job, so every comparison also asserts the job's id.
"""

import re
import time

import pytest
from playwright.sync_api import expect

from simtune_core.workflows.running import list_jobs
from tests.browser_walk.seat import Seat
from tests.walk import command

WALK_SECONDS = 240
LORA = {"Max steps": 4, "Evaluations": 1, "Max dev pairs": 40, "Max seq length": 32}


@pytest.fixture
def seat(chromium, serve, workspace):
    """Yield a reader who sits before an empty workspace."""
    seat = Seat(chromium, serve(workspace))
    yield seat
    seat.close()


@pytest.mark.timeout(600)
def test_the_whole_path_by_clicks_gives_the_numbers_of_the_commands(seat, workspace, record_property):
    started = time.monotonic()
    load_the_sample(seat)
    measure_difficulty(seat, workspace)
    generate_a_curriculum(seat, workspace)
    train(seat, workspace, "head", "walked-head", {})
    train(seat, workspace, "lora", "walked-lora", LORA)
    check_the_adapters(seat)
    evaluate(seat, workspace)
    seconds = time.monotonic() - started
    record_property("walk_seconds", round(seconds))
    assert seat.outside() == []
    assert seat.faults == []
    assert seat.dialogs == []
    assert seconds < WALK_SECONDS


def load_the_sample(seat):
    """The empty workspace offers the sample, and the overview names the next step."""
    seat.open()
    seat.inspect()
    seat.press("Load the sample")
    seat.main.get_by_role("heading", name="Datasets", exact=True).wait_for(timeout=30_000)
    seat.walk_to("Data")
    seat.inspect()
    seat.see("2,000 pairs")  # the newest dataset is the easy pair set


def measure_difficulty(seat, workspace):
    """The four cards show what the command says for the sets chosen at first."""
    seat.walk_to("Difficulty")
    seat.choose("Pairs to train on", "sample:dev")
    seat.press("Measure")
    seat.main.get_by_role("heading", name="All numbers", exact=True).wait_for(timeout=120_000)
    seat.see("95 % intervals from", seconds=120)
    seat.settle()
    seat.inspect()
    job = job_on_page(workspace, "difficulty")
    said = command(workspace, "difficulty", "sample:dev", "--against", "sample:test")["result"]
    assert said["job"] == job.id
    seat.see(said["preflight"]["verdict"]["headline"])
    train = said["sides"][0]
    for label, name in (("Separability", "separability"), ("ROC-AUC", "roc_auc")):
        assert seat.metric(label) == f"{train[name]:.3f}"


def generate_a_curriculum(seat, workspace):
    """A slider moved by keyboard changes the yield and leaves the zoom; what was generated holds the pairs foreseen."""
    seat.walk_to("Curriculum")
    seat.press("Count candidates")
    seat.see(" wanted", seconds=120)
    seat.settle()
    before, zoomed = yields(seat), zoom(seat)
    seat.main.get_by_role("slider").first.focus()
    for _ in range(20):
        seat.page.keyboard.press("ArrowRight")
    seat.settle(begins_within=1000)
    foreseen = yields(seat)
    assert foreseen[0] != before[0]
    assert seat.main.locator(".simtune-chart").evaluate("element => element._fullLayout.xaxis.range") == zoomed
    seat.press("Generate")
    seat.see("curriculum@v0001:", seconds=60)
    seat.settle()
    seat.inspect()
    made = job_on_page(workspace, "curriculum")
    assert seat.main.get_by_role("heading", name=f"curriculum@v0001: {sum(foreseen):,} pairs").count() == 1
    assert made.state == "done"


def yields(seat):
    """Return how many pairs the cards say that each phase gets, from left to right."""
    cards = seat.main.get_by_test_id("stMarkdownContainer").filter(has_text=re.compile(r"[\d,]+ of [\d,]+ wanted"))
    return [number(re.search(r"([\d,]+) of", text)[1]) for text in cards.all_inner_texts()]


def zoom(seat):
    """Zoom into the candidates with the mouse and return the stretch of similarity that is shown then."""
    chart = seat.main.locator(".simtune-chart")
    chart.scroll_into_view_if_needed()
    box = chart.locator(".nsewdrag").first.bounding_box()
    whole, middle = chart.evaluate("element => element._fullLayout.xaxis.range"), box["y"] + box["height"] / 2
    seat.page.mouse.move(box["x"] + 0.2 * box["width"], middle)
    seat.page.mouse.down()
    seat.page.mouse.move(box["x"] + 0.8 * box["width"], middle, steps=5)
    seat.page.mouse.up()
    seat.page.wait_for_timeout(500)
    shown = chart.evaluate("element => element._fullLayout.xaxis.range")
    assert whole[0] < shown[0] < shown[1] < whole[1]
    return shown


def train(seat, workspace, method, name, settings):
    """Start a training from the form and wait for what really ran."""
    seat.start_training(method, settings, train="sample:train", dev="sample:dev", name=name)
    seat.see(f"Train {name} on sample@v0001:train")
    toast = seat.page.get_by_test_id("stToast").filter(has_text=f"Train {name} on")
    toast.wait_for(timeout=180_000)
    assert f"Train {name} on sample@v0001:train: done" in toast.inner_text().replace("\u2060", "")
    seat.see(f"Model {name}", exact=True)
    seat.main.get_by_role("heading", name="What really ran", exact=True).wait_for()
    seat.settle()
    seat.inspect()
    job = job_on_page(workspace, "train")
    assert (job.state, job.params["train"], job.params["dev"]) == ("done", "sample@v0001:train", "sample@v0001:dev")
    assert {key: job.params["config"].get(key) for key in map(field_name, settings)} == {
        field_name(label): value for label, value in settings.items()
    }


def check_the_adapters(seat):
    """Both models are in the forward pass."""
    seat.walk_to("Adapters")
    for model in ("walked-head (head)", "walked-lora (lora)"):
        seat.choose("Model", model)
        seat.see("Applied: the tuned part is in the forward pass.")
        seat.inspect()


def evaluate(seat, workspace):
    """Verdict, interval, metric and the count of false positives are the command's; the click shows those pairs."""
    seat.walk_to("Evaluation")
    seat.choose("Pairs to judge on", "sample:test")
    seat.choose("Threshold from", "sample:dev")
    seat.press("Evaluate")
    seat.main.get_by_role("heading", name="All metrics", exact=True).wait_for(timeout=180_000)
    seat.settle()
    seat.inspect()
    job = job_on_page(workspace, "evaluate")
    names = ",".join(job.params["encoders"][1:])
    assert sorted(names.split(",")) == ["walked-head", "walked-lora"]
    options = ("--encoders", names, "--threshold-from", "sample:dev")
    said = command(workspace, "evaluate", "sample:test", *options)["result"]
    assert said["job"] == job.id
    for model in said["models"]:
        compare_card(seat, model)
        compare_matrix(seat, model)
    show_false_positives(seat, next(model for model in said["models"] if model["encoder"] == "walked-head"))


def compare_card(seat, model):
    """The verdict card of a model holds its ROC-AUC, the interval and the verdict."""
    card = seat.verdict_card(model["title"])
    interval = model["interval"]
    expected = [
        f"{model['test']['roc_auc']:.4f}",
        f"ROC-AUC, 95 % interval {interval['low']:.4f} to {interval['high']:.4f}",
        "baseline" if model["baseline"] else model["verdict"],
    ]
    if difference := model["difference"]:
        bounds = f"{difference['low']:+.4f} to {difference['high']:+.4f}"
        expected.append(f"{difference['estimate']:+.4f} points, 95 % interval {bounds}")
    assert [words for words in expected if words not in card] == [], card


def compare_matrix(seat, model):
    """The explorer begins at the threshold chosen on dev, with the counts of the command."""
    cells = {cell: seat.cell(model["encoder"], cell).locator("b").inner_text() for cell in ("tn", "fp", "fn", "tp")}
    assert cells == {cell: f"{cell.upper()} {model['test'][cell]:,}" for cell in cells}


def show_false_positives(seat, model):
    """A click on the cell shows as many pairs as it counts."""
    seat.cell(model["encoder"], "fp").click()
    n_pairs = model["test"]["fp"]
    threshold = f"{model['threshold']:.3f}"
    seat.see(f"{model['encoder']}: different pairs that score at or above {threshold}")
    named = f"{n_pairs} false positives of {model['encoder']} at threshold {threshold}"
    table = seat.main.get_by_test_id("stDataFrame").filter(has=seat.page.locator(f'[aria-label$="{named}"]'))
    assert n_pairs > 0
    expect(seat.main.get_by_role("heading", name=f"False positives ({n_pairs:,})", exact=True)).to_have_count(1)
    expect(table.locator("[role=grid]").first).to_have_attribute("aria-rowcount", str(n_pairs + 1))  # and the header
    seat.inspect()


def job_on_page(workspace, kind):
    """Return the one newest job of a kind."""
    return next(job for job in list_jobs(workspace) if job.kind == kind)


def field_name(label):
    """Turn a label into the name of its setting: `Max steps` -> `max_steps`."""
    return label.lower().replace(" ", "_")


def number(text):
    """Read a count as shown: `1,200` -> 1200."""
    return int(text.replace(",", ""))

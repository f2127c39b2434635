"""A reader's seat in the browser: one page that is walked by clicks, with everything it asked for and complained of."""

import re
from urllib.parse import urlsplit

from tests.browser import IDLE

NETWORK = ("http", "https", "ws", "wss")  # a blob or a data address asks nobody
# At a deep link Streamlit looks for its server below the page's own path first, and is told that it is not there.
PROBE = re.compile(r"responded with a status of 404 .*/[a-z]+/_stcore/(health|host-config)\)")


class Seat:
    """One reader: opens, clicks and reads, and keeps requests, console errors, page errors and dialogs.

    Args:
        browser: What `chromium` yields.
        address: The server's address.
        width: Of the window, in pixels.
    """

    def __init__(self, browser, address, width=1400):
        self.address = address
        self.asked, self.faults, self.dialogs = [], [], []
        self.page = browser.new_context(viewport={"width": width, "height": 1000}).new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("websocket", lambda socket: self.asked.append(socket.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("dialog", self._dialog)

    def open(self, path="/"):
        """Open an address by typing it and wait until the app is idle."""
        self.page.goto(self.address + path)
        self.page.wait_for_selector(IDLE, timeout=60_000)

    def walk_to(self, title):
        """Click a page's link in the sidebar and wait for its title."""
        self.page.get_by_test_id("stSidebarNavLink").get_by_text(title, exact=True).click()
        self.page.get_by_role("heading", level=1, name=title, exact=True).wait_for(timeout=30_000)
        self.settle()

    def settle(self, begins_within=300):
        """Wait until the run under way, or one that begins within so many milliseconds, has ended."""
        self.page.wait_for_timeout(begins_within)
        self.page.wait_for_selector(IDLE, timeout=60_000)

    def press(self, name, *, within=None):
        """Press the button of exactly this name in the page itself, not in the sidebar."""
        place = within or self.main
        place.get_by_role("button", name=name, exact=True).click()

    def choose(self, label, option):
        """Choose an option of a list by typing it."""
        box = self.main.get_by_role("combobox", name=label).first
        if option in (box.input_value(), box.inner_text()):
            return
        box.click()
        self.page.get_by_role("option", name=option, exact=True).click()
        self.settle()

    def fill(self, label, value):
        """Type a value into the box with this label."""
        box = self.main.get_by_label(label, exact=True)
        box.fill(str(value))
        box.press("Enter")
        self.settle()

    def see(self, text, *, seconds=30, exact=False):
        """Wait until a text stands on the page."""
        self.main.get_by_text(text, exact=exact).first.wait_for(timeout=1000 * seconds)

    def metric(self, label):
        """Return the value of the metric with this label, as it is shown."""
        (value,) = self.metrics(label)
        return value

    def metrics(self, label):
        """Return the values of all metrics with this label, from the top of the page."""
        found = self.main.get_by_test_id("stMetric").filter(has=self.page.get_by_text(label, exact=True))
        return found.get_by_test_id("stMetricValue").all_inner_texts()

    def press_one_of(self, label, option):
        """Press one of a row of choices."""
        row = self.main.get_by_test_id("stButtonGroup").filter(has=self.page.get_by_text(label, exact=True))
        row.get_by_text(option, exact=True).click()
        self.settle()

    def unfold(self, title):
        """Open the fold with this title."""
        self.main.get_by_test_id("stExpander").locator("summary").filter(has_text=title).click()
        self.page.wait_for_timeout(300)

    def start_training(self, method, settings, *, train, dev, name):
        """Fill the form of a new run and press the button; `settings` are those under "More", by label."""
        self.walk_to("Training")
        if not self.main.get_by_role("button", name="Start training", exact=True).is_visible():
            self.unfold("New run")
        self.press_one_of("Method", {"lora": "LoRA"}.get(method, method.capitalize()))
        self.choose("Training pairs", train)
        self.choose("Dev pairs", dev)
        if settings:
            self.unfold("More settings")
        for label, value in settings.items():
            self.fill(label, value)
        self.fill("Model name", name)
        self.press("Start training")

    def verdict_card(self, title):
        """Return the words of the card that begins with a model's title."""
        cards = self.main.locator("[data-testid=stVerticalBlock]").filter(has=self.page.locator("h3"))
        texts = [" ".join(text.split()) for text in cards.all_inner_texts()]
        return min((text for text in texts if text.startswith(title)), key=len)

    def cell(self, model, cell):
        """Return the button of one cell of a model's confusion matrix."""
        return self.main.get_by_role("group", name=f"Confusion matrix of {model}", exact=True).locator(
            f"button[data-cell={cell}]"
        )

    @property
    def main(self):
        """Return the page's own part, without sidebar and header."""
        return self.page.get_by_test_id("stMain")

    def inspect(self):
        """Check what must hold on every page: one title and no exception."""
        assert self.page.get_by_test_id("stException").all_inner_texts() == []
        assert len(self.page.locator("h1").all()) == 1, self.page.locator("h1").all_inner_texts()

    def outside(self):
        """Return the requests that left the server's host."""
        here = urlsplit(self.address).netloc
        return [url for url in self.asked if (address := urlsplit(url)).netloc != here and address.scheme in NETWORK]

    def close(self):
        """Close the browser's tab."""
        self.page.context.close()

    def _console(self, message):
        told = f"{message.text} ({message.location.get('url', '')})"
        if message.type == "error" and not PROBE.search(told):
            self.faults.append(told)

    def _dialog(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()

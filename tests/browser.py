"""A real server and a real browser for tests: fixtures `serve` and `chromium`.

A missing browser is a failure, not a skip.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"][data-test-connection-state="CONNECTED"]'


@pytest.fixture(scope="session")
def chromium():
    """Yield a Playwright browser; fails, naming the Debian package, where Chromium is not installed."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    if path is None:
        pytest.fail("Browser tests need Chromium: install the package `chromium` (apt-get install chromium).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def serve(tmp_path):
    """Return a function that starts a server on a workspace and returns its address; all are stopped at the end."""
    with contextlib.ExitStack() as servers:

        def start(workspace=None, app="app.py"):
            return servers.enter_context(served(app, workspace, log=tmp_path / "server.log"))

        yield start


@contextlib.contextmanager
def served(app="app.py", workspace=None, *, log):
    """Run `streamlit run app` in a process of its own on a free port and yield its address.

    Args:
        app: Script, relative to the checkout, or an absolute path.
        workspace: The workspace it shows; None for a server that needs none.
        log: File that takes the server's output.
    """
    port = _free_port()
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    if workspace is not None:
        environment["SIMTUNE_WORKSPACE"] = str(workspace.root)
    command = [sys.executable, "-m", "streamlit", "run", str(app), f"--server.port={port}", "--server.headless=true"]
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_until_healthy(process, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def open_page(browser, address, **context):
    """Open an address in a context of its own and wait until the app is idle; returns the page.

    Args:
        browser: What `chromium` yields.
        address: The address.
        context: Options of `browser.new_context`, such as `color_scheme="dark"` or `viewport={...}`.
    """
    page = browser.new_context(**context).new_page()
    page.goto(address)
    page.wait_for_selector(IDLE, timeout=60_000)
    return page


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_healthy(process, port, log, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"The server ended with {process.returncode}:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"The server was not healthy after {seconds} s:\n{log.read_text()[-2000:]}")

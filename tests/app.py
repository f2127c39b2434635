"""The app without a browser: fixture `open_app`."""

import pytest

from simtune_core.workspace import CHECKOUT, VARIABLE
from ui.background import background


@pytest.fixture
def open_app(workspace, monkeypatch):
    """Return a function that opens a page of the app, through app.py, on the test's workspace.

    `open_app()` opens the overview, `open_app("difficulty")` another page; `query` goes into the address, `state` into
    the session before the page runs; `on` is another workspace than the test's empty one. The background thread of the
    process ends with the test.
    """
    from streamlit.testing.v1 import AppTest

    monkeypatch.setenv(VARIABLE, str(workspace.root))

    def opened(page=None, *, query=None, state=None, on=None):
        if on is not None:
            monkeypatch.setenv(VARIABLE, str(on.root))
        app = AppTest.from_file(str(CHECKOUT / "app.py"), default_timeout=60)
        for name, value in (query or {}).items():
            app.query_params[name] = value
        for name, value in (state or {}).items():
            app.session_state[name] = value
        app.run()
        return app.switch_page(f"pages/{page}.py").run() if page else app

    yield opened
    background().end()
    background.clear()

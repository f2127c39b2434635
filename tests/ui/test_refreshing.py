"""Whatever refreshes itself does so in a place of its own; `ui.refreshing` says what happens otherwise."""

from simtune_core.workspace import CHECKOUT


def test_nothing_refreshes_itself_but_through_ui_refreshing():
    sources = [file for folder in ("ui", "pages") for file in (CHECKOUT / folder).rglob("*.py")]
    found = [file.name for file in sources if "run_every" in file.read_text(encoding="utf-8")]
    assert found == ["refreshing.py"]

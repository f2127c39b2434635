"""The frame: menu, sidebar, cold pages, server configuration, and what the server process must not import."""

import json
import os
import subprocess
import sys
import tomllib
from importlib.resources import files

import pytest
from streamlit import config as streamlit_config

from simtune_core.figures.style import CATEGORY
from simtune_core.jobs.launcher import list_jobs
from simtune_core.workspace import CHECKOUT, VARIABLE
from ui.frame import PLOTLY_COPY
from ui.menu import PAGES, Entry

HEAVY = ("torch", "sentence_transformers", "umap", "sklearn", "scipy", "peft", "transformers")
SERVER_CONFIG = tomllib.loads((CHECKOUT / ".streamlit" / "config.toml").read_text())


def test_the_overview_opens_at_the_root_with_workspace_and_jobs_beside_it(open_app, workspace):
    app = open_app()
    assert not app.exception
    assert [title.value for title in app.title] == ["Overview"]
    assert f"Workspace {workspace.root.name}" in [text.value for text in app.sidebar.text]
    assert "No job is waiting or running." in [caption.value for caption in app.sidebar.caption]


def test_a_page_opened_without_app_py_has_the_same_sidebar(open_app, workspace):
    app = open_app("overview")  # switch_page runs the page file alone, as a deep link on a cold server does
    assert not app.exception
    assert f"Workspace {workspace.root.name}" in [text.value for text in app.sidebar.text]


def test_the_menu_leads_only_to_pages_that_exist_and_addresses_are_file_stems(open_app):
    app = open_app()
    assert not app.exception
    assert PAGES[0] == Entry("overview", "Overview", ":material/home:")
    sections = [entry.section for entry in PAGES]
    assert sections == ["", *["Data"] * 3, *["Train"] * 2, "Judge", *["Workspace"] * 2]
    assert len({entry.stem for entry in PAGES}) == len(PAGES)
    assert all((CHECKOUT / entry.file).exists() for entry in PAGES)


def test_a_workspace_that_cannot_be_made_is_told_in_words(open_app, monkeypatch, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("a file where a folder should be")
    monkeypatch.setenv(VARIABLE, str(taken))
    app = open_app()
    assert not app.exception
    assert app.error[0].value == "The workspace cannot be opened."
    assert "cannot be used" in app.code[0].value


def test_plotly_is_laid_out_for_browsers_whole(open_app):
    open_app()
    assert PLOTLY_COPY.read_bytes() == (files("plotly") / "package_data" / "plotly.min.js").read_bytes()


def test_the_server_process_never_imports_a_heavy_library_on_any_page(walked):
    visits = [entry.file for entry in PAGES]
    job = next(job.id for job in list_jobs(walked.workspace) if job.kind == "train")
    code = (
        "import json, sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"app = AppTest.from_file({str(CHECKOUT / 'app.py')!r}, default_timeout=60)\n"
        f"app.query_params['jobs.job'] = {job!r}\n"
        "app.run()\n"
        f"for page in {visits!r}:\n"
        "    app.switch_page(page).run()\n"
        "    assert not app.exception and len(app.title) == 1, (page, app.exception)\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))\n"
    )
    environment = {**os.environ, VARIABLE: str(walked.workspace.root), "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []


@pytest.mark.parametrize("section", ["server", "runner", "client", "browser"])
def test_every_server_option_is_one_that_this_streamlit_knows(section):
    known = set(streamlit_config.get_config_options())
    assert {f"{section}.{name}" for name in SERVER_CONFIG[section]} <= known


def test_every_theme_option_is_one_that_this_streamlit_knows():
    known = set(streamlit_config.get_config_options())
    shared = {f"theme.{name}" for name in SERVER_CONFIG["theme"] if name not in ("light", "dark")}
    modes = {f"theme.{mode}.{name}" for mode in ("light", "dark") for name in SERVER_CONFIG["theme"][mode]}
    assert shared | modes <= known


def test_no_rerun_waits_for_a_full_garbage_collection():
    # A hidden option: with the libraries of a workbench imported it costs half a second on every slider move.
    assert SERVER_CONFIG["runner"]["postScriptGC"] is False
    assert streamlit_config.get_config_options()["runner.postScriptGC"].default_val is True


def test_the_server_listens_to_this_machine_alone():
    server = SERVER_CONFIG["server"]
    assert server["address"] == "127.0.0.1"
    assert server["enableCORS"] and server["enableXsrfProtection"] and not server["enableAgentApi"]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_theme_and_exported_figures_have_one_palette(mode):
    assert tuple(SERVER_CONFIG["theme"][mode]["chartCategoricalColors"]) == CATEGORY[mode]

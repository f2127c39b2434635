"""What the checkout promises beside its code: files, pins, one CI command, a safe server, no trace of a machine."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
FOLDERS = ["pages", "ui", "simtune_core", "tests", "benchmarks", "docs", "data/sample", ".ci", ".streamlit"]
PAGES = ["overview", "data", "difficulty", "curriculum", "training", "adapters", "evaluation", "jobs", "settings"]
PROMISED = [
    *("app.py", "Makefile", "requirements.txt", "requirements-dev.txt", "pyproject.toml", "README.md", "CHANGELOG.md"),
    *("CONTRIBUTING.md", "LICENSE", ".ci/run", ".gitignore", ".pre-commit-config.yaml", ".streamlit/config.toml"),
    *("docs/architecture.md", "docs/metrics.md", "docs/decisions", "benchmarks/README.md", "models/README.md"),
    *("data/sample/generate.py", "simtune_core/__main__.py", "ui/frame.py"),
    *(f"pages/{page}.py" for page in PAGES),
]
SELF = "tests/test_house.py"  # holds the patterns that it looks for
BINARY = {".png", ".parquet", ".gz", ".ico", ".safetensors"}
OURS = {"simtune_core", "ui", "pages", "tests"}


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def texts():
    """Yield the name and the content of every text file that is committed, but this one."""
    files = [file for file in ROOT.iterdir() if file.is_file() and file.name != ".git"]
    files += [file for folder in FOLDERS for file in (ROOT / folder).rglob("*") if file.is_file()]
    for file in [*files, ROOT / "models" / "README.md"]:
        name = file.relative_to(ROOT).as_posix()
        if file.suffix not in BINARY and "__pycache__" not in name and name != SELF:
            yield name, file.read_text(encoding="utf-8")


def lines_with(pattern):
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(pattern, line)
    ]


def requirements(name):
    """Return the requirements of a file without comments, in order."""
    lines = (line.split("#")[0].strip() for line in read(name).splitlines())
    return [line for line in lines if line]


@pytest.mark.parametrize("name", PROMISED)
def test_holds_what_the_readme_promises(name):
    assert (ROOT / name).exists()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_to_one_version(name):
    loose = [line for line in requirements(name) if not re.fullmatch(r"[A-Za-z0-9._-]+(\[\w+\])?==[0-9][\w.]*", line)]

    assert requirements(name)
    assert not loose


def test_torch_is_the_first_requirement_because_make_installs_it_first_and_alone():
    assert requirements("requirements.txt")[0] == "torch==2.13.0"
    assert "grep '^torch==' requirements.txt" in read("Makefile")


def test_every_library_that_is_imported_is_a_requirement_of_its_own():
    pinned = {canonical(re.split(r"[=\[]", line)[0]) for line in requirements("requirements.txt")}
    distributions = packages_distributions()
    imported = (
        {
            module.split(".")[0]
            for file in [
                ROOT / "app.py",
                *(file for part in ("pages", "ui", "simtune_core") for file in (ROOT / part).rglob("*.py")),
            ]
            for module in absolute_imports(file)
        }
        - OURS
        - set(sys.stdlib_module_names)
    )
    loose = {name for name in imported if not pinned & set(map(canonical, distributions.get(name, [])))}

    assert {"streamlit", "torch", "duckdb"} <= imported
    assert not loose


def canonical(name):
    """Return a package's name in the one spelling of the packaging standard (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def absolute_imports(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module


def test_the_version_of_the_changelog_is_the_version_of_the_package():
    version = re.search(r'__version__ = "(.+)"', read("simtune_core/__init__.py"))[1]

    assert re.search(rf"^## \[(Unreleased|{re.escape(version)})\]", read("CHANGELOG.md"), re.MULTILINE)
    assert version in read("CHANGELOG.md")


def test_the_licence_is_the_whole_apache_licence():
    text = read("LICENSE")

    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_ci_calls_make_test_and_nothing_cleverer():
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111, ".ci/run is executable"
    assert script.read_text().splitlines() == [
        "#!/usr/bin/env bash", "set -e", 'cd "$(dirname "${BASH_SOURCE[0]}")/.."', "make test",
    ]  # fmt: skip


@pytest.mark.parametrize("target", ["setup", "run", "demo", "test", "lint", "bench", "help", "clean"])
def test_make_has_the_promised_targets_and_its_help_names_them(target):
    assert re.search(rf"^{target}:.*## \S", read("Makefile"), re.MULTILINE)


def test_tests_and_linters_run_without_a_network():
    recipe = read("Makefile").split("\ntest:")[1].split("\n\n")[0]

    assert "HF_HUB_OFFLINE=1" in recipe


def test_the_commit_hooks_fetch_nothing():
    hooks = yaml.safe_load(read(".pre-commit-config.yaml"))

    assert [repository["repo"] for repository in hooks["repos"]] == ["local"]


def test_the_server_listens_to_this_machine_only_and_never_collects_after_a_rerun():
    config = tomllib.loads(read(".streamlit/config.toml"))

    assert config["server"]["address"] == "127.0.0.1"
    assert config["runner"]["postScriptGC"] is False
    assert config["browser"]["gatherUsageStats"] is False
    assert config["server"].get("enableXsrfProtection", True) is True
    assert config["server"].get("enableCORS", True) is True


def test_streamlit_still_has_the_hidden_option_that_turns_its_collection_off():
    from streamlit import config

    assert config.get_config_options()["runner.postScriptGC"].default_val is True


def test_both_themes_are_defined_so_that_the_reader_can_choose():
    theme = tomllib.loads(read(".streamlit/config.toml"))["theme"]

    assert {"light", "dark"} <= theme.keys()
    assert "http" not in str(theme), "no font or picture is fetched"


def test_no_path_of_a_machine_is_written_down():
    assert not lines_with(r"(?<![\w.\-/~}])/(work|root|home|tmp|Users)(/|\b)")


def test_no_package_registry_is_named():
    assert not lines_with(r"pypi\.org|pythonhosted|download\.pytorch|npmjs|anaconda\.org")


def test_nothing_is_left_to_do_in_the_code():
    assert not [line for line in lines_with(r"\b(TODO|FIXME|XXX|NotImplementedError)\b") if ".py:" in line]


def test_a_test_is_skipped_for_absent_real_data_or_an_absent_gpu_only():
    skips = [
        line
        for line in lines_with(r"pytest\.skip\(|skipif\(|importorskip|mark\.skip\b|unittest\.skip")
        if not re.search(r"real data|SIMTUNE_REAL_DATA|gpu|cuda", line, re.IGNORECASE)
    ]
    assert not skips


def test_docs_link_to_pages_that_exist():
    broken = [
        f"{name} -> {target}"
        for name, text in texts()
        if name.endswith(".md")
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
        if "://" not in target and not ((ROOT / name).parent / target).exists()
    ]
    assert not broken


def test_decisions_are_numbered_without_a_gap_and_say_what_and_why():
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))

    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    assert len(pages) >= 8
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert all(f"\n## {part}\n" in text for part in ("Context", "Decision", "Consequences")), page.name

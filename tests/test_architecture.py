"""The dependency directions and the house limits of docs/architecture.md, enforced on the source text."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = ("app.py", "pages", "ui", "simtune_core")
EVERYWHERE = (*CODE, "tests", "benchmarks", "data/sample")
GROUND = ("workspace", "files", "settings", "preferences", "cache", "errors", "findings")
TABLES = ("pairs", "records", "datasets", "labels", "importing", "tables", "masking", "languages")
COMPUTE = (
    "simtune_core.encoders", "simtune_core.candidates", "simtune_core.near_duplicates", "simtune_core.preparing",
    "simtune_core.difficulty", "simtune_core.curriculum", "simtune_core.training", "simtune_core.adapters",
    "simtune_core.evaluation",
)  # fmt: skip
HEAVY = {
    "torch", "sentence_transformers", "peft", "transformers", "sklearn", "scipy", "umap", "numba", "datasets",
    "accelerate", "cleanlab", "py3langid", "ftfy", "charset_normalizer", "python_calamine", "rensa",
}  # fmt: skip
# app -> pages -> ui -> workflows -> compute, jobs, store -> pairs, records, datasets -> workspace, files, ...
LAYERS = {
    "app": 8,
    "pages": 7,
    "ui": 6,
    "simtune_core.cli": 6,
    "simtune_core.commands": 6,
    "simtune_core.console": 6,
    "simtune_core.wording": 6,
    "simtune_core.__main__": 7,
    "simtune_core.workflows": 5,
    "simtune_core.figures": 4,
    **dict.fromkeys((*COMPUTE, "simtune_core.jobs", "simtune_core.store"), 3),
    **dict.fromkeys((f"simtune_core.{name}" for name in TABLES), 2),
    **dict.fromkeys((f"simtune_core.{name}" for name in GROUND), 1),
    "simtune_core": 0,  # the package itself: its version
}
# What a place must never import, whatever its layer.
FORBIDDEN = {
    "simtune_core": {"streamlit", "ui", "pages", "app"},
    "pages": {"duckdb", "plotly", "numpy", "pandas", "simtune_core.store", "simtune_core.jobs"},
    "ui": {"duckdb", "simtune_core.store"},
    "simtune_core/jobs": {"duckdb", "plotly", "simtune_core.store", *COMPUTE},
    "simtune_core/figures": {
        "duckdb", "simtune_core.store", "simtune_core.jobs", "simtune_core.datasets", "simtune_core.files",
    },
    **{name.replace(".", "/"): {"duckdb", "plotly", "simtune_core.store"} for name in COMPUTE},
}  # fmt: skip
TARGET = re.compile(r"simtune_core(\.\w+)+:\w+")


def sources(*places):
    """Return the Python files of places, folders searched through; a missing place has none."""
    paths = [ROOT / place for place in places]
    return sorted(file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py")))


def place_sources(place):
    """Return the files of a folder, or of the module of that name."""
    return sources(place, f"{place}.py")


@cache
def tree_of(file):
    return ast.parse(file.read_text(encoding="utf-8"))


def named(file):
    return file.relative_to(ROOT).as_posix()


def module_of(file):
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(module, names):
    return any(module == name or module.startswith(f"{name}.") for name in names)


def names_in(node):
    """Yield `module, name` for one import statement; the name is None where the module itself is imported."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, None) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from ((node.module or "", alias.name) for alias in node.names)


def imports(file):
    """Yield every `module, name` that a file imports, functions' own imports included."""
    for node in ast.walk(tree_of(file)):
        yield from names_in(node)


def imports_at_start(file):
    """Yield the `module, name` pairs that merely importing the file imports; blocks for type checkers are left out."""
    waiting = list(tree_of(file).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        yield from names_in(node)
        waiting += ast.iter_child_nodes(node)


def full_name(module, name):
    """Return the submodule where `from module import name` names one, else the module."""
    longer = f"{module}.{name}"
    path = ROOT / longer.replace(".", "/")
    return longer if name and (path.is_dir() or path.with_suffix(".py").is_file()) else module


def layer(module):
    """Return the layer of one of our modules, None for anybody else's."""
    fitting = [name for name in LAYERS if within(module, [name])]
    if not fitting:
        return None
    longest = max(fitting, key=len)
    return None if longest == "simtune_core" and module != longest else LAYERS[longest]


def calls(file, name):
    """Return the calls of a dotted name in a file, such as `duckdb.connect`."""
    found = [node for node in ast.walk(tree_of(file)) if isinstance(node, ast.Call)]
    return [node for node in found if ast.unparse(node.func) == name]


def is_target(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(TARGET.fullmatch(node.value))


def functions_of(module):
    """Return the names of the functions at the top of one of our modules; none if there is no such module."""
    file = (ROOT / module.replace(".", "/")).with_suffix(".py")
    return {node.name for node in tree_of(file).body if isinstance(node, ast.FunctionDef)} if file.is_file() else set()


def test_every_module_of_ours_has_its_layer():
    homeless = [named(file) for file in sources(*CODE) if layer(module_of(file)) is None]

    assert not homeless, f"not in docs/architecture.md, 'Who may import whom': {homeless}"


def test_imports_go_downwards_only():
    wrong = [
        f"{named(file)} imports {target}"
        for file in sources(*CODE)
        for target in (full_name(module, name) for module, name in imports(file))
        if (layer(target) or 0) > (layer(module_of(file)) or 0)
    ]
    assert not wrong


@pytest.mark.parametrize("place", FORBIDDEN)
def test_keeps_from_what_is_forbidden_to_it(place):
    files = place_sources(place)
    assert files, f"{place} does not exist"

    wrong = [
        f"{named(file)} imports {full_name(module, name)}"
        for file in files
        for module, name in imports(file)
        if within(full_name(module, name), FORBIDDEN[place])
    ]
    assert not wrong


def test_only_pages_app_and_ui_import_streamlit_and_only_the_store_imports_duckdb():
    owners = {"streamlit": ("app", "pages", "ui"), "duckdb": ("simtune_core.store",)}
    wrong = [
        f"{named(file)} imports {module}"
        for file in sources(*CODE, "data/sample")
        for module, _ in imports(file)
        for library, allowed in owners.items()
        if within(module, [library]) and not within(module_of(file), allowed)
    ]
    assert not wrong


@pytest.mark.parametrize("place", ["pages", "simtune_core/cli", "simtune_core/commands", "simtune_core/console"])
def test_pages_and_the_command_line_call_nothing_deeper_than_workflows(place):
    """Result types and settings (capitalised) may come from anywhere; functions only from the allowed modules."""
    allowed = ("ui", *(f"simtune_core.{name}" for name in ("cli", "commands", "console", "workflows", "figures")))
    ground = [f"simtune_core.{name}" for name in ("workspace", "files", "settings", "preferences", "errors")]
    files = place_sources(place)
    assert files, f"{place} does not exist"

    wrong = [
        f"{named(file)} calls {module}.{name}"
        for file in files
        for module, name in imports(file)
        if module.startswith("simtune_core.") and not within(full_name(module, name), (*allowed, *ground))
        if not (name or "").lstrip("_")[:1].isupper()
    ]
    assert not wrong


def test_figures_see_result_types_only():
    wrong = [
        f"{named(file)} imports {module}.{name}"
        for file in sources("simtune_core/figures")
        for module, name in imports(file)
        if within(module, COMPUTE) and not (name or "")[:1].isupper()
    ]
    assert not wrong


def test_heavy_libraries_are_imported_inside_functions_only():
    wrong = [
        f"{named(file)} imports {module}"
        for file in sources(*CODE)
        for module, _ in imports_at_start(file)
        if within(module, HEAVY)
    ]
    assert not wrong


def test_what_the_server_imports_loads_no_heavy_library():
    served = {module_of(file) for file in sources("ui", "simtune_core/workflows", "simtune_core/store")}
    served |= {full_name(module, name) for file in sources("pages") for module, name in imports(file)}
    ours = sorted(module for module in served if layer(module) is not None)
    program = (
        "import importlib, json, sys\n"
        f"for name in {ours!r}: importlib.import_module(name)\n"
        f"print(json.dumps(sorted(set({sorted(HEAVY)!r}) & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    assert "ui.frame" in ours
    assert done.stdout.splitlines()[-1] == "[]"


def test_duckdb_is_opened_in_one_place_by_its_prefixed_path_under_a_lock():
    opened = [(file, call) for file in sources(*CODE) for call in calls(file, "duckdb.connect")]
    renamed = [
        named(file)
        for file in sources(*CODE)
        for node in ast.walk(tree_of(file))
        if (isinstance(node, ast.ImportFrom) and node.module == "duckdb" and "connect" in {a.name for a in node.names})
        or (isinstance(node, ast.Import) and any(a.name == "duckdb" and a.asname for a in node.names))
    ]
    assert not renamed, "duckdb is imported under its own name, so that this test sees every connect"
    assert len(opened) == 1, [named(file) for file, _ in opened]
    file, call = opened[0]
    given = [node.value for node in ast.walk(call.args[0]) if isinstance(node, ast.Constant)]
    assert any(isinstance(value, str) and value.startswith("duckdb:") for value in given), ast.unparse(call)
    assert any(module == "filelock" for module, _ in imports(file))


def test_only_kinds_names_compute_functions_and_each_of_them_exists():
    named_in = {file: [node.value for node in ast.walk(tree_of(file)) if is_target(node)] for file in sources(*CODE)}
    holders = [named(file) for file, targets in named_in.items() if targets]
    assert holders == ["simtune_core/jobs/kinds.py"]

    missing = [
        target
        for target in named_in[ROOT / holders[0]]
        if target.split(":")[1] not in functions_of(target.split(":")[0])
    ]
    assert not missing


def test_no_file_is_longer_than_400_lines_and_no_page_longer_than_80():
    lengths = {named(file): len(file.read_text(encoding="utf-8").splitlines()) for file in sources(*EVERYWHERE)}
    too_long = {name: n for name, n in lengths.items() if n > (80 if name.startswith("pages/") else 400)}

    assert not too_long


def test_no_function_is_longer_than_60_lines():
    too_long = [
        f"{named(file)}:{node.lineno} {node.name}: {size} lines"
        for file in sources(*EVERYWHERE)
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (size := node.end_lineno - node.body[0].lineno + 1) > 60
    ]
    assert not too_long


def test_pages_hold_no_try_and_begin_with_the_frame():
    unframed = [named(file) for file in sources("pages") if not calls(file, "ensure_frame")]
    trying = [
        named(file) for file in sources("pages") if any(isinstance(node, ast.Try) for node in ast.walk(tree_of(file)))
    ]
    assert not unframed
    assert not trying


def test_no_module_is_a_drawer_of_leftovers():
    drawers = {"utils", "util", "helpers", "common", "misc", "manager"}

    assert not [named(file) for file in sources(*EVERYWHERE) if file.stem in drawers]


def test_nothing_unpickles_prints_or_trusts_foreign_code():
    picklers = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
    imported = [
        f"{named(file)} imports {module}"
        for file in sources(*EVERYWHERE)
        for module, _ in imports(file)
        if within(module, picklers)
    ]
    printed = [f"{named(file)} prints" for file in sources(*CODE) if calls(file, "print")]
    trusting = [
        f"{named(file)}:{node.value.lineno} {node.arg}"
        for file in sources(*EVERYWHERE)
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.keyword) and node.arg in {"unsafe_allow_html", "trust_remote_code", "allow_pickle"}
        if not (isinstance(node.value, ast.Constant) and node.value.value is False)
    ]
    loading = [
        f"{named(file)}:{call.lineno} torch.load"
        for file in sources(*EVERYWHERE)
        for call in calls(file, "torch.load")
        if "weights_only=True" not in ast.unparse(call)
    ]
    assert not imported + printed + trusting + loading


def test_only_the_worker_of_a_job_keeps_what_it_catches_of_every_exception():
    """A handler that tidies up and ends in a bare `raise` keeps nothing."""
    catchers = {
        named(file)
        for file in sources(*CODE)
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.ExceptHandler)
        if ast.unparse(node.body[-1]) != "raise"
        if node.type is None or {"Exception", "BaseException"} & set(re.findall(r"\w+", ast.unparse(node.type)))
    }
    assert catchers <= {"simtune_core/jobs/worker.py"}

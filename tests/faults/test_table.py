"""The table of docs/faults.md: every fault of store, runs and data has a test, and every test named exists."""

import ast
import re

from simtune_core.workspace import CHECKOUT

FAULTS = (*range(1, 45), *range(48, 71))  # of store and runs, of data
ROW = re.compile(r"^\| (\d+) \| .+ \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
SCRIPT = re.compile(r"`(benchmarks/\w+\.py)`")


def rows():
    return ROW.findall((CHECKOUT / "docs" / "faults.md").read_text(encoding="utf-8"))


def test_every_fault_has_a_test_or_a_benchmark():
    assert [int(number) for number, _ in rows()] == list(FAULTS)
    assert [number for number, shown_by in rows() if not TEST.search(shown_by) and not SCRIPT.search(shown_by)] == []


def test_every_test_named_exists():
    named = [pair for _, shown_by in rows() for pair in TEST.findall(shown_by)]
    missing = [f"{file}::{name}" for file, name in named if name not in functions_of(CHECKOUT / "tests" / file)]
    missing += [path for _, shown_by in rows() for path in SCRIPT.findall(shown_by) if not (CHECKOUT / path).exists()]
    assert len(named) >= len(FAULTS)
    assert missing == []


def functions_of(path):
    """Return the names of the functions of a file; none if there is no such file."""
    if not path.exists():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}

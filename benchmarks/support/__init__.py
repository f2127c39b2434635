"""What the scripts of benchmarks/ share: where a figure is kept, and on what machine it was taken."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "results"
_NAMED = ("duckdb", "streamlit", "msgspec", "torch", "tensorboard")


def write_result(name: str, figures: dict[str, Any]) -> Path:
    """Keep the figures of one benchmark in results/NAME.json, with machine, versions and date; print them too.

    Returns:
        The file, which replaces that of an earlier run.
    """
    record = {"name": name, "date": time.strftime("%Y-%m-%d", time.gmtime()), "machine": machine(), **figures}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(record) + "\n")
    return path


def machine() -> dict[str, Any]:
    """Return what a figure depends on beside the code: cores, memory, platform, versions; nothing that names a host."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "cpu": _cpu_model(),
        "memory_gb": round(memory / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{library: version(library) for library in _NAMED},
    }


def _cpu_model() -> str:
    """Return the processor's name as the kernel tells it; what the platform knows of it elsewhere."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()

"""Real servers of the workbench for soak tests: on a free port, each with one open tab, ended without a trace."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

from benchmarks.support.tabs import Tab
from simtune_core.workspace import Workspace
from tests.browser import served


class Served:
    """Servers that end with this context manager.

    Args:
        folder: Where their log goes.
    """

    def __init__(self, folder: Path) -> None:
        self._log = folder / "servers.log"
        self._stack = ExitStack()

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, workspace: Workspace) -> psutil.Process:
        """Start a server, open a tab so that its background thread begins, and return its process."""
        return process_of(self.open(workspace))

    def open(self, workspace: Workspace) -> str:
        """Start a server, open a tab so that its background thread begins, and return its address."""
        address: str = self._stack.enter_context(served(workspace=workspace, log=self._log))
        tab = Tab(address)
        self._stack.callback(tab.close)
        tab.open(120)
        return address


def process_of(address: str) -> psutil.Process:
    """Return the process of a server that this process has started."""
    port = address.rpartition(":")[2]
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if f"--server.port={port}" in child.cmdline():
                return child
    raise LookupError(f"No child of this process serves port {port}.")

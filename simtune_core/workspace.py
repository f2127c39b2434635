"""Where things lie on disk: the one module that knows the folders of a workspace."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from simtune_core.errors import WorkspaceError
from simtune_core.files import valid_name

CHECKOUT = Path(__file__).resolve().parent.parent
SAMPLE = CHECKOUT / "data" / "sample"
VARIABLE = "SIMTUNE_WORKSPACE"


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder in which everything a user makes lies.

    Attributes:
        root: Absolute path that holds `data/` and `models/`.
    """

    root: Path

    @property
    def data(self) -> Path:
        """Return the folder of everything but models."""
        return self.root / "data"

    @property
    def datasets(self) -> Path:
        """Return the folder of records and pair sets: `<name>/v0001-<hash8>/`."""
        return self.data / "datasets"

    @property
    def jobs(self) -> Path:
        """Return the folder of jobs: `<job-id>/`."""
        return self.data / "jobs"

    @property
    def cache(self) -> Path:
        """Return the content-addressed cache, safe to delete at any time."""
        return self.data / "cache"

    @property
    def models(self) -> Path:
        """Return the folder of tuned models: `<model-id>/`."""
        return self.root / "models"

    @property
    def store(self) -> Path:
        """Return the DuckDB results store, an index that can be rebuilt from the other folders."""
        return self.data / "simtune.duckdb"

    @property
    def read_only(self) -> bool:
        """Tell whether this process may read the workspace but not write to it."""
        return self.data.is_dir() and not os.access(self.data, os.W_OK)

    def dataset(self, name: str) -> Path:
        """Return the folder of one dataset, all versions of it."""
        return self.datasets / valid_name(name, "dataset name")

    def job(self, job_id: str) -> Path:
        """Return the folder of one job."""
        return self.jobs / valid_name(job_id, "job id")

    def model(self, model_id: str) -> Path:
        """Return the folder of one tuned model."""
        return self.models / valid_name(model_id, "model id")


def open_workspace(root: Path | str | None = None) -> Workspace:
    """Open the workspace at `root`, else at $SIMTUNE_WORKSPACE, else in the checkout; its folders are made.

    Raises:
        WorkspaceError: If the folders cannot be made.
    """
    chosen = Path(root or os.environ.get(VARIABLE) or CHECKOUT).expanduser().resolve()
    workspace = Workspace(chosen)
    try:
        for folder in (workspace.datasets, workspace.jobs, workspace.cache, workspace.models):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(f"The workspace {chosen} cannot be used: {error.strerror or error}.") from error
    return workspace

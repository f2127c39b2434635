"""Fixtures that every part shares: an empty workspace and the real bundled encoder."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("house", derandomize=True, deadline=None)  # what passes once passes on every machine
settings.load_profile("house")

pytest_plugins = [
    "tests.app",
    "tests.browser",
    "tests.walk",
    "tests.measured",
]  # open_app, chromium, serve, walked, measured

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin cost minutes on a busy machine

REAL_DATA = Path(os.environ.get("SIMTUNE_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture
def workspace(tmp_path):
    from simtune_core.workspace import open_workspace

    return open_workspace(tmp_path / "workspace")


@pytest.fixture(scope="session")
def minilm(tmp_path_factory):
    from simtune_core.encoders.catalogue import resolve_encoder
    from simtune_core.workspace import open_workspace

    return resolve_encoder(open_workspace(tmp_path_factory.mktemp("minilm")), "minilm")


@pytest.fixture(scope="session")
def real_data():
    """Return a function from a file's stem to its path; absent data skips the test by name."""

    def path(stem):
        file = REAL_DATA / f"{stem}.parquet"
        if not file.exists():
            pytest.skip(f"real data {stem}.parquet is absent (SIMTUNE_REAL_DATA)")
        return file

    return path

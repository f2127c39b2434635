"""What a job's work rests on beside its params: the program and libraries, and the content of its data sets.

Written into spec.json at launch, so that a job that is continued later can be compared with the present. Hashes our own
source files and reads manifests; imports no library to ask its version.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from simtune_core import __version__
from simtune_core.errors import WorkspaceError
from simtune_core.jobs.kinds import KINDS
from simtune_core.workspace import CHECKOUT, Workspace

_LIBRARIES = ("torch", "transformers", "sentence-transformers", "peft")
_DATASETS = ("set", "against", "records", "train", "dev", "threshold_from")


def code_versions(kind: str) -> dict[str, str]:
    """Return the versions of this program and of the libraries that train, and a hash of the sources of a kind."""
    package = KINDS[kind].target.split(":")[0].rpartition(".")[0]
    versions = {"simtune": __version__, package: _source_hash(CHECKOUT.joinpath(*package.split(".")))}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def content_ids(workspace: Workspace, params: dict[str, Any]) -> dict[str, str]:
    """Return the content id of every data set that params refer to; one that is not there is left out."""
    refs = {name: ref for name in _DATASETS if isinstance(ref := params.get(name), str)}
    if not refs:
        return {}
    from simtune_core.datasets import find_dataset  # brings pandas, which a job without data can do without

    found = {}
    for name, ref in refs.items():
        try:
            found[name] = find_dataset(workspace, ref)[0].content_id
        except WorkspaceError:
            continue
    return found


def _source_hash(package: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(package.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]

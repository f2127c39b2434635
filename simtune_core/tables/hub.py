"""Datasets of the Hugging Face hub as tables: files are fetched and read, foreign code is never run.

Only Parquet, JSON, CSV and XLSX files are fetched, by huggingface_hub, and read as those of any folder.
"""

from __future__ import annotations

import re
from pathlib import Path

from simtune_core.errors import DataFaultError
from simtune_core.tables.folder import read_folder
from simtune_core.tables.layout import splits_of
from simtune_core.tables.table import Progress, ReadingOptions, Table, require_size

_ID = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?::(?P<config>[^@]+))?(?:@(?P<revision>[\w./-]+))?", re.ASCII)


def read_hub(
    name: str,
    options: ReadingOptions | None = None,
    *,
    fetch: bool = True,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Table:
    """Read a dataset of the hub; what was fetched once is read from disk, as it was then.

    Args:
        name: `owner/name`, `owner/name@revision` or `owner/name:configuration@revision`.
        options: How its files are to be read.
        fetch: Whether it may be fetched; pages never fetch. With HF_HUB_OFFLINE=1 nothing is fetched either.
        limit: Only so many rows.
        progress: Told of the files read.

    Raises:
        DataFaultError: If there is no such dataset or configuration, it is gated, was never fetched, or the hub cannot
            be reached.
    """
    from huggingface_hub import constants

    found = _ID.fullmatch(name.strip())
    if not found:
        raise DataFaultError(
            f"A dataset of the hub is named owner/name, owner/name@revision or owner/name:configuration, got "
            f"{name[:80]!r}."
        )
    repo, config, revision = found["repo"], found["config"], found["revision"]
    folder = _cached(repo, config, revision, name)
    if folder is None and (not fetch or constants.HF_HUB_OFFLINE):
        raise DataFaultError(
            f"{name} was never fetched from the hub, and nothing is fetched here. Fetch it once with network access: "
            f"python -m simtune_core import {name} --name NAME."
        )
    folder = folder or _fetched(repo, config, revision, name)
    return read_folder(folder, name, options or ReadingOptions(), limit=limit, progress=progress, config=config)


def _cached(repo: str, config: str | None, revision: str | None, name: str) -> Path | None:
    """Return the local snapshot if it holds every file of the configuration; asks nobody.

    Raises:
        DataFaultError: If the dataset has several configurations and none, or an unknown one, is chosen.
    """
    from huggingface_hub import get_cached_repo_tree, snapshot_download
    from huggingface_hub.errors import (
        CachedRepoTreeNotFoundError,
        HFValidationError,
        IncompleteSnapshotError,
        LocalEntryNotFoundError,
    )

    try:
        folder = Path(snapshot_download(repo, repo_type="dataset", revision=revision, local_files_only=True))
    except IncompleteSnapshotError as error:  # only the files of data are fetched, so this is the usual case
        folder = Path(error.snapshot_path)
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        return None
    held = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    try:
        listed = [file.path for file in get_cached_repo_tree(repo, repo_type="dataset", revision=revision)]
    except (CachedRepoTreeNotFoundError, OSError, ValueError):
        listed = sorted(held)
    readme = folder / "README.md"
    if not held or ("README.md" in listed and "README.md" not in held):
        return None
    text = readme.read_text(encoding="utf-8", errors="replace") if "README.md" in held else None
    wanted = [file for files in splits_of(listed, text, config, name).values() for file in files]
    return folder if held.issuperset(wanted) else None


def _fetched(repo: str, config: str | None, revision: str | None, name: str) -> Path:
    """Fetch the files of data of one configuration, after a look at their sizes."""
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        HTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        told = HfApi().dataset_info(repo, revision=revision, files_metadata=True)
        sizes = {item.rfilename: item.size or 0 for item in told.siblings or []}
        readme = None
        if "README.md" in sizes:
            path = hf_hub_download(repo, "README.md", repo_type="dataset", revision=revision)
            readme = Path(path).read_text(encoding="utf-8", errors="replace")
        files = [file for split in splits_of(list(sizes), readme, config, name).values() for file in split]
        require_size(sum(sizes[file] for file in files), name)
        wanted = ["README.md", *files]
        return Path(snapshot_download(repo, repo_type="dataset", revision=revision, allow_patterns=wanted))
    except HFValidationError as error:
        raise DataFaultError(f"{name[:120]!r} is not a hub id of the form owner/name; correct it.") from error
    except GatedRepoError as error:
        raise DataFaultError(f"{name} is gated: accept its terms on the hub and log in, then try again.") from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise DataFaultError(
            f"The hub has no dataset {name}, or not at this revision, or it is private; correct the name or log in."
        ) from error
    except (EntryNotFoundError, HfHubHTTPError, HTTPError, OSError) as error:
        raise DataFaultError(f"{name} cannot be fetched: the hub cannot be reached ({_reason(error)}).") from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:160].rstrip(".") or type(error).__name__

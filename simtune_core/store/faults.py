"""Errors of the database: which of them mean a damaged file, and the sentence a researcher reads for each.

Opens nothing and repairs nothing.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb

from simtune_core.workspace import Workspace

_DAMAGE = ("not a valid duckdb database", "corrupt", "could not read enough bytes", "checksum", "deserializ")
_VERSION = "storage version number"
_FULL = ("no space left", "disk is full", "could not write all", "file too large", "disk quota exceeded")
_TAKEN = "could not set lock on file"
_HOLDER = re.compile(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")
_READABLE = re.compile(r"version number (?P<theirs>\d+).+?between (?P<first>\d+) and (?P<last>\d+)", re.DOTALL)


def is_damage(error: duckdb.Error) -> bool:
    """Tell whether an error means that the file is not a store any more, or never was one."""
    text = str(error).lower()
    return not is_full(error) and _VERSION not in text and any(mark in text for mark in _DAMAGE)


def is_damaged_log(error: duckdb.Error) -> bool:
    """Tell whether only the write-ahead log beside the file is damaged."""
    return is_damage(error) and "replaying wal" in str(error).lower()


def is_taken(error: duckdb.Error) -> bool:
    """Tell whether another program holds the file itself, past our lock: a notebook, say."""
    return _TAKEN in str(error).lower()


def is_full(error: duckdb.Error) -> bool:
    """Tell whether the disk is full."""
    return any(mark in str(error).lower() for mark in _FULL)


def sentence_for(error: duckdb.Error, workspace: Workspace, *, memory_limit_mb: int) -> str:
    """Word an error of the database for a researcher."""
    text = str(error)
    if _VERSION in text.lower():
        return _other_version(text)
    if is_full(error):
        return full_sentence(workspace)
    if is_taken(error):
        held = _HOLDER.search(text)
        return busy_sentence(f"{Path(held['program']).name} (PID {held['pid']})" if held else "another process")
    if isinstance(error, duckdb.OutOfMemoryException):
        return f"The question needs more than {size_in_words(memory_limit_mb)}; narrow the selection."
    if isinstance(error, duckdb.InterruptException):
        return "The question took longer than it may and was stopped; narrow the selection, or ask again later."
    return f"The results store cannot answer: {text.splitlines()[0][:300]}"


def busy_sentence(owner: str) -> str:
    """Say who holds the store."""
    return f"The results store is in use by {owner}; try again in a moment. Jobs go on, and so does what reads files."


def full_sentence(workspace: Workspace) -> str:
    """Say that the disk is full, what is safe, and how much is free."""
    free = shutil.disk_usage(workspace.data).free / 1e9
    return (
        "Disk full: results are kept in the job folders and will be imported later; "
        f"{free:.1f} GB free. Free some space; no job was stopped."
    )


def size_in_words(megabytes: int) -> str:
    """Word a number of megabytes: `1 GB`, `512 MB`."""
    return f"{megabytes / 1024:g} GB" if megabytes >= 1024 else f"{megabytes} MB"


def _other_version(text: str) -> str:
    found = _READABLE.search(text)
    theirs = f" (storage version {found['theirs']})" if found else ""
    ours = f", which reads storage versions {found['first']} to {found['last']}" if found else ""
    return (
        f"The results store was written by a newer DuckDB{theirs}; this is DuckDB {duckdb.__version__}{ours}. The file "
        "was left as it is: install that DuckDB, or make the store again from the files with `store rebuild`."
    )

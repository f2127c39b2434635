"""The card of an exported Hugging Face dataset: its splits for the loader, its columns and its making for a reader."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from simtune_core.datasets import DatasetVersion

UNSPLIT = "unsplit"  # rows without a split beside others that have one
_ONLY = "train"  # what the loader calls the rows of a dataset without splits
_USUAL = ("train", "dev", "test")
_RESERVED = {"all"}  # a word of the loader's own
_UNSAFE = re.compile(r"\W+", re.ASCII)
_TEXTS = ("sentence1", "sentence2", "anchor", "positive", "negative")
_NEGATIVE = re.compile(r"negative_\d+")
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]*")
_MEANING = {
    "anchor": "text that the others are compared with",
    "positive": "text similar to the anchor",
    "negative": "text not similar to the anchor",
    "sentence1": "first text of the pair",
    "sentence2": "second text of the pair",
    "label": "1 = similar, 0 = not similar",
    "score": "graded similarity in [0, 1]",
    "id1": "record of the first text",
    "id2": "record of the second text",
    "category1": "category of the first record",
    "category2": "category of the second record",
    "phase": "phase of the curriculum",
    "id": "the record's id",
    "text": "the record's text",
    "category": "the record's category",
    "duplicate_group": "records of one group are duplicates of each other",
    "time": "when the record was made, in UTC",
}


def split_names(splits: pd.Series) -> dict[str, NDArray[np.bool_]]:
    """Return the rows of each split by the name it has in the exported dataset: train, dev, test, then the others.

    Letters, digits and the underscore are all that a name may have; `train` holds the rows of a dataset without splits.
    """
    if splits.isna().all():
        return {_ONLY: np.ones(len(splits), dtype=bool)}
    found: dict[str, NDArray[np.bool_]] = {}
    present = splits.fillna("").unique()
    for split in [*(name for name in _USUAL if name in present), *(name for name in present if name not in _USUAL)]:
        name = base = _UNSAFE.sub("_", str(split)).strip("_") or UNSPLIT
        number = 2
        while name in found or name in _RESERVED:
            name, number = f"{base}_{number}", number + 1
        found[name] = (splits.fillna("") == split).to_numpy(dtype=bool)
    return found


def card_of(version: DatasetVersion, split: str | None, counts: Mapping[str, int], columns: Mapping[str, str]) -> str:
    """Return the README of an exported dataset.

    Args:
        version: What was exported.
        split: The one split that was exported; None for all rows.
        counts: Rows of each split.
        columns: The columns and what they hold.
    """
    told = version.manifest["provenance"]
    ref = version.ref + (f":{split}" if split else "")
    head: dict[str, Any] = {
        "license": _licence(told.get("licence")),
        "tags": ["sentence-transformers"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": name, "path": f"data/{name}.parquet"} for name in counts],
            }
        ],
    }
    parts = [
        f"---\n{yaml.safe_dump({key: value for key, value in head.items() if value}, sort_keys=False)}---",
        f"# {ref}",
        f"{sum(counts.values()):,} {version.kind}, exported by simtune.",
        "## Splits\n\n" + _table(("split", "rows"), [[name, f"{n:,}"] for name, n in counts.items()]),
        "## Columns\n\n"
        + _table(
            ("column", "type", "meaning"),
            [[f"`{name}`", kind, _meaning(name)] for name, kind in columns.items()],
        ),
        _use(version, columns),
        "## How it was made\n\n" + _indented(_origin(version, told)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _meaning(column: str) -> str:
    return _MEANING["negative"] if _NEGATIVE.fullmatch(column) else _MEANING.get(column, "kept from the source")


def _use(version: DatasetVersion, columns: Mapping[str, str]) -> str:
    """Say how sentence-transformers takes the columns; empty for records."""
    if version.kind != "pairs":
        return ""
    targets = [name for name in ("score", "label") if name in columns]
    texts = [name for name in columns if name in _TEXTS or _NEGATIVE.fullmatch(name)]
    read = json.dumps([*texts, *targets[:1]])
    note = " `label` is there, too: select one of the two." if len(targets) == 2 else ""
    code = (
        "from datasets import load_dataset\n\n"
        'pairs = load_dataset("THIS_FOLDER")\n'
        f"pairs = pairs.select_columns({read})\n"
    )
    return (
        "## Use with sentence-transformers\n\nA loss takes every column but `label` or `score` as a text, in their "
        f"order, so select first what it is to read.{note}\n\n```python\n{code}```"
    )


def _origin(version: DatasetVersion, told: Mapping[str, Any]) -> str:
    kept = {key: value for key, value in told.items() if key not in ("report", "job")}
    facts = {"dataset": version.ref, "content_id": version.content_id, **kept}
    return json.dumps(facts, indent=1, ensure_ascii=False, sort_keys=False)


def _licence(told: Any) -> str | None:
    """Return a licence as the card names it: a known short name, `other` for any text, None where none is known."""
    if not told:
        return None
    short = str(told).strip().lower()
    return short if _LICENCE.fullmatch(short) else "other"


def _table(head: tuple[str, ...], rows: list[list[str]]) -> str:
    lines = [list(head), ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )


def _indented(text: str) -> str:
    """Return a text as an indented block: nothing in it, however it is marked, is read as Markdown."""
    return "\n".join(f"    {line}" for line in text.splitlines())

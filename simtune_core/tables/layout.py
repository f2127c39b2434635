"""Which files of a dataset folder make which split, by its README, its folders or its file names; reads no data.

The conventions are those of the Hugging Face hub: `data/train-0-of-2.parquet`, `validation.csv`, `test/1.jsonl`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

import yaml

from simtune_core.errors import DataFaultError

# Endings in the order in which they are preferred where a folder holds the same rows in several formats.
DATA_ENDINGS = (".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt", ".xlsx")
_PACKED = (".gz", ".zip")
_NO_DATA = {
    "dataset_dict.json", "dataset_info.json", "dataset_infos.json", "state.json", "config.json", "package.json",
    "requirements.txt", "license.txt", "readme.txt",
}  # fmt: skip
_SPLITS = {
    "train": "train", "training": "train", "validation": "dev", "valid": "dev", "val": "dev", "dev": "dev",
    "test": "test", "testing": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip
_SHARD = re.compile(r"[-_.]?\d{4,5}(-of-\d{5})?$")
_WORD = re.compile(r"[A-Za-z]+")
Splits = dict[str | None, list[str]]  # a split's name, None where files name none -> its files, in order


def split_name(name: str) -> str:
    """Return a split as it is called here: validation is dev; characters of a reference become dashes."""
    return _SPLITS.get(name.lower(), re.sub(r"[:@\s]+", "-", name))


def splits_of(paths: Sequence[str], readme: str | None, config: str | None, name: str) -> Splits:
    """Assign the files of a folder to splits.

    Args:
        paths: Every file, relative to the folder, with slashes.
        readme: The text of its README.md, whose front matter may name configurations; None without one.
        config: The configuration wanted; None for the only one, or that called "default".
        name: The folder's name, for sentences.

    Raises:
        DataFaultError: If there are several configurations and none is chosen, or no file of data.
    """
    data = sorted(path for path in paths if _is_data(path))
    told = _configs_told(readme)
    if told:
        chosen = _chosen(list(told), config, name)
        return _matched(data, told[chosen], name)
    by_config: dict[str, list[str]] = {}
    for path in data:
        by_config.setdefault(_config_of(path), []).append(path)
    if not by_config:
        scripts = [path for path in paths if path.endswith(".py")]
        hint = (
            "; it is made by a script, which is not run here: its Parquet files may lie at the revision "
            "refs/convert/parquet" if scripts else ""
        )  # fmt: skip
        raise DataFaultError(f"{name} holds no file of data ({', '.join(DATA_ENDINGS)}){hint}.")
    of_config = by_config[_chosen(list(by_config), config, name)]
    ending = min({ending_of(path) for path in of_config}, key=DATA_ENDINGS.index)
    splits: Splits = {}
    kept = [path for path in of_config if ending_of(path) == ending]
    named = any(_split_of(path) for path in kept)
    for path in kept:
        splits.setdefault((_split_of(path) or _stem(path)) if named else None, []).append(path)
    return splits


def ending_of(path: str) -> str:
    """Return the ending of what is inside a file: `.csv` of `x.csv.gz`."""
    inside = PurePosixPath(path)
    return (PurePosixPath(inside.stem) if inside.suffix.lower() in _PACKED else inside).suffix.lower()


def _is_data(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return (
        ending_of(path) in DATA_ENDINGS
        and parts[-1].lower() not in _NO_DATA
        and not any(part.startswith((".", "__")) for part in parts)
    )


def _split_of(path: str) -> str | None:
    """Return the split that a file's name or folder tells, the nearest first."""
    for part in reversed(PurePosixPath(path).parts):
        words = [word.lower() for word in _WORD.findall(part)]
        found = next((_SPLITS[word] for word in words if word in _SPLITS), None)
        if found:
            return found
    return None


def _stem(path: str) -> str:
    stem = PurePosixPath(path).name.split(".")[0]
    return split_name(_SHARD.sub("", stem) or stem)


def _config_of(path: str) -> str:
    """Return the folders of a file that name neither a split nor just "data"."""
    folders = PurePosixPath(path).parts[:-1]
    return "/".join(part for part in folders if part.lower() not in _SPLITS and part.lower() != "data")


def _chosen(configs: list[str], config: str | None, name: str) -> str:
    if config is not None and config not in configs:
        raise DataFaultError(f"{name} has no configuration {config[:60]!r}; it has: {_listed(configs)}.")
    if config is not None:
        return config
    usual = [each for each in configs if each in ("default", "")]
    if len(configs) > 1 and not usual:
        raise DataFaultError(
            f"{name} has several configurations: {_listed(configs)}. Choose one: NAME:CONFIGURATION for a dataset of "
            "the hub, its own folder for one on disk."
        )
    return usual[0] if usual else configs[0]


def _listed(configs: list[str]) -> str:
    return ", ".join(sorted(configs)[:10]) + (", ..." if len(configs) > 10 else "")


def _configs_told(readme: str | None) -> dict[str, Any]:
    """Return the configurations of a README's front matter: name -> its `data_files`."""
    front = re.match(r"\ufeff?---[ \t]*\r?\n(.*?)\r?\n---", readme or "", re.DOTALL)
    try:
        told = yaml.safe_load(front[1]) if front else None
    except yaml.YAMLError:
        return {}
    configs = told.get("configs") if isinstance(told, dict) else None
    listed = [config for config in configs if isinstance(config, dict)] if isinstance(configs, list) else []
    found = {
        str(config.get("config_name", "default")): config["data_files"] for config in listed if "data_files" in config
    }
    defaults = [str(config.get("config_name")) for config in listed if config.get("default") is True]
    if len(defaults) == 1 and "default" not in found and defaults[0] in found:
        return {"default": found[defaults[0]], **found}
    return found


def _matched(paths: list[str], data_files: Any, name: str) -> Splits:
    """Return the files that a configuration's patterns name, by split."""
    patterns: list[tuple[str | None, str]] = []
    for item in data_files if isinstance(data_files, list) else [data_files]:
        split = item.get("split") if isinstance(item, Mapping) else None
        given = item.get("path") if isinstance(item, Mapping) else item
        patterns += [(split, str(path)) for path in (given if isinstance(given, list) else [given])]
    splits: Splits = {}
    for split, pattern in patterns:
        found = [path for path in paths if fnmatchcase(path, pattern) or path == pattern]
        for path in found:
            splits.setdefault(split_name(split) if split else _split_of(path), []).append(path)
    if not splits:
        shown = ", ".join(pattern for _, pattern in patterns[:5])
        raise DataFaultError(f"{name} lacks the files that its README names: {shown[:200]}.")
    return splits

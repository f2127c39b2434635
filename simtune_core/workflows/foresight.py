"""Whether what is asked for will fit on the disk: an estimate before anything is started.

Two bounds for each request: what it writes in any case, and what it may write at most. Only the first is a reason to
refuse; the second, with a reserve for everything else that writes, is a reason to warn. Estimates only: a disk that
fills up all the same is the job's failure, with what was there before intact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simtune_core.candidates.config import CandidatesConfig
from simtune_core.curriculum.augmentation.config import AugmentConfig
from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.datasets import DatasetVersion, find_dataset, load_pairs, load_records
from simtune_core.encoders.catalogue import Encoder, resolve_encoder
from simtune_core.encoders.embedding import cache_folder
from simtune_core.errors import SimtuneError, WorkspaceError
from simtune_core.files import read_json
from simtune_core.jobs.checkpoints import KEPT
from simtune_core.jobs.launcher import read_job
from simtune_core.training.config import TrainingConfig
from simtune_core.workflows.requests import Request
from simtune_core.workflows.space import folder_bytes, free_bytes, size_words
from simtune_core.workspace import Workspace

RESERVE_BYTES = 500_000_000  # for logs, results, the store and whatever else writes on this disk
_VECTOR_ITEM = 4  # bytes of a float32
_KEY = 16  # bytes by which a cached vector is known
_LIKELY_DIM = 1024  # where an encoder does not say its dimension
_FOLDER = 2_000_000  # of a job: log, events, result; of a model: tokenizer, card, ledger
_SCORE = 40  # bytes of a row of scores
_FLAGS = 2  # bytes of a row's flags in a description
_SAMPLED_PAIR = 24  # bytes of a sampled candidate pair
_CELLS = 4 * 200  # kinds of pairs by 0.01 of similarity
_STRATA, _STRATUM = 256, 80_000  # of counted pairs at most, and bytes of what is counted and sampled of one
_PER_CHECKPOINT = 4  # the weights, the best weights so far, and the two moments of the optimizer
_CHECKPOINTS = KEPT + 1  # those that are kept, and the one being written
_ZSTD = 10  # a table is rarely packed tighter than that


@dataclass(frozen=True, slots=True)
class Need:
    """What a request writes, in bytes.

    Attributes:
        least: In any case.
        most: When nothing of it is there yet.
    """

    least: int
    most: int


def foresee(workspace: Workspace, request: Request) -> dict[str, Any] | None:
    """Tell whether a request will fit on the disk.

    Returns:
        None if it will; else a finding, an error where it cannot fit and a warning where it may not.
    """
    free = free_bytes(workspace)
    try:
        most = estimate(workspace, request)
        if most + RESERVE_BYTES <= free:
            return None
        least = _least(workspace, request) if most > free else 0
    except SimtuneError:  # what is asked for is not there: the job says so better
        return None
    return finding(request.title, Need(least, most), free)


def require_room(workspace: Workspace, request: Request) -> None:
    """Refuse a request that cannot fit on the disk.

    Raises:
        WorkspaceError: With what it needs, what is free and what to do.
    """
    found = foresee(workspace, request)
    if found is not None and found["severity"] == "error":
        raise WorkspaceError(found["message"])


def require_room_for_table(workspace: Workspace, name: str, n_bytes: int) -> None:
    """Refuse to save a table of `n_bytes` in memory that does not fit on the disk however well it is packed."""
    found = finding(f"Saving {name}", Need(n_bytes // _ZSTD, n_bytes), free_bytes(workspace))
    if found is not None and found["severity"] == "error":
        raise WorkspaceError(found["message"])


def finding(title: str, need: Need, free: int) -> dict[str, Any] | None:
    """Word what a need means for a disk with `free` bytes; None if there is room, the reserve included."""
    if need.least > free:
        lacking = size_words(need.least + RESERVE_BYTES - free)
        message = (
            f"{title} needs at least {size_words(need.least)} and {size_words(free)} is free on the workspace's disk: "
            f"free {lacking} (the command `size` shows what takes the room), or ask for less."
        )
        return {"code": "disk_full", "severity": "error", "message": message}
    if need.most + RESERVE_BYTES > free:
        message = (
            f"{title} may need {size_words(need.most)} and {size_words(free)} is free on the workspace's disk, where "
            f"{size_words(RESERVE_BYTES)} should stay free: it may stop with a full disk. Free "
            f"{size_words(need.most + RESERVE_BYTES - free)} to be safe (the command `size` shows what takes the room)."
        )
        return {"code": "disk_tight", "severity": "warning", "message": message}
    return None


def estimate(workspace: Workspace, request: Request) -> int:
    """Return the bytes that a request writes at most: when nothing of it is in the cache.

    Raises:
        SimtuneError: If a dataset or an encoder that it names is not there.
    """
    most = _MOST.get(request.kind)
    return _FOLDER + (most(workspace, request.params) if most else 0)


def _least(workspace: Workspace, request: Request) -> int:
    """Return what a request writes in any case: vectors that cannot be in the cache yet, weights that are saved."""
    params = request.params
    if request.kind == "train" and _training(params).method == "full":
        return _weights(resolve_encoder(workspace, params["base"])) // 2  # half, should they be kept in 16 bits
    if request.kind == "describe" or (request.kind == "train" and _training(params).method == "lora"):
        return 0
    return _embedding_least(workspace, _refs(params), _encoders(workspace, params))


def _embedding_most(workspace: Workspace, params: dict[str, Any]) -> int:
    texts = sum(_n_texts(version) for version in _versions(workspace, params))
    return sum(texts * _vector_bytes(encoder) for encoder in _encoders(workspace, params))


def _scored_most(workspace: Workspace, params: dict[str, Any]) -> int:
    n_rows = sum(version.n_rows for version in _versions(workspace, params))
    return _embedding_most(workspace, params) + n_rows * _SCORE


def _embedding_least(workspace: Workspace, refs: list[str], encoders: list[Encoder]) -> int:
    """Return the bytes of the vectors that are missing even if every file in an encoder's cache is of these texts."""
    if not encoders:
        return 0
    texts: set[str] = set()
    for ref in refs:
        version, _ = find_dataset(workspace, ref)
        if version.kind == "pairs":
            texts.update(load_pairs(workspace, ref).unique_texts())
        else:
            texts.update(load_records(workspace, ref).frame["text"])
    return sum(max(0, len(texts) * _vector_bytes(each) - _cached_bytes(workspace, each)) for each in encoders)


def _describe_most(workspace: Workspace, params: dict[str, Any]) -> int:
    return _FLAGS * sum(version.n_rows for version in _versions(workspace, params))


def _split_most(workspace: Workspace, params: dict[str, Any]) -> int:
    return sum(folder_bytes(version.folder) for version in _versions(workspace, params)) * 2  # one more column


def _candidates_most(workspace: Workspace, params: dict[str, Any]) -> int:
    """Return the bytes of vectors, counts, sampled pairs, and the records beside them."""
    cap = int(params.get("cap") or CandidatesConfig().cap)
    versions = _versions(workspace, params)
    n_rows = sum(version.n_rows for version in versions)
    sampled = min(n_rows * n_rows, _CELLS * (cap + _STRATA)) * _SAMPLED_PAIR + n_rows * _SCORE
    counted = min(n_rows, _STRATA) * _STRATUM + 2 * sum(folder_bytes(version.folder) for version in versions)
    return _embedding_most(workspace, params) + sampled + counted


def _curriculum_most(workspace: Workspace, params: dict[str, Any]) -> int:
    records = read_job(workspace, params["candidates"]).params["records"]
    version, _ = find_dataset(workspace, records)
    wanted = sum(phase.n_wanted for phase in CurriculumConfig(**(params.get("config") or {})).phases)
    text_bytes = _ZSTD * folder_bytes(version.folder) / max(1, version.n_rows)
    return int(wanted * (2 * text_bytes + 100))


def _augment_most(workspace: Workspace, params: dict[str, Any]) -> int:
    version, _ = find_dataset(workspace, params["pairs"])
    n_pairs = version.n_rows * (1 + AugmentConfig(**params["config"]).n_children)
    vectors = sum(2 * n_pairs * _vector_bytes(encoder) for encoder in _encoders(workspace, params))
    return vectors + n_pairs * (folder_bytes(version.folder) // max(1, version.n_rows) + _SCORE)


def _evaluate_most(workspace: Workspace, params: dict[str, Any]) -> int:
    n_rows = sum(version.n_rows for version in _versions(workspace, params))
    return _embedding_most(workspace, params) + n_rows * _SCORE * max(1, len(params.get("encoders") or []))


def _train_most(workspace: Workspace, params: dict[str, Any]) -> int:
    config, base = _training(params), resolve_encoder(workspace, params["base"])
    if config.method == "head":
        return _embedding_most(workspace, params) + _dim(base) ** 2 * _VECTOR_ITEM
    tuned = _weights(base) if config.method == "full" else _adapter_bytes(base, config)
    return tuned * (1 + _CHECKPOINTS * _PER_CHECKPOINT)


_MOST: dict[str, Callable[[Workspace, dict[str, Any]], int]] = {
    "import": lambda _, params: int(params.get("n_bytes") or 0),  # rarely packed tighter than it comes
    "embed": _embedding_most,
    "difficulty": _scored_most,
    "mismatch": _scored_most,
    "preflight": _scored_most,
    "map": _embedding_most,  # its points take less than what any job does
    "candidates": _candidates_most,
    "curriculum": _curriculum_most,
    "augment": _augment_most,
    "noise": _embedding_most,
    "edit": lambda workspace, params: folder_bytes(find_dataset(workspace, params["pairs"])[0].folder),
    "train": _train_most,
    "evaluate": _evaluate_most,
    "import_encoder": lambda _, params: 2 * int(params["n_bytes"]),  # half precision becomes float32
    "split": _split_most,
    "describe": _describe_most,
}


def _training(params: dict[str, Any]) -> TrainingConfig:
    return TrainingConfig(**{"method": params["method"], **(params.get("config") or {})})


def _refs(params: dict[str, Any]) -> list[str]:
    given = (params.get(name) for name in ("set", "against", "threshold_from", "records", "test", "train", "dev"))
    return [ref for ref in given if isinstance(ref, str)]


def _versions(workspace: Workspace, params: dict[str, Any]) -> list[DatasetVersion]:
    return list({version.ref: version for version in _found(workspace, _refs(params))}.values())


def _found(workspace: Workspace, refs: Iterable[str]) -> list[DatasetVersion]:
    return [find_dataset(workspace, ref)[0] for ref in refs]


def _encoders(workspace: Workspace, params: dict[str, Any]) -> list[Encoder]:
    """Return the encoders whose vectors a request caches, each once: a head's are those of its base."""
    names = [params.get("encoder"), params.get("base"), *(params.get("encoders") or [])]
    found = (resolve_encoder(workspace, name) for name in names if isinstance(name, str))
    caching = [each.base if each.kind == "head" and each.base else each for each in found]
    return list({each.fingerprint: each for each in caching if each.loads_model}.values())


def _n_texts(version: DatasetVersion) -> int:
    return version.n_rows * (2 if version.kind == "pairs" else 1)


def _vector_bytes(encoder: Encoder) -> int:
    return _dim(encoder) * _VECTOR_ITEM + _KEY


def _cached_bytes(workspace: Workspace, encoder: Encoder) -> int:
    pattern = cache_folder(workspace, encoder, "*")
    return max((folder_bytes(folder) for folder in pattern.parent.glob(pattern.name)), default=0)


def _dim(encoder: Encoder) -> int:
    """Return the dimension of an encoder's vectors as its configuration says."""
    if encoder.base is not None:
        return _dim(encoder.base)
    return int(_configuration(encoder).get("hidden_size") or _LIKELY_DIM)


def _configuration(encoder: Encoder) -> dict[str, Any]:
    """Return the configuration of the transformer in an encoder; empty where there is none to read."""
    places: list[Path] = [] if encoder.folder is None else [encoder.folder, encoder.folder / "0_Transformer"]
    for place in places:
        if (place / "config.json").is_file():
            told = read_json(place / "config.json")
            return told if isinstance(told, dict) else {}
    return {}


def _weights(encoder: Encoder) -> int:
    folder = encoder.folder
    return sum(path.stat().st_size for path in folder.rglob("*.safetensors")) if folder is not None else 0


def _adapter_bytes(encoder: Encoder, config: TrainingConfig) -> int:
    """Return the size of a LoRA adapter, every target as wide as the widest layer."""
    told, dim = _configuration(encoder), _dim(encoder)
    wide = dim + int(told.get("intermediate_size") or 4 * dim)
    layers = int(told.get("num_hidden_layers") or 24)
    return config.r * wide * layers * 2 * len(config.target_modules) * _VECTOR_ITEM

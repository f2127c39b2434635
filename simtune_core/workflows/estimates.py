"""How long a training is likely to take on this machine, as a sentence before it is started."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from simtune_core.datasets import find_dataset
from simtune_core.jobs.devices import visible_gpus
from simtune_core.training.config import TrainingConfig
from simtune_core.training.estimate import estimate_seconds
from simtune_core.workspace import Workspace

LONG_SECONDS = 600.0  # a longer training on a CPU is started only by who has seen the estimate
_MINILM_BYTES = 90_868_376


@dataclass(frozen=True, slots=True)
class TimeEstimate:
    """What a training will cost in time.

    Attributes:
        seconds: Estimated.
        sentence: The same in words, with what would shorten it.
        long: Whether it should be confirmed.
    """

    seconds: float
    sentence: str
    long: bool


def training_time(
    workspace: Workspace, train: str, dev: str, *, base: str, config: TrainingConfig
) -> TimeEstimate | None:
    """Estimate how long a training takes here; None on a machine with a GPU.

    Args:
        workspace: Where everything lies.
        train: Reference of the training pairs.
        dev: Reference of the dev pairs.
        base: Name of the encoder that is tuned.
        config: The settings as asked.

    Raises:
        WorkspaceError: If there is no such pair set.
    """
    n_pairs, n_dev = (_n_rows(workspace, ref) for ref in (train, dev))
    n_gpus, cores = len(visible_gpus()), os.cpu_count() or 1
    seconds = estimate_seconds(n_pairs, config, n_dev=n_dev, n_gpus=n_gpus, cores=cores, size=_size(base))
    if seconds is None:
        return None
    long = seconds > LONG_SECONDS
    shorter = " The head, fewer pairs, max_steps or a GPU take less." if long else ""
    sentence = f"CPU only: {_minutes(seconds)} estimated for {n_pairs:,} pairs.{shorter}"
    return TimeEstimate(seconds, sentence, long)


def _n_rows(workspace: Workspace, ref: str) -> int:
    version, split = find_dataset(workspace, ref, kind="pairs")
    return version.n_rows if split is None else version.splits[split]


def _size(base: str) -> float:
    """Return the size of a base's weights relative to MiniLM's; 1 where they are in no folder: nothing is fetched."""
    folder = Path(base)
    found = sum(path.stat().st_size for path in folder.rglob("*.safetensors")) if folder.is_dir() else 0
    return found / _MINILM_BYTES if found else 1.0


def _minutes(seconds: float) -> str:
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 120 else f"about {minutes / 60:.0f} h"

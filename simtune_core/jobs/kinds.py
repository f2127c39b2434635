"""The kinds of jobs: a name, the function that does the work, and whether it needs the device.

Functions are named, not imported: only the worker of a job loads what its kind needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from simtune_core.errors import JobError
from simtune_core.jobs.context import Job

Run = Callable[[dict[str, Any], Job], dict[str, Any]]
_NO_MODEL = "tfidf"  # the encoder that loads no model


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of job.

    Attributes:
        target: `module:function` of `run(params, job) -> result`.
        device: Whether it waits for a slot of the device.
        encoders: The param that names its encoder or encoders; if none of them loads a model, no device is needed.
    """

    target: str
    device: bool
    encoders: str | None = None


KINDS = {
    "import": Kind("simtune_core.preparing.importing_job:run", device=False),
    "embed": Kind("simtune_core.encoders.job:run", device=True),
    "difficulty": Kind("simtune_core.difficulty.job:run", device=True, encoders="encoder"),
    "map": Kind("simtune_core.difficulty.projection_job:run", device=True, encoders="encoders"),
    "mismatch": Kind("simtune_core.difficulty.mismatch_job:run", device=True, encoders="encoder"),
    "preflight": Kind("simtune_core.difficulty.preflight.job:run", device=True, encoders="encoder"),
    "candidates": Kind("simtune_core.candidates.job:run", device=True, encoders="encoder"),
    "readings": Kind("simtune_core.candidates.readings_job:run", device=True, encoders="encoder"),
    "mine": Kind("simtune_core.curriculum.mining.job:run", device=True, encoders="models"),
    "curriculum": Kind("simtune_core.curriculum.job:run", device=False),
    "augment": Kind("simtune_core.curriculum.augmentation.job:run", device=True, encoders="encoders"),
    "noise": Kind("simtune_core.curriculum.quality.noise_job:run", device=True, encoders="encoder"),
    "edit": Kind("simtune_core.curriculum.quality.edit_job:run", device=False),
    "train": Kind("simtune_core.training.job:run", device=True),
    "diagnose": Kind("simtune_core.adapters.job:run", device=True),
    "evaluate": Kind("simtune_core.evaluation.job:run", device=True, encoders="encoders"),
    "describe": Kind("simtune_core.preparing.describing_job:run", device=False),
    "import_encoder": Kind("simtune_core.encoders.import_job:run", device=False),
    "split": Kind("simtune_core.preparing.splitting_job:run", device=False),
    "sleep": Kind("simtune_core.jobs.selftest:run", device=False),
    "device_sleep": Kind("simtune_core.jobs.selftest:run", device=True),
}


def kind_named(name: str) -> Kind:
    """Return the kind of a name.

    Raises:
        JobError: If there is no such kind.
    """
    if name not in KINDS:
        raise JobError(f"A job kind must be one of {', '.join(KINDS)}, got {name!r}.")
    return KINDS[name]


def needs_device(kind: str, params: dict[str, Any]) -> bool:
    """Tell whether a job of this kind and these params waits for a slot; work that loads no model starts at once.

    TF-IDF loads none; of the others the params tell it, under `fingerprints`.
    """
    known = KINDS.get(kind)
    if known is None or not known.device:
        return False
    named = params.get(known.encoders) if known.encoders else None
    names = [named] if isinstance(named, str) else list(named or [None])
    told = params.get("fingerprints") or []
    free = {_NO_MODEL, *(each["name"] for each in told if each.get("loads_model") is False)}
    return any(name not in free for name in names)


def load_kind(name: str) -> Run:
    """Import the function of a kind, with whatever it imports."""
    module, function = kind_named(name).target.split(":")
    run: Run = getattr(import_module(module), function)
    return run

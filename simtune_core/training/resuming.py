"""What a checkpoint of LoRA and full fine-tuning holds, when one is due, and how a run is continued from it.

Where checkpoints lie, which are whole and how many are kept is jobs/checkpoints.py; the loop is recipe.py.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simtune_core.encoders.catalogue import Encoder
from simtune_core.errors import TrainingError, WorkspaceError
from simtune_core.files import read_json, sha256_json, write_json
from simtune_core.jobs.checkpoints import FOLDER, KEPT, save_checkpoint
from simtune_core.jobs.context import Job
from simtune_core.pairs import PairSet
from simtune_core.training.batching import Batch
from simtune_core.training.config import TrainingConfig

if TYPE_CHECKING:
    from simtune_core.training.callbacks import RunReporter

CHECKPOINT_SECONDS = 120.0  # between two checkpoints where no number of steps was set
_SAVING_SHARE = 20  # and at least so many times as long as the last one took to write
_RUN, _WEIGHTS, _BEST, _TRAINER = "run.json", "weights.safetensors", "best.safetensors", "trainer_state.json"
_COPIES = 4  # of the trained parameters: live, best on dev, and the two moments of Adam
_BESIDE = 1 << 20  # bytes of everything else: random state, schedule, curves
_FREE_TO_CHANGE = {"checkpoint_every"}  # settings that a continued run may change


class Pace:
    """Says when the next checkpoint is due.

    Args:
        every: Steps between two; 0 for none at all, None for one every two minutes.
        step: Step that the run begins after.
    """

    def __init__(self, every: int | None, *, step: int = 0) -> None:
        self.newest: int | None = step or None
        self._every, self._seconds, self._since = every, CHECKPOINT_SECONDS, time.monotonic()

    def due(self, step: int, *, stopping: bool) -> bool:
        """Tell whether a checkpoint should be made after this step."""
        if self._every == 0 or step == self.newest:
            return False
        if stopping:
            return True
        if self._every is not None:
            return step % self._every == 0
        return time.monotonic() - self._since >= self._seconds

    def saved(self, step: int, *, seconds: float) -> None:
        """Note that the checkpoint of a step stands and how long it took to write."""
        self.newest = step
        self._since = time.monotonic()
        self._seconds = max(CHECKPOINT_SECONDS, _SAVING_SHARE * seconds)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that fits the run that continues from it.

    Attributes:
        folder: Where it lies.
        job: Id of the job that made it.
        step: Steps trained until then.
        seconds: Seconds of training until then, over all attempts.
        reporter: State of the reporter.
        loss: Sum of the losses since the last point of the curve, and the step of that point.
    """

    folder: Path
    job: str
    step: int
    seconds: float
    reporter: dict[str, Any]
    loss: tuple[float, int]


def identity_of(
    encoder: Encoder, train: PairSet, dev: PairSet, config: TrainingConfig, plan: Sequence[Batch]
) -> dict[str, Any]:
    """Return what must be the same for a run to be continued, by the name a person knows it by.

    Args:
        encoder: The base.
        train: The training pairs.
        dev: The dev pairs.
        config: The settings as they run: defaults filled in, precision resolved.
        plan: The batches in order.
    """
    settings = {name: value for name, value in config.model_dump(mode="json").items() if name not in _FREE_TO_CHANGE}
    return {
        "base": encoder.fingerprint,
        "training pairs": train.content_id,
        "dev pairs": dev.content_id,
        **settings,
        "number of batches": len(plan),
        "order of batches": sha256_json([batch.rows for batch in plan]),
    }


def read_checkpoint(folder: Path, identity: Mapping[str, Any]) -> Checkpoint:
    """Read what a checkpoint says of its run, and refuse one of another run.

    Args:
        folder: A whole checkpoint.
        identity: See `identity_of`.

    Raises:
        TrainingError: If it was made by a run with other data or settings, or by another version.
        WorkspaceError: If it cannot be read.
    """
    held = read_json(folder / _RUN)
    try:
        was, loss = held["identity"], held["loss"]
        found = Checkpoint(
            folder, held["job"], held["step"], held["seconds"], held["reporter"], (loss["sum"], loss["step"])
        )
    except (KeyError, TypeError) as error:
        raise TrainingError(
            f"The checkpoint {folder.name} must hold the state of a training, and {_RUN} in it lacks {error}. It was "
            "written by another version; start the run again from its beginning."
        ) from error
    names = [name for name in {**was, **identity} if was.get(name) != identity.get(name)]
    if names:
        changes = "; ".join(f"{name}: {_shown(was.get(name))} then, {_shown(identity.get(name))} now" for name in names)
        raise TrainingError(
            f"A run is continued with the data and the settings it began with. The checkpoint of step {found.step} of "
            f"job {found.job} differs - {changes}. Put these back, or start a new run."
        )
    return found


def put_back_weights(model: Any, folder: Path) -> None:
    """Put the trained parameters of a checkpoint into a live model.

    Raises:
        TrainingError: If a parameter is missing, left over, or of another shape.
    """
    import torch

    tensors = _read_tensors(folder / _WEIGHTS)
    live = _trained(model)
    wrong = sorted(set(live) ^ set(tensors))
    wrong += [name for name in set(live) & set(tensors) if live[name].shape != tensors[name].shape]
    if wrong:
        raise TrainingError(
            f"The checkpoint {folder.name} must hold exactly the parameters that are trained; {len(wrong)} do not fit: "
            f"{', '.join(wrong[:5])}. Start the run again from its beginning."
        )
    with torch.no_grad():
        for name, weights in live.items():
            weights.copy_(tensors[name])


def best_weights(folder: Path) -> dict[str, Any]:
    """Read the weights of the best step on dev until a checkpoint, by name; empty when none was scored."""
    return _read_tensors(folder / _BEST) if (folder / _BEST).exists() else {}


def require_room(model: Any, job: Job) -> int:
    """Refuse a run whose checkpoints the disk cannot hold, before its first step.

    Returns:
        Bytes that one checkpoint takes, estimated.

    Raises:
        WorkspaceError: If less is free than those that are kept and the one being written take.
    """
    size = _BESIDE + _COPIES * sum(weights.numel() * weights.element_size() for weights in _trained(model).values())
    free = shutil.disk_usage(job.folder).free
    if free < (KEPT + 1) * size:
        raise WorkspaceError(
            f"There must be room for {KEPT + 1} checkpoints of about {size / 1e6:,.0f} MB each, and {free / 1e6:,.0f} "
            "MB are free: the run would end with a full disk. Free some space, or set checkpoint_every to 0, for none."
        )
    return size


def forget_checkpoints(job: Job) -> None:
    """Remove the checkpoints of a run whose model is saved: nothing will be continued from them."""
    shutil.rmtree(job.folder / FOLDER, ignore_errors=True)


class Keeper:
    """Makes the checkpoints of one run and puts one back; the Trainer calls it, see `recipe.py`."""

    def __init__(
        self, job: Job, identity: Mapping[str, Any], reporter: RunReporter, pace: Pace, origin: Checkpoint | None
    ) -> None:
        self._job, self._identity, self._reporter, self._pace, self._origin = job, identity, reporter, pace, origin
        self._began = time.monotonic()
        if origin:
            reporter.restore(origin.reporter, best_weights(origin.folder))

    @property
    def seconds(self) -> float:
        """Return the seconds of training so far, those before the checkpoint included."""
        return time.monotonic() - self._began + (self._origin.seconds if self._origin else 0.0)

    def save(self, trainer: Any) -> None:
        """Make a checkpoint of the trainer as it stands.

        Raises:
            TrainingError: If the weights are no longer finite: the checkpoint before stays the newest.
            WorkspaceError: If the disk is full; the checkpoint before stays whole.
        """
        started = time.monotonic()
        step = int(trainer.state.global_step)
        weights = {name: value.detach() for name, value in _trained(trainer.model).items()}
        if not all(bool(value.isfinite().all()) for value in weights.values()):
            self._reporter.not_finite("weights", math.nan, step)
        try:
            with save_checkpoint(self._job.folder, step) as folder, _told_as_system_error(folder):
                self._write(folder, trainer, weights, step)
        except WorkspaceError as error:
            newest = self._pace.newest
            kept = "There is none before it" if newest is None else f"The checkpoint of step {newest} is whole"
            raise WorkspaceError(f"The checkpoint of step {step} was not saved. {error} {kept}.") from error
        self._pace.saved(step, seconds=time.monotonic() - started)

    def put_back_loss(self, trainer: Any) -> None:
        """Let the curve go on inside the stretch of steps in which the checkpoint was made."""
        if self._origin:
            total, step = self._origin.loss
            trainer._tr_loss.fill_(total)
            trainer._globalstep_last_logged = step

    def _write(self, folder: Path, trainer: Any, weights: Mapping[str, Any], step: int) -> None:
        _write_tensors(folder / _WEIGHTS, weights)
        if best := self._reporter.best_weights:
            _write_tensors(folder / _BEST, best)
        trainer._save_optimizer_and_scheduler(str(folder))  # read back by the Trainer itself, with weights_only
        trainer._save_scaler(str(folder))
        trainer._save_rng_state(str(folder))
        trainer.state.save_to_json(str(folder / _TRAINER))
        write_json(folder / _RUN, self._state(trainer, step))

    def _state(self, trainer: Any, step: int) -> dict[str, Any]:
        return {
            "v": 1,
            "job": self._job.id,
            "step": step,
            "seconds": self.seconds,
            "identity": dict(self._identity),
            "reporter": self._reporter.state(),
            "loss": {"sum": float(trainer._tr_loss), "step": int(trainer._globalstep_last_logged)},
        }


def _trained(model: Any) -> dict[str, Any]:
    return {name: weights for name, weights in model.named_parameters() if weights.requires_grad}


def _write_tensors(path: Path, tensors: Mapping[str, Any]) -> None:
    from safetensors.torch import save_file

    save_file({name: value.cpu().contiguous() for name, value in tensors.items()}, path, metadata={"format": "pt"})


def _read_tensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"The weights {path.parent.name}/{path.name} cannot be read: {error}. Start the run again from its "
            "beginning."
        ) from error


@contextmanager
def _told_as_system_error(folder: Path) -> Iterator[None]:
    """Ask the system why torch or safetensors could not write: they raise errors of their own for a full disk."""
    from safetensors import SafetensorError

    try:
        yield
    except (RuntimeError, SafetensorError):
        (folder / ".probe").write_bytes(bytes(_BESIDE))  # raises the system's error if that is why
        raise


def _shown(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}..."

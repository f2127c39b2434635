"""What a run reports while it goes: curves, phases, dev metrics, progress - and the best step kept in memory.

Decides nothing about the training itself but when to stop: when asked to, or when the loss is no longer a number.
What a checkpoint holds of a run besides is resuming.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, NoReturn

import numpy as np

from simtune_core.errors import TrainingError
from simtune_core.jobs.context import Job
from simtune_core.training.batching import Batch
from simtune_core.training.dev import DevSample, DevScore
from simtune_core.training.ledger import Observed
from simtune_core.training.resuming import Pace


class _StopAskedError(Exception):
    """Ends a dev score early: the job was asked to stop meanwhile."""


def reporter_for(job: Job, dev: DevSample, plan: Sequence[Batch], *, evaluations: int, pace: Pace) -> RunReporter:
    """Return a reporter that transformers' Trainer accepts as a callback."""
    from transformers import TrainerCallback

    class TrainerReporter(RunReporter, TrainerCallback):
        """The reporter with the events it does not use taken from transformers."""

    return TrainerReporter(job, dev, plan, evaluations=evaluations, pace=pace)


class RunReporter:
    """Reports one run to its job; the Trainer calls its methods, see `reporter_for`.

    Attributes:
        scores: Dev scores so far; the first is the untouched baseline at step 0.
        kept: The dev score of the step whose weights are in the model after `on_train_end`; None while none was scored,
            and the model then holds the weights of its last step.
        best_weights: The weights of that step by name; empty while none was scored.
        stopped: Whether the job was asked to stop.
    """

    def __init__(self, job: Job, dev: DevSample, plan: Sequence[Batch], *, evaluations: int, pace: Pace) -> None:
        self.scores: list[DevScore] = []
        self.kept: DevScore | None = None
        self.best_weights: dict[str, Any] = {}
        self.stopped = False
        self._pace = pace
        self._job, self._dev, self._plan, self._evaluations = job, dev, plan, evaluations
        self._rates: list[float] = []
        self._weight_decay = 0.0
        self._rows: list[int] = []
        self._done: list[Batch] = []
        self._evaluated_at: set[int] = set()

    @property
    def observed(self) -> Observed:
        """Return what was seen of the run, for the ledger."""
        return Observed(tuple(self._rates), self._weight_decay, tuple(self._done), tuple(self._rows))

    def state(self) -> dict[str, Any]:
        """Return what was seen so far as JSON holds it; the best weights stand beside it, see `best_weights`."""
        return {
            "scores": [asdict(score) for score in self.scores],
            "kept": self.kept.step if self.kept else None,
            "learning_rates": self._rates,
            "weight_decay": self._weight_decay,
            "rows_per_step": self._rows,
            "n_batches": len(self._done),
        }

    def restore(self, state: Mapping[str, Any], best_weights: dict[str, Any]) -> None:
        """Take up a run of the same plan where `state` was returned."""
        self.scores = [DevScore(**score) for score in state["scores"]]
        self.kept = next((score for score in self.scores if score.step == state["kept"]), None)
        self.best_weights = best_weights
        self._rates, self._rows = list(state["learning_rates"]), list(state["rows_per_step"])
        self._weight_decay = state["weight_decay"]
        self._done = list(self._plan[: state["n_batches"]])

    def watch(self, loss: Any) -> None:
        """Count the rows that go through a loss, and stop at the first value that is not finite."""
        loss.register_forward_hook(self._after_loss)

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Score the untouched baseline and begin the first phase, or make up the score that a stop left out."""
        points = np.linspace(0, state.max_steps, self._evaluations + 1)[1:]
        self._evaluated_at = {round(float(point)) for point in points} - {0}
        if not self.scores:
            self._evaluate(model, step=0)
            self._job.phase(self._plan[0].phase, step=0)
        elif state.global_step in self._evaluated_at - {score.step for score in self.scores}:
            self._evaluate(model, step=state.global_step)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, optimizer: Any = None, **_: Any) -> None:
        """Read the learning rate that this very step uses; after the step the schedule has moved on."""
        groups = optimizer.param_groups
        self._rates.append(max(float(group["lr"]) for group in groups))
        self._weight_decay = max(float(group["weight_decay"]) for group in groups)

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> Any:
        """Report progress and phases, score dev and ask for a checkpoint when they are due, stop when asked to."""
        step = state.global_step
        self._done.append(self._plan[step - 1])
        following = self._plan[step] if step < state.max_steps else None
        if following and following.phase != self._done[-1].phase:
            self._job.phase(following.phase, step=step)
        self._job.progress(step, state.max_steps, f"step {step} of {state.max_steps}, phase {self._done[-1].phase}")
        if step in self._evaluated_at and not self._job.stop_requested:
            self._evaluate(model, step=step)
        if self._job.stop_requested:
            self.stopped = control.should_training_stop = True
        control.should_save = step < state.max_steps and self._pace.due(step, stopping=self.stopped)
        return control

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Write one point of each curve; the learning rate is the optimizer's, not the settings'."""
        if not logs or "loss" not in logs or not self._rates:
            return
        step = state.global_step
        where = {"step": step, "epoch": self._done[-1].epoch, "phase": self._done[-1].phase}
        self._job.metric("loss", float(logs["loss"]), **where)
        self._job.metric("learning_rate", self._rates[-1], **where)
        if "grad_norm" in logs:
            self._job.metric("grad_norm", float(logs["grad_norm"]), **where)

    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Put the best scored step's weights back; a run stopped before any was scored keeps the weights it has."""
        if not self.stopped and state.global_step not in {score.step for score in self.scores}:
            self._evaluate(model, step=state.global_step)
        live = dict(model.named_parameters())
        for name, weights in self.best_weights.items():
            live[name].data.copy_(weights)

    def not_finite(self, what: str, value: float, step: int) -> NoReturn:
        """End the run: mark the step and say which checkpoint is from before it.

        Raises:
            TrainingError: Always.
        """
        newest = self._pace.newest
        kept = "no checkpoint was made before it" if newest is None else f"the checkpoint of step {newest} is kept"
        sentence = (
            f"The {what} must stay finite, got {value} at step {step}; the run was stopped, no model was saved, "
            f"{kept}. Start it again with a lower learning rate or precision fp32: continued, it would end there again."
        )
        self._job.metric("loss", value, step=step)
        self._job.alert("T010", sentence, severity="error", step=step)
        raise TrainingError(sentence)

    def _evaluate(self, model: Any, *, step: int) -> None:
        try:
            with self._given_up_on_stop(model, step):
                score = self._dev.score(model, step=step)
        except _StopAskedError:
            self.stopped = True
            return
        self.scores.append(score)
        phase = self._done[-1].phase if self._done else None
        for name in ("roc_auc", "spearman_cosine"):
            value = getattr(score, name)
            if value is not None:
                self._job.metric(f"dev_{name}", value, step=step, phase=phase)
        if step > 0 and (self.kept is None or score.value > self.kept.value):
            self.kept = score
            trained = ((name, weights) for name, weights in model.named_parameters() if weights.requires_grad)
            self.best_weights = {name: weights.detach().clone() for name, weights in trained}

    @contextmanager
    def _given_up_on_stop(self, model: Any, step: int) -> Iterator[None]:
        """Let a stop end a score between two batches: the time it is given belongs to the checkpoint."""

        def ask(*_: Any) -> None:
            if step > 0 and self._job.stop_requested:
                raise _StopAskedError

        hook = model.register_forward_pre_hook(ask)
        try:
            yield
        finally:
            hook.remove()

    def _after_loss(self, module: Any, inputs: tuple[Any, ...], output: Any) -> None:
        self._rows.append(len(next(iter(inputs[0]))["input_ids"]))
        value = float(output.detach())
        if not np.isfinite(value):
            self.not_finite("loss", value, len(self._rows))

"""What a run reports while it goes: curves, phases, dev metrics, progress - and the best step kept in memory.

Decides nothing about the training itself but when to stop: when asked to, or when the loss is no longer a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simtune_core.errors import TrainingError
from simtune_core.jobs.context import Job
from simtune_core.training.batching import Batch
from simtune_core.training.dev import DevSample, DevScore
from simtune_core.training.ledger import Observed


def reporter_for(job: Job, dev: DevSample, plan: Sequence[Batch], *, evaluations: int) -> RunReporter:
    """Return a reporter that transformers' Trainer accepts as a callback."""
    from transformers import TrainerCallback

    class TrainerReporter(RunReporter, TrainerCallback):
        """The reporter with the events it does not use taken from transformers."""

    return TrainerReporter(job, dev, plan, evaluations=evaluations)


class RunReporter:
    """Reports one run to its job; the Trainer calls its methods, see `reporter_for`.

    Attributes:
        scores: Dev scores so far; the first is the untouched baseline at step 0.
        kept: The dev score of the step whose weights are in the model after `on_train_end`; None while none was scored,
            and the model then holds the weights of its last step.
        stopped: Whether the job was asked to stop.
    """

    def __init__(self, job: Job, dev: DevSample, plan: Sequence[Batch], *, evaluations: int) -> None:
        self.scores: list[DevScore] = []
        self.kept: DevScore | None = None
        self.stopped = False
        self._job, self._dev, self._plan, self._evaluations = job, dev, plan, evaluations
        self._rates: list[float] = []
        self._weight_decay = 0.0
        self._rows: list[int] = []
        self._done: list[Batch] = []
        self._best_weights: dict[str, Any] = {}
        self._evaluated_at: set[int] = set()

    @property
    def observed(self) -> Observed:
        """Return what was seen of the run, for the ledger."""
        return Observed(tuple(self._rates), self._weight_decay, tuple(self._done), tuple(self._rows))

    def watch(self, loss: Any) -> None:
        """Count the rows that go through a loss, and stop at the first value that is not finite."""
        loss.register_forward_hook(self._after_loss)

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Score the untouched baseline and begin the first phase."""
        points = np.linspace(0, state.max_steps, self._evaluations + 1)[1:]
        self._evaluated_at = {round(float(point)) for point in points} - {0}
        self._evaluate(model, step=0)
        self._job.phase(self._plan[0].phase, step=0)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, optimizer: Any = None, **_: Any) -> None:
        """Read the learning rate that this very step uses; after the step the schedule has moved on."""
        groups = optimizer.param_groups
        self._rates.append(max(float(group["lr"]) for group in groups))
        self._weight_decay = max(float(group["weight_decay"]) for group in groups)

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> Any:
        """Report progress and phases, score dev when it is due, stop when asked to."""
        step = state.global_step
        self._done.append(self._plan[step - 1])
        following = self._plan[step] if step < state.max_steps else None
        if following and following.phase != self._done[-1].phase:
            self._job.phase(following.phase, step=step)
        self._job.progress(step, state.max_steps, f"step {step} of {state.max_steps}, phase {self._done[-1].phase}")
        if self._job.stop_requested:
            self.stopped = control.should_training_stop = True
        elif step in self._evaluated_at:
            self._evaluate(model, step=step)
            if self._job.stop_requested:
                self.stopped = control.should_training_stop = True
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
        for name, weights in self._best_weights.items():
            live[name].data.copy_(weights)

    def _evaluate(self, model: Any, *, step: int) -> None:
        score = self._dev.score(model, step=step)
        self.scores.append(score)
        phase = self._done[-1].phase if self._done else None
        for name in ("roc_auc", "spearman_cosine"):
            value = getattr(score, name)
            if value is not None:
                self._job.metric(f"dev_{name}", value, step=step, phase=phase)
        if step > 0 and (self.kept is None or score.value > self.kept.value):
            self.kept = score
            trained = ((name, weights) for name, weights in model.named_parameters() if weights.requires_grad)
            self._best_weights = {name: weights.detach().clone() for name, weights in trained}

    def _after_loss(self, module: Any, inputs: tuple[Any, ...], output: Any) -> None:
        self._rows.append(len(next(iter(inputs[0]))["input_ids"]))
        value = float(output.detach())
        if not np.isfinite(value):
            raise TrainingError(
                f"The loss must stay a finite number, got {value} at step {len(self._rows)}; the run was stopped and "
                "no model was saved. Lower the learning rate, or use precision fp32."
            )

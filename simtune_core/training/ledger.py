"""The ledger of a run: what was asked, what the live trainer did, and whether the two are equal.

Reads the optimizer, the schedule, the loss, the model and the batches that went through; trains nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simtune_core.encoders.loading import resolve_precision
from simtune_core.training.batching import Batch, phase_pairs
from simtune_core.training.config import TrainingConfig
from simtune_core.training.losses import CONTRACTS

_RELATIVE = 1e-6  # a learning rate passes through a few float operations


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One entry.

    Attributes:
        name: What it is about.
        asked: What the settings ask for, JSON-able; None for an entry that only tells what was.
        ran: What the live run had.
        equal: Whether the two agree; True where nothing was asked.
    """

    name: str
    asked: Any
    ran: Any
    equal: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the line as JSON holds it."""
        return {"name": self.name, "asked": self.asked, "ran": self.ran, "equal": self.equal}


@dataclass(frozen=True, slots=True)
class Observed:
    """What callbacks and hooks saw while the run went.

    Attributes:
        learning_rates: Rate of the optimizer's parameter groups at each step; shape (n_steps,).
        weight_decay: Greatest weight decay among the groups.
        batches: The batches that went through a step, in order.
        rows_per_step: Rows that went through the loss at each forward pass.
    """

    learning_rates: Sequence[float]
    weight_decay: float
    batches: Sequence[Batch]
    rows_per_step: Sequence[int]


def line(name: str, asked: Any, ran: Any) -> LedgerLine:
    """Return a line that compares; floats agree within a relative 1e-6."""
    if isinstance(asked, float) and isinstance(ran, int | float):
        return LedgerLine(name, asked, ran, math.isclose(asked, ran, rel_tol=_RELATIVE, abs_tol=1e-15))
    return LedgerLine(name, asked, ran, asked == ran)


def fact(name: str, ran: Any) -> LedgerLine:
    """Return a line that only tells what was."""
    return LedgerLine(name, None, ran, True)


def trainer_ledger(
    config: TrainingConfig, trainer: Any, observed: Observed, *, plan: Sequence[Batch], expected_trainable: int
) -> list[LedgerLine]:
    """Compare the settings of a run with what its trainer did.

    Args:
        config: The settings as asked.
        trainer: sentence-transformers' Trainer after `train()`.
        observed: What the callbacks saw.
        plan: The batches that were planned.
        expected_trainable: Parameters that the method trains, counted from the base's shapes.

    Returns:
        One line an entry; a difference has `equal` False.
    """
    steps = min(len(plan), config.max_steps or len(plan))
    rates = list(observed.learning_rates)
    schedule = trainer.lr_scheduler.lr_lambdas[0]
    groups = trainer.optimizer.param_groups
    lines = [
        line("learning_rate", config.peak_learning_rate, max(rates, default=None)),
        fact("learning_rate_last", rates[-1] if rates else None),
        fact("learning_rate_source", config.source("learning_rate")),
        line("lr_scheduler_type", config.lr_scheduler_type, _schedule_name(schedule)),
        line("warmup_steps", warmup_of(config, steps), getattr(schedule, "keywords", {}).get("num_warmup_steps")),
        line("weight_decay", config.weight_decay, observed.weight_decay),
        line("steps", steps, int(trainer.state.global_step)),
        line("loss", CONTRACTS[config.loss].class_name, type(trainer.loss).__name__),
        line(
            "batch_size",
            min(config.pairs_per_step, _largest(plan)),
            max(observed.rows_per_step, default=0),
        ),
        line("phases", phase_pairs(plan[:steps]), phase_pairs(observed.batches)),
        line("phases_reached", list(phase_pairs(plan)), list(phase_pairs(observed.batches))),
        line("pairs", sum(len(batch.rows) for batch in plan[:steps]), sum(observed.rows_per_step)),
        line("trainable_parameters", expected_trainable, sum(p.numel() for group in groups for p in group["params"])),
        fact("total_parameters", sum(p.numel() for p in trainer.model.parameters())),
        line(
            "precision",
            resolve_precision(config.precision),
            "bf16" if trainer.accelerator.mixed_precision == "bf16" else "fp32",
        ),
        line("seed", config.seed, trainer.args.seed),
        line("max_seq_length", config.max_seq_length, int(trainer.model.max_seq_length)),
    ]
    return lines + (_lora_lines(config, trainer.model) if config.method == "lora" else [])


def warmup_of(config: TrainingConfig, steps: int) -> int:
    """Return the warm-up in steps: a number below 1 is a share of all steps, rounded up (transformers 5)."""
    if config.warmup_steps < 1:
        return math.ceil(steps * config.warmup_steps)
    return int(config.warmup_steps)


def differences(lines: Sequence[LedgerLine]) -> list[str]:
    """Return one sentence for each line in which what ran is not what was asked."""
    return [f"{entry.name}: asked {entry.asked}, ran {entry.ran}." for entry in lines if not entry.equal]


def _lora_lines(config: TrainingConfig, model: Any) -> list[LedgerLine]:
    live: Mapping[str, Any] = model.transformers_model.peft_config
    adapter = next(iter(live.values()))
    return [
        line("r", config.r, adapter.r),
        line("lora_alpha", config.lora_alpha, adapter.lora_alpha),
        line("lora_dropout", config.lora_dropout, adapter.lora_dropout),
        line("target_modules", sorted(config.target_modules), sorted(adapter.target_modules)),
    ]


def _schedule_name(schedule: Any) -> str:
    """Return the schedule's name from the function that computes it, as `cosine` or `linear`."""
    function = getattr(schedule, "func", schedule).__name__
    found = re.fullmatch(r"_get_(.+?)(?:_schedule)?(?:_with_warmup)?(?:_lr_lambda)?", function)
    name = found.group(1) if found else function
    return "constant_with_warmup" if name.startswith("constant") and "warmup" in function else name


def _largest(plan: Sequence[Batch]) -> int:
    return max((len(batch.rows) for batch in plan), default=0)

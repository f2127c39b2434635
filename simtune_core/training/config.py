"""Every setting of a training run: default, bounds and help, stated once; and what a default means for each method.

Knows nothing of data or models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import Field, field_validator

from simtune_core.encoders.config import Precision
from simtune_core.pairs import SCORE_CUT
from simtune_core.settings import Settings

Method = Literal["head", "lora", "full"]
LossName = Literal["cosine_similarity", "cosent", "multiple_negatives_ranking"]
Schedule = Literal["cosine", "linear", "constant_with_warmup"]

METHODS: tuple[Method, ...] = get_args(Method)
METHOD_LEARNING_RATE: dict[Method, float] = {"head": 1e-3, "lora": 5e-4, "full": 2e-5}
METHOD_BATCH_SIZE: dict[Method, int] = {"head": 256, "lora": 32, "full": 32}
HEAD_PENALTIES = (0.0, 1e-3, 1e-2, 1e-1)

_EVERY_METHOD = ("method", "learning_rate", "per_device_train_batch_size", "precision", "seed", "score_cut")
_HEAD_ONLY = ("max_epochs",)
_LORA_ONLY = ("r", "lora_alpha", "lora_dropout", "target_modules")
_BY_DEFAULT = ("learning_rate", "per_device_train_batch_size")


def _by_method(values: Mapping[Method, float]) -> str:
    return ", ".join(f"{values[method]:g} for {method}" for method in METHODS)


class TrainingConfig(Settings):
    """How an encoder is tuned. A setting left empty takes its method's default, which `effective` fills in."""

    method: Method = Field(
        "head",
        description="head: a linear map on frozen embeddings, seconds on a CPU. lora: small updates inside the "
        "transformer. full: every weight.",
    )
    loss: LossName = Field(
        "cosine_similarity",
        description="cosine_similarity and cosent learn from labels or scores; multiple_negatives_ranking learns from "
        "similar pairs alone and drops the others.",
    )
    learning_rate: float | None = Field(
        None, gt=0.0, le=1.0, description=f"Peak learning rate. Empty: {_by_method(METHOD_LEARNING_RATE)}."
    )
    per_device_train_batch_size: int | None = Field(
        None, ge=2, le=4096, description=f"Pairs per step and device. Empty: {_by_method(METHOD_BATCH_SIZE)}."
    )
    epochs: int = Field(1, ge=1, le=50, description="Passes over the pairs of each phase (lora and full).")
    max_epochs: int = Field(12, ge=1, le=100, description="Greatest number of passes of the head; dev chooses which.")
    max_steps: int | None = Field(None, ge=1, le=10_000_000, description="Stop after this many steps. Empty: all.")
    lr_scheduler_type: Schedule = Field("cosine", description="Course of the learning rate after the warm-up.")
    warmup_steps: float = Field(
        0.1, ge=0.0, le=1_000_000, description="Steps of warm-up; below 1 it is a share of all steps."
    )
    weight_decay: float = Field(0.01, ge=0.0, le=1.0, description="Decay of the weights in AdamW.")
    max_seq_length: int = Field(128, ge=8, le=8192, description="Longest input in tokens; what is beyond is cut.")
    precision: Precision = Field(
        "auto", description="Number format of the computing: auto is bf16 where the hardware computes in it, else fp32."
    )
    seed: int = Field(42, ge=0, le=2**32 - 1, description="Seed of everything random in the run.")
    r: int = Field(16, ge=1, le=512, description="LoRA: rank of the update of each layer.")
    lora_alpha: int = Field(32, ge=1, le=2048, description="LoRA: the update is scaled by lora_alpha / r.")
    lora_dropout: float = Field(0.05, ge=0.0, le=0.9, description="LoRA: dropout before the update.")
    target_modules: tuple[str, ...] = Field(
        ("query", "key", "value", "dense"), min_length=1, description="LoRA: names of the layers that get an update."
    )
    evaluations: int = Field(5, ge=1, le=200, description="How often dev pairs are scored during the run.")
    max_dev_pairs: int = Field(
        500,
        ge=20,
        le=100_000,
        description="Dev pairs scored during the run, a seeded sample; stated beside the numbers.",
    )
    logging_steps: int | None = Field(
        None, ge=1, le=100_000, description="Steps between two points of a curve. Empty: about 100 points a run."
    )
    checkpoint_every: int | None = Field(
        None,
        ge=0,
        le=10_000_000,
        description="Steps between two checkpoints, from which a run is continued; 0: none. Empty: every two minutes.",
    )
    score_cut: float = Field(
        SCORE_CUT, gt=0.0, le=1.0, description="A pair with a graded score counts as similar from this score on."
    )

    @field_validator(
        "learning_rate",
        "per_device_train_batch_size",
        "max_steps",
        "logging_steps",
        "checkpoint_every",
        mode="before",
    )
    @classmethod
    def _empty_is_the_default(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("target_modules", mode="before")
    @classmethod
    def _names_may_be_separated_by_commas(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def peak_learning_rate(self) -> float:
        """Return the learning rate that was set, else the method's."""
        return METHOD_LEARNING_RATE[self.method] if self.learning_rate is None else self.learning_rate

    @property
    def pairs_per_step(self) -> int:
        """Return the batch size that was set, else the method's."""
        asked = self.per_device_train_batch_size
        return METHOD_BATCH_SIZE[self.method] if asked is None else asked

    def effective(self) -> TrainingConfig:
        """Return the settings with every value that depends on the method filled in."""
        filled = {"learning_rate": self.peak_learning_rate, "per_device_train_batch_size": self.pairs_per_step}
        return self.model_copy(update={name: value for name, value in filled.items() if getattr(self, name) is None})

    def source(self, name: str) -> str:
        """Tell where the value of a setting comes from: `set`, `default`, or `default for lora`."""
        if name in _BY_DEFAULT and getattr(self, name) is None:
            return f"default for {self.method}"
        return "set" if name in self.model_fields_set else "default"

    def unused(self) -> list[str]:
        """Return the settings that were set and that the method does not read."""
        used = set(fields_of(self.method))
        changed = (
            name for name in self.model_fields_set if getattr(self, name) != type(self).model_fields[name].default
        )
        return sorted(name for name in changed if name not in used)


def fields_of(method: Method) -> list[str]:
    """Return the names of the settings that a method reads, in the order in which they are declared."""
    names = list(TrainingConfig.model_fields)
    if method == "head":
        return [name for name in names if name in (*_EVERY_METHOD, *_HEAD_ONLY)]
    hidden = _HEAD_ONLY if method == "lora" else (*_HEAD_ONLY, *_LORA_ONLY)
    return [name for name in names if name not in hidden]

"""The recipe of LoRA and full fine-tuning, read from top to bottom: base, adapter, batches, one trainer, ledger.

Saves no model: job.py does. What a checkpoint holds is in resuming.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simtune_core.encoders.catalogue import Encoder
from simtune_core.errors import TrainingError
from simtune_core.jobs.context import Job
from simtune_core.pairs import PairSet
from simtune_core.training.batching import Batch, padding_ratio, pair_lengths, plan_batches, sampler_of
from simtune_core.training.config import TrainingConfig
from simtune_core.training.dev import DevSample, DevScore
from simtune_core.training.ledger import LedgerLine, fact, trainer_ledger
from simtune_core.training.losses import CONTRACTS, TrainingRows, build_loss, rows_for
from simtune_core.training.resuming import (
    Checkpoint,
    Keeper,
    Pace,
    identity_of,
    put_back_weights,
    read_checkpoint,
    require_room,
)
from simtune_core.training.truncation import Truncation, limit_length

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_POINTS_PER_CURVE = 100
_UNREAD = r".*\bpooler\b.*"  # BERT's pooler: sentence encoders pool tokens themselves and never read it


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model that was trained, and what its run was.

    Attributes:
        model: The live model with the kept weights, in evaluation mode.
        dev: Dev score of the weights kept; without metrics when the run was stopped before its first score.
        baseline: Dev score of the untouched base.
        ledger: Asked beside ran.
        n_dropped: Training pairs the loss could not use.
        truncation: How many texts the run read only the beginning of.
        n_steps: Steps trained.
        stopped: Whether it ended early because it was asked to.
    """

    model: SentenceTransformer
    dev: DevScore
    baseline: DevScore
    ledger: tuple[LedgerLine, ...]
    n_dropped: int
    truncation: Truncation
    n_steps: int
    stopped: bool


def train(encoder: Encoder, train_pairs: PairSet, dev_pairs: PairSet, config: TrainingConfig, job: Job) -> Trained:
    """Tune an encoder with LoRA or fully.

    Args:
        encoder: The base, a transformer.
        train_pairs: Pairs to learn from; their phases are trained in the order in which they first occur.
        dev_pairs: Pairs to choose the best step by.
        config: The settings as asked.
        job: Where curves, phases and progress are reported, where checkpoints are made, who is asked whether to stop,
            and who says which checkpoint to continue from.

    Raises:
        TrainingError: If the loss cannot learn from these pairs, or is no longer a finite number, or if the checkpoint
            is of another run.
        WorkspaceError: If there is no room for checkpoints.
    """
    from transformers import set_seed

    from simtune_core.encoders.loading import load_model, resolve_precision
    from simtune_core.training.callbacks import reporter_for

    asked = config
    config = config.effective().model_copy(update={"precision": resolve_precision(config.precision)})
    chosen = rows_for(config.loss, train_pairs, score_cut=config.score_cut)
    plan, lengths = _plan(train_pairs, chosen, config)
    identity = identity_of(encoder, train_pairs, dev_pairs, config, plan)
    origin = _origin(job, identity)
    dev = _dev_sample(dev_pairs, config)
    set_seed(config.seed)
    model = load_model(encoder, precision="fp32")
    truncation = limit_length(model, config.max_seq_length, [*train_pairs.unique_texts(), *dev_pairs.unique_texts()])
    expected = _make_trainable(model, config)
    loss = build_loss(config.loss, model)
    pace = Pace(config.checkpoint_every, step=origin.step if origin else 0)
    reporter = reporter_for(job, dev, plan, evaluations=config.evaluations, pace=pace)
    reporter.watch(loss)
    keeper = Keeper(job, identity, reporter, pace, origin)
    trainer = _trainer(model, loss, _dataset(train_pairs, chosen), _arguments(config, plan, job.folder), keeper)
    trainer.add_callback(reporter)
    if config.checkpoint_every != 0:
        require_room(model, job)
    trainer.train(resume_from_checkpoint=str(origin.folder) if origin else None)
    lines = trainer_ledger(asked, trainer, reporter.observed, plan=plan, expected_trainable=expected)
    lines += [*_run_lines(reporter, keeper.seconds, origin), fact("n_truncated", truncation.n_cut)]
    lines += [fact("padding_ratio", round(padding_ratio(plan, lengths), 3))]
    return Trained(
        model=model.eval(),
        dev=reporter.kept or _unscored(reporter),
        baseline=reporter.scores[0],
        ledger=tuple(lines),
        n_dropped=chosen.n_dropped,
        truncation=truncation,
        n_steps=len(reporter.observed.batches),
        stopped=reporter.stopped,
    )


def _origin(job: Job, identity: dict[str, Any]) -> Checkpoint | None:
    """Read the checkpoint that the job continues from, and say so; None for a run from the beginning."""
    if job.continues is None:
        return None
    origin = read_checkpoint(job.continues, identity)
    job.alert("T009", f"Continued from step {origin.step} of job {origin.job}.", severity="info", step=origin.step)
    return origin


def _dev_sample(pairs: PairSet, config: TrainingConfig) -> DevSample:
    return DevSample(
        pairs,
        n_pairs=config.max_dev_pairs,
        seed=config.seed,
        score_cut=config.score_cut,
        precision=config.precision,
    )


def _plan(pairs: PairSet, chosen: TrainingRows, config: TrainingConfig) -> tuple[list[Batch], Any]:
    frame = pairs.frame.iloc[chosen.rows]
    first, second = frame["sentence1"].tolist(), frame["sentence2"].tolist()
    lengths = pair_lengths(first, second)
    plan = plan_batches(
        frame["phase"].tolist(),
        lengths,
        batch_size=config.pairs_per_step,
        epochs=config.epochs,
        seed=config.seed,
        texts=None if CONTRACTS[config.loss].reads_targets else list(zip(first, second, strict=True)),
    )
    return plan, lengths


def _make_trainable(model: SentenceTransformer, config: TrainingConfig) -> int:
    """Attach the adapter (LoRA) or leave every weight free (full); return the parameters that should be trained."""
    if config.method == "full":
        model.requires_grad_(True)
        return sum(weights.numel() for weights in model.parameters())
    from peft import LoraConfig

    expected = _expected_lora_parameters(model, config)
    settings = LoraConfig(
        r=config.r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules=list(config.target_modules),
        exclude_modules=_UNREAD,
    )
    model.add_adapter(settings)
    return expected


def _expected_lora_parameters(model: SentenceTransformer, config: TrainingConfig) -> int:
    """Count r * (in + out) over the layers named, from the base's shapes alone; refuse names that fit no layer."""
    import torch

    names = set(config.target_modules)
    modules = ((name, part) for name, part in model.named_modules() if not re.fullmatch(_UNREAD, name))
    linear = {name: part for name, part in modules if isinstance(part, torch.nn.Linear)}
    fitting = [part for name, part in linear.items() if name.rpartition(".")[2] in names]
    if not fitting:
        known = sorted({name.rpartition(".")[2] for name in linear})
        raise TrainingError(
            f"target_modules must name linear layers of the encoder, which has {', '.join(known)}; got "
            f"{', '.join(config.target_modules)}."
        )
    return sum(config.r * (part.in_features + part.out_features) for part in fitting)


def _dataset(pairs: PairSet, chosen: TrainingRows) -> Any:
    from datasets import Dataset

    frame = pairs.frame.iloc[chosen.rows]
    columns: dict[str, Any] = {name: frame[name].tolist() for name in ("sentence1", "sentence2")}
    if chosen.targets is not None:
        columns["label"] = chosen.targets.astype(float).tolist()
    return Dataset.from_dict(columns)


def _trainer(model: Any, loss: Any, dataset: Any, arguments: Any, keeper: Keeper) -> Any:
    from sentence_transformers import SentenceTransformerTrainer
    from transformers import PrinterCallback, ProgressCallback

    class Trainer(SentenceTransformerTrainer):
        def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
            """Leave it out: it embeds training texts for a card that is not written."""

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            """Make it whole or not at all, where the base class would write in place."""
            keeper.save(self)

        def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
            """Put back what is trained and nothing else; the base class would load the whole encoder again."""
            put_back_weights(self.model, Path(resume_from_checkpoint))

        def _load_rng_state(self, checkpoint: str | None) -> None:
            """Put back the last of a checkpoint, just before the first step."""
            super()._load_rng_state(checkpoint)
            keeper.put_back_loss(self)

    trainer = Trainer(model=model, args=arguments, train_dataset=dataset, loss=loss)
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    return trainer


def _arguments(config: TrainingConfig, plan: list[Batch], folder: Path) -> Any:
    """Translate the settings into the Trainer's; `folder` is where it would write, which it does not."""
    import torch
    from sentence_transformers import SentenceTransformerTrainingArguments

    steps = min(len(plan), config.max_steps or len(plan))
    on_gpu = torch.cuda.is_available()
    return SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        num_train_epochs=1,  # the plan holds every pass over every phase
        max_steps=steps,
        per_device_train_batch_size=config.pairs_per_step,
        learning_rate=config.peak_learning_rate,
        lr_scheduler_type=config.lr_scheduler_type,
        warmup_steps=config.warmup_steps if config.warmup_steps < 1 else int(config.warmup_steps),
        weight_decay=config.weight_decay,
        bf16=config.precision == "bf16",
        seed=config.seed,
        batch_sampler=sampler_of(plan),
        logging_steps=config.logging_steps or max(1, steps // _POINTS_PER_CURVE),
        logging_nan_inf_filter=False,
        save_strategy="no",  # the reporter asks for checkpoints
        report_to="none",
        disable_tqdm=True,
    )


def _unscored(reporter: Any) -> DevScore:
    """Return what is known on dev of the last step's weights when none was scored but the untouched base: nothing."""
    return replace(reporter.scores[0], step=len(reporter.observed.batches), roc_auc=None, spearman_cosine=None)


def _run_lines(reporter: Any, seconds: float, origin: Checkpoint | None) -> list[LedgerLine]:
    unscored = f"step {len(reporter.observed.batches)}, where it was stopped, never scored on dev"
    kept = f"step {reporter.kept.step}, best on dev" if reporter.kept else unscored
    continued = [fact("continued_from", {"job": origin.job, "step": origin.step})] if origin else []
    return [
        *continued,
        fact("weights_kept", kept),
        fact("wall_seconds", round(seconds, 1)),
        fact("pairs_per_second", round(sum(reporter.observed.rows_per_step) / max(seconds, 1e-9), 2)),
    ]

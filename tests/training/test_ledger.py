"""The ledger against a real optimizer and schedule, with planted differences."""

from types import SimpleNamespace

import torch
from transformers import get_scheduler

from simtune_core.training.batching import Batch
from simtune_core.training.config import TrainingConfig
from simtune_core.training.ledger import Observed, differences, trainer_ledger, warmup_of

PLAN = [Batch((0, 1), "easy", 1), Batch((2, 3), "hard", 1)]


class CosineSimilarityLoss:
    """Stands for the loss; a ledger reads its name alone."""


def a_trainer(learning_rate):
    """The parts of a trainer that a ledger reads, with a real optimizer and a real schedule."""
    model = torch.nn.Linear(3, 2, bias=False)
    model.max_seq_length = 128
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)
    schedule = get_scheduler("cosine", optimizer, num_warmup_steps=1, num_training_steps=2)
    return SimpleNamespace(
        model=model,
        optimizer=optimizer,
        lr_scheduler=schedule,
        loss=CosineSimilarityLoss(),
        state=SimpleNamespace(global_step=2),
        args=SimpleNamespace(seed=42),
        accelerator=SimpleNamespace(mixed_precision="no"),
    )


def ledger_of(config, learning_rates, batches=PLAN):
    observed = Observed(learning_rates, 0.01, batches, [len(batch.rows) for batch in batches])
    return trainer_ledger(config, a_trainer(config.learning_rate), observed, plan=PLAN, expected_trainable=6)


CONFIG = TrainingConfig(method="full", learning_rate=5e-5, per_device_train_batch_size=2, precision="fp32")


def test_a_run_that_did_what_was_asked_has_no_difference():
    assert differences(ledger_of(CONFIG, [0.0, 5e-5])) == []


def test_a_learning_rate_that_the_optimizer_did_not_have_is_reported():
    assert differences(ledger_of(CONFIG, [0.0, 2e-5])) == ["learning_rate: asked 5e-05, ran 2e-05."]


def test_a_phase_that_never_ran_is_reported_with_its_counts():
    sentences = differences(ledger_of(CONFIG, [0.0, 5e-5], batches=PLAN[:1]))
    assert sentences == [
        "phases: asked {'easy': 2, 'hard': 2}, ran {'easy': 2}.",
        "phases_reached: asked ['easy', 'hard'], ran ['easy'].",
        "pairs: asked 4, ran 2.",
    ]


def test_a_limit_of_steps_that_ends_before_the_last_phase_is_reported():
    config = CONFIG.model_copy(update={"max_steps": 1})
    lines = {line.name: line for line in ledger_of(config, [5e-5], batches=PLAN[:1])}
    assert lines["phases"].equal  # so many pairs of the easy phase were asked for
    assert lines["phases_reached"].as_dict() == {
        "name": "phases_reached", "asked": ["easy", "hard"], "ran": ["easy"], "equal": False,
    }  # fmt: skip


def test_another_loss_schedule_or_size_is_reported():
    config = CONFIG.model_copy(update={"loss": "cosent", "lr_scheduler_type": "linear"})
    found = {sentence.partition(":")[0] for sentence in differences(ledger_of(config, [0.0, 5e-5]))}
    assert found == {"loss", "lr_scheduler_type"}


def test_a_warm_up_below_one_is_a_share_of_the_steps():
    # transformers 5: 0.15 of 1,872 steps -> 281; 1.0 is one step
    assert warmup_of(TrainingConfig(warmup_steps=0.15), 1872) == 281
    assert warmup_of(TrainingConfig(warmup_steps=1.0), 1872) == 1

"""What a training will take on this machine, in words."""

import pytest

from simtune_core.datasets import save_pairs
from simtune_core.pairs import with_pair_columns
from simtune_core.training.config import TrainingConfig
from simtune_core.workflows.estimates import training_time
from tests.workflows.frames import pairs_frame


@pytest.fixture
def on_a_cpu(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


@pytest.fixture
def pairs(workspace):
    save_pairs(workspace, "some", with_pair_columns(pairs_frame(40, split="train")), provenance={})
    save_pairs(workspace, "dev", with_pair_columns(pairs_frame(24, split="dev")), provenance={})
    return workspace


def test_a_short_training_is_told_and_needs_no_tick(pairs, on_a_cpu):
    told = training_time(pairs, "some:train", "dev", base="minilm", config=TrainingConfig(method="head"))
    assert told.sentence == "CPU only: less than a minute estimated for 40 pairs."
    assert not told.long


def test_a_long_training_says_what_would_be_shorter_and_wants_a_tick(pairs, on_a_cpu):
    config = TrainingConfig(method="lora", epochs=50, max_seq_length=8192)
    told = training_time(pairs, "some", "dev@v0001", base="minilm", config=config)
    assert told.long
    assert told.sentence.startswith(
        f"CPU only: about {told.seconds / 60:.0f} min estimated for 40 pairs. The head, "
    ) or (told.sentence.startswith(f"CPU only: about {told.seconds / 3600:.0f} h estimated for 40 pairs. The head, "))


def test_with_a_gpu_there_is_no_estimate(pairs, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert training_time(pairs, "some", "dev", base="minilm", config=TrainingConfig(method="lora")) is None


def test_a_larger_base_takes_longer_and_a_hub_name_fetches_nothing(pairs, on_a_cpu, tmp_path):
    folder = tmp_path / "base"
    folder.mkdir()
    with (folder / "model.safetensors").open("wb") as file:
        file.truncate(4 * 90_868_376)
    config = TrainingConfig(method="lora")
    small, hub, large = (
        training_time(pairs, "some", "dev", base=base, config=config).seconds
        for base in ("minilm", "owner/name", str(folder))
    )
    assert (small, large) == (hub, pytest.approx(4 * small))

"""Adapters made without training: real MiniLM, lora_B drawn from a normal distribution or left at zero."""

import os

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin cost minutes on a busy machine


@pytest.fixture
def saved_adapter(workspace, minilm):
    """Return a function that saves an adapter as model `name`; `spread` 0 leaves it untrained."""

    def save(name="adapter-1", *, spread=0.1, fingerprint=minilm.fingerprint):
        import torch
        from peft import LoraConfig

        from simtune_core.encoders.loading import load_model
        from simtune_core.training.artifacts import save_lora, write_model

        torch.manual_seed(0)
        model = load_model(minilm)
        model.add_adapter(LoraConfig(r=2, lora_alpha=4, target_modules=["query", "value"]))
        for key, weights in model.named_parameters():
            if "lora_B" in key:
                torch.nn.init.normal_(weights, std=spread)
        facts = {
            "model_id": name, "kind": "lora", "base": "minilm", "base_fingerprint": fingerprint, "max_seq_length": 256,
            "trained": spread > 0, "job": None, "train": "t@v0001", "dev": None, "config": {},
        }  # fmt: skip
        write_model(workspace, facts, lambda folder: save_lora(folder, model, base="minilm"), texts={})
        return workspace.model(name)

    return save


@pytest.fixture
def saved_head(workspace, minilm):
    """Return a function that saves a head with the matrix given as model `name`."""

    def save(weight, name="head-1"):
        from simtune_core.training.artifacts import save_head, write_model

        facts = {
            "model_id": name, "kind": "head", "base": "minilm", "base_fingerprint": minilm.fingerprint,
            "max_seq_length": 256, "trained": True, "job": None, "train": "t@v0001", "dev": None, "config": {},
        }  # fmt: skip
        write_model(workspace, facts, lambda folder: save_head(folder, weight), texts={})
        return workspace.model(name)

    return save

"""Invented help-desk pairs in two phases, and one small LoRA run that several tests look at."""

import itertools
import json
import os
import shutil

import pandas as pd
import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin cost minutes on a busy machine

TOPICS = {
    "printer": (
        "printer jam on floor two",
        "paper stuck in the printer",
        "printer prints blank pages",
        "toner is empty",
    ),
    "vpn": ("vpn drops every hour", "cannot reach the vpn gateway", "remote access fails from home", "tunnel is down"),
    "password": ("password expired today", "account locked after typos", "reset my login", "cannot sign in anymore"),
    "mail": ("outlook does not sync", "mailbox is full", "mails stay in the outbox", "calendar invites are lost"),
}


def invented_pairs(prefix, n_pairs):
    """Return pairs, every other one similar (same topic); the first half of the rows is phase easy, the rest hard."""
    texts = [(topic, text) for topic, group in TOPICS.items() for text in group]
    pairs = [(a, b, int(a[0] == b[0])) for a, b in itertools.combinations(texts, 2)]
    similar = [pair for pair in pairs if pair[2]]
    dissimilar = [pair for pair in pairs if not pair[2]][:: max(1, 96 // len(similar))]
    both = [pair for couple in zip(itertools.cycle(similar), dissimilar, strict=False) for pair in couple]
    rows = list(itertools.islice(itertools.cycle(both), n_pairs))
    return pd.DataFrame(
        {
            "sentence1": [f"{prefix} {a[1]}" for a, _, _ in rows],
            "sentence2": [f"{prefix} {b[1]}" for _, b, _ in rows],
            "label": [label for _, _, label in rows],
            "phase": ["easy" if row < n_pairs // 2 else "hard" for row in range(n_pairs)],
        }
    )


def save_sets(workspace):
    from simtune_core.datasets import save_pairs

    save_pairs(workspace, "train", invented_pairs("ticket:", 48), provenance={"source": "invented"})
    save_pairs(workspace, "dev", invented_pairs("request:", 24), provenance={"source": "invented"})


@pytest.fixture
def sets(workspace):
    save_sets(workspace)
    return workspace


@pytest.fixture(scope="session")
def lora_run(tmp_path_factory):
    """Return (workspace, result, events) of a LoRA job of 6 steps."""
    from simtune_core.jobs.context import Job
    from simtune_core.jobs.events import read_events
    from simtune_core.training.job import run
    from simtune_core.workspace import open_workspace

    workspace = open_workspace(tmp_path_factory.mktemp("lora"))
    save_sets(workspace)
    config = {
        "method": "lora",
        "per_device_train_batch_size": 8,
        "evaluations": 2,
        "max_dev_pairs": 20,
        "r": 4,
        "max_seq_length": 32,
        "target_modules": ["query", "value"],
    }
    with Job(workspace.job("lora-job"), workspace) as job:
        result = run({"train": "train", "dev": "dev", "base": "minilm", "config": config, "name": "lora-1"}, job)
    return workspace, result, read_events(workspace.job("lora-job") / "events.jsonl").events


@pytest.fixture(scope="session")
def tiny_base(minilm, tmp_path_factory):
    """Return the folder of an encoder of two small layers with random weights, as a name that a run may ask for."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("base") / "tiny"
    shutil.copytree(minilm.folder, folder, ignore=shutil.ignore_patterns("*.safetensors", "*.md"))
    config = BertConfig(
        vocab_size=30522, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps(json.loads(pooling.read_text()) | {"word_embedding_dimension": 32}))
    return str(folder)

"""What is saved comes back exactly, and what is damaged is refused."""

import shutil

import numpy as np
import pytest

from simtune_core.encoders.catalogue import list_encoders
from simtune_core.errors import EncoderError, WorkspaceError
from simtune_core.training.artifacts import (
    attach_head,
    attach_lora,
    head_weight,
    list_models,
    read_manifest,
    save_head,
    save_lora,
    write_model,
)

TEXTS = ["The printer is jammed.", "vpn down", "free lunch"]


def facts(kind, model_id="model-1"):
    return {
        "model_id": model_id, "kind": kind, "base": "minilm", "base_fingerprint": "f", "max_seq_length": 256,
        "trained": True, "job": None, "train": "t@v0001", "dev": None, "config": {"seed": 1},
    }  # fmt: skip


def a_weight(dim=384):
    noise = np.random.default_rng(0).standard_normal((dim, dim)) * 0.05
    return (np.eye(dim) + noise).astype(np.float32)


def test_a_head_comes_back_exactly_and_computes_what_numpy_computes(workspace, minilm):
    from simtune_core.encoders.loading import load_model

    weight = a_weight()
    written = write_model(workspace, facts("head"), lambda folder: save_head(folder, weight), texts={"README.md": "x"})
    folder = workspace.model("model-1")
    assert read_manifest(folder) == written
    assert set(written.files) == {"head/model.safetensors", "head/config.json", "README.md"}
    assert np.array_equal(head_weight(folder), weight)
    model = load_model(minilm)
    expected = model.encode(TEXTS) @ weight.T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    attach_head(model, folder)
    np.testing.assert_allclose(model.encode(TEXTS), expected, atol=1e-6)


def test_an_adapter_comes_back_exactly_and_names_no_path(workspace, minilm):
    import torch
    from peft import LoraConfig

    from simtune_core.encoders.loading import load_model

    torch.manual_seed(0)
    model = load_model(minilm)
    model.add_adapter(LoraConfig(r=2, lora_alpha=4, target_modules=["query", "value"]))
    for name, weights in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.1)
    model.eval()
    tuned = model.encode(TEXTS)
    write_model(workspace, facts("lora"), lambda folder: save_lora(folder, model, base="minilm"), texts={})
    folder = workspace.model("model-1")
    again = load_model(minilm)
    untouched = again.encode(TEXTS)
    assert attach_lora(again, folder) == ([], [])
    assert np.array_equal(again.encode(TEXTS), tuned)
    assert np.abs(tuned - untouched).max() > 1e-3
    again.disable_adapters()
    assert np.array_equal(again.encode(TEXTS), untouched)
    assert '"base_model_name_or_path": "minilm"' in (folder / "adapter" / "adapter_config.json").read_text()
    assert str(minilm.folder) not in (folder / "adapter" / "adapter_config.json").read_text()


def test_nothing_is_overwritten_and_nothing_half_written_stays(workspace):
    write_model(workspace, facts("head"), lambda folder: save_head(folder, a_weight(4)), texts={})
    with pytest.raises(WorkspaceError, match="model-1 exists already"):
        write_model(workspace, facts("head"), lambda folder: save_head(folder, a_weight(4)), texts={})

    def fails(folder):
        save_head(folder, a_weight(4))
        raise EncoderError("power cut")

    with pytest.raises(EncoderError, match="power cut"):
        write_model(workspace, facts("head", "model-2"), fails, texts={})
    assert [path.name for path in workspace.models.iterdir()] == ["model-1"]
    assert [manifest.model_id for manifest in list_models(workspace)] == ["model-1"]


def test_a_stray_or_damaged_model_is_passed_over_in_every_list(workspace):
    write_model(workspace, facts("head"), lambda folder: save_head(folder, a_weight(4)), texts={})
    shutil.copytree(workspace.model("model-1"), workspace.models / "model-1 copy")
    for name, manifest in (("empty", "{}"), ("list", "[]"), ("torn", '{"kind": ')):
        workspace.model(name).mkdir()
        (workspace.model(name) / "manifest.json").write_text(manifest)

    assert [manifest.model_id for manifest in list_models(workspace)] == ["model-1"]
    assert list_encoders(workspace) == ["minilm", "tfidf", "model-1"]


def test_a_head_of_another_width_is_refused_with_both_numbers(workspace, minilm):
    from simtune_core.encoders.loading import load_model

    write_model(workspace, facts("head"), lambda folder: save_head(folder, a_weight(4)), texts={})
    with pytest.raises(EncoderError, match="got 4 and 384"):
        attach_head(load_model(minilm), workspace.model("model-1"))


def test_a_damaged_head_and_a_foreign_folder_are_refused(workspace):
    write_model(workspace, facts("head"), lambda folder: save_head(folder, a_weight(4)), texts={})
    folder = workspace.model("model-1")
    (folder / "head" / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(EncoderError, match="cannot be read"):
        head_weight(folder)
    (folder / "manifest.json").write_text('{"kind": "head"}')
    with pytest.raises(EncoderError, match="must hold exactly"):
        read_manifest(folder)
    with pytest.raises(EncoderError, match="must be a tuned model"):
        read_manifest(workspace.model("absent"))

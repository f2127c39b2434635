"""Tests of the catalogue: what is refused, and with which sentence."""

import shutil

import pytest
from safetensors.numpy import load_file, save_file

from simtune_core.encoders import catalogue
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.loading import load_model
from simtune_core.errors import EncoderError


@pytest.fixture
def copy(minilm, tmp_path):
    return shutil.copytree(minilm.folder, tmp_path / "copy")


def test_a_copy_of_the_bundled_folder_has_its_fingerprint_and_another_pooling_has_not(workspace, minilm, copy):
    assert resolve_encoder(workspace, str(copy)).fingerprint == minilm.fingerprint

    pooling = copy / "1_Pooling" / "config.json"
    pooling.write_text(pooling.read_text().replace('"pooling_mode_cls_token": false', '"pooling_mode_cls_token": true'))
    assert resolve_encoder(workspace, str(copy)).fingerprint != minilm.fingerprint


def test_weights_with_the_wrong_hash_are_refused(workspace, monkeypatch):
    monkeypatch.setattr(catalogue, "BUNDLED_SHA256", "0" * 64)
    with pytest.raises(EncoderError, match=r"must have sha256 000000000000\.\.\., got 53aa51172d14"):
        resolve_encoder(workspace, "minilm")


def test_an_unknown_name_is_answered_with_what_there_is(workspace):
    with pytest.raises(EncoderError, match="must be one of minilm, tfidf, a folder"):
        resolve_encoder(workspace, "no such thing")


def test_a_folder_that_is_no_model_is_refused(workspace, tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(EncoderError, match=r"must be a sentence-transformers .* got a folder with"):
        resolve_encoder(workspace, str(tmp_path))


def test_pickled_weights_are_refused(workspace, copy):
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="pickled weights"):
        resolve_encoder(workspace, str(copy))


def test_a_missing_layer_is_refused_with_its_names(workspace, copy):
    weights = load_file(copy / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "layer.5." not in name}
    save_file(kept, copy / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(EncoderError, match=r"are missing \(encoder\.layer\.5\."):
        load_model(resolve_encoder(workspace, str(copy)))


def test_weights_that_are_not_finite_are_refused(workspace, copy):
    weights = load_file(copy / "model.safetensors")
    weights["encoder.layer.0.output.dense.bias"][:] = float("nan")
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(EncoderError, match="finite"):
        load_model(resolve_encoder(workspace, str(copy)))


@pytest.mark.parametrize("prefix", ["model.", "encoder.", "junk."])
def test_weights_under_a_foreign_name_are_missing_not_found(workspace, copy, prefix):
    weights = load_file(copy / "model.safetensors")
    save_file(
        {prefix + name: value for name, value in weights.items()}, copy / "model.safetensors", metadata={"format": "pt"}
    )
    with pytest.raises(EncoderError, match="are missing"):
        load_model(resolve_encoder(workspace, str(copy)))


def test_the_architectures_own_prefix_and_old_layer_norm_names_are_understood(workspace, minilm, copy):
    weights = load_file(copy / "model.safetensors")
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}

    def renamed(name):
        return next((name.removesuffix(new) + was for new, was in old.items() if name.endswith(new)), name)

    stored = {f"bert.{renamed(name)}": value for name, value in weights.items()}
    save_file(stored, copy / "model.safetensors", metadata={"format": "pt"})
    model, expected = load_model(resolve_encoder(workspace, str(copy))), load_model(minilm)
    assert abs(model.encode("vpn down") - expected.encode("vpn down")).max() < 1e-6


def test_a_transformer_in_a_folder_of_its_own_is_found(workspace, copy):
    import json

    modules = json.loads((copy / "modules.json").read_text())
    modules[0]["path"] = "words"
    (copy / "words").mkdir()
    for file in [path for path in copy.iterdir() if path.is_file() and path.name != "modules.json"]:
        file.rename(copy / "words" / file.name)
    (copy / "modules.json").write_text(json.dumps(modules))
    assert load_model(resolve_encoder(workspace, str(copy))).encode("vpn down").shape == (384,)


@pytest.mark.parametrize("name", ["", "~no-such-user-at-all", "x" * 300, "a/b--c", "a/b..c", "nul\0byte"])
def test_an_odd_name_is_a_sentence(workspace, name):
    with pytest.raises(EncoderError):
        resolve_encoder(workspace, name)

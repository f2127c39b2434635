"""Real MiniLM with sound, untrained, wrongly wrapped and damaged adapters: the founding bug must be found."""

import warnings

import numpy as np
import pytest

from simtune_core.adapters.checks import check_model, latest_checks
from simtune_core.adapters.inspection import embed_probes, inspect_live, inspect_model
from simtune_core.adapters.job import run
from simtune_core.errors import EncoderError
from simtune_core.jobs.context import Job


def failed(report):
    return [result.code for result in report.failed]


def test_a_trained_adapter_is_applied_and_its_norms_are_those_of_its_matrices(workspace, saved_adapter):
    from safetensors.numpy import load_file

    folder = saved_adapter()
    found = inspect_model(workspace, "adapter-1")
    assert check_model("adapter-1", found).ok
    assert len(found.layers) == 12  # 6 layers x (query, value)
    assert found.disabled_difference == 0.0
    assert found.tuned_difference > 1e-3
    tensors = load_file(folder / "adapter" / "adapter_model.safetensors")
    prefix = "base_model.model.encoder.layer.0.attention.self.query"
    a, b = tensors[f"{prefix}.lora_A.weight"], tensors[f"{prefix}.lora_B.weight"]
    first = next(layer for layer in found.layers if layer.name.endswith("layer.0.attention.self.query"))
    assert first.lora_b == pytest.approx(float(np.linalg.norm(b)), rel=1e-5)
    assert first.delta == pytest.approx(float(np.linalg.norm(2.0 * b @ a)), rel=1e-5)  # lora_alpha 4 / r 2


def test_the_founding_bug_is_found(saved_adapter, minilm):
    """PeftModel around the whole sentence encoder: no exception, modules found, and no effect at all (FACTS 7)."""
    from peft import PeftModel
    from sentence_transformers import SentenceTransformer

    from simtune_core.encoders.loading import load_model

    folder = saved_adapter()
    base_vectors = embed_probes(load_model(minilm))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "Found missing adapter keys", all that a user ever saw
        wrong = PeftModel.from_pretrained(
            SentenceTransformer(str(minilm.folder), device="cpu"), str(folder / "adapter")
        )
    found = inspect_live(wrong, base_vectors)
    assert len(found.layers) > 0
    assert found.tuned_difference == 0.0
    report = check_model("adapter-1", found)
    assert report.status == "not applied"
    assert {"A001", "A003", "A004"} <= set(failed(report))


def test_an_adapter_at_its_initial_value_is_not_trained(workspace, saved_adapter):
    saved_adapter(spread=0.0)
    report = check_model("adapter-1", inspect_model(workspace, "adapter-1"))
    assert (report.status, failed(report)) == ("not trained", ["A003", "A004"])


def test_tensors_missing_from_the_file_are_named(workspace, saved_adapter):
    from safetensors.numpy import load_file, save_file

    path = saved_adapter() / "adapter" / "adapter_model.safetensors"
    tensors = load_file(path)
    dropped = sorted(tensors)[-1]
    save_file({name: value for name, value in tensors.items() if name != dropped} | {"stray": tensors[dropped]}, path)
    found = inspect_model(workspace, "adapter-1")
    assert (found.missing_keys, found.unexpected_keys) == ((dropped,), ("stray",))
    assert failed(check_model("adapter-1", found)) == ["A002", "A007"]


def test_a_torn_file_and_another_base_are_findings_not_crashes(workspace, saved_adapter):
    path = saved_adapter(fingerprint="another") / "adapter" / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    report = check_model("adapter-1", inspect_model(workspace, "adapter-1"))
    assert failed(report) == ["A000", "A006", "A007"]


def test_a_head_is_applied_and_the_identity_is_not_trained(workspace, saved_head):
    identity = np.eye(384, dtype=np.float32)
    saved_head(identity, "head-0")
    saved_head(identity + np.float32(0.01), "head-1")
    untouched, tuned = (check_model(name, inspect_model(workspace, name)) for name in ("head-0", "head-1"))
    assert (untouched.status, untouched.inspection["head_distance"]) == ("not trained", 0.0)
    assert tuned.ok
    assert tuned.inspection["head_distance"] == pytest.approx(3.84, rel=1e-4)  # sqrt(384 * 384 * 0.01 ** 2)


def test_a_head_on_a_base_that_does_not_normalise_is_exact_too(workspace, saved_head, minilm, monkeypatch):
    from simtune_core.encoders import loading

    honest = loading.load_model

    def without_normalize(encoder, **settings):
        model = honest(encoder, **settings)
        if type(model[-1]).__name__ == "Normalize":
            model.pop(-1)
        return model

    monkeypatch.setattr(loading, "load_model", without_normalize)
    assert np.linalg.norm(embed_probes(without_normalize(minilm)), axis=1).min() > 1.5
    saved_head(2 * np.eye(384, dtype=np.float32) + np.float32(0.01), "head-1")
    report = check_model("head-1", inspect_model(workspace, "head-1"))
    assert report.ok
    assert report.inspection["head_parity"] < 1e-5


def test_the_job_keeps_its_report_beside_the_model(workspace, saved_adapter):
    saved_adapter()
    with Job(workspace.job("diagnose-1"), workspace) as job:
        result = run({"model": "adapter-1"}, job)
    assert (result["status"], result["findings"], len(result["layers"])) == ("applied", [], 12)
    assert [check["outcome"] for check in result["checks"]].count("passed") == 8
    assert latest_checks(workspace, "adapter-1").status == "applied"


def test_a_model_that_does_not_exist_is_refused(workspace):
    with pytest.raises(EncoderError, match="absent must be a tuned model"):
        inspect_model(workspace, "absent")

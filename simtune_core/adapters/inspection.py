"""What a tuned model really does: looks at the live model beside its base, and judges nothing.

Everything is computed in fp32, so equal weights give equal numbers. The judgement is in checks.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.encoders.catalogue import Encoder, resolve_encoder
from simtune_core.errors import AdapterError, EncoderError
from simtune_core.training.artifacts import (
    Kind,
    ModelManifest,
    attach_head,
    attach_lora,
    file_hashes,
    head_weight,
    read_manifest,
)
from simtune_core.workspace import Workspace

PROBES = (
    "The printer on the third floor does not print.",
    "Password reset for a locked account.",
    "VPN connection drops every ten minutes.",
    "Outlook cannot find the mail server.",
    "New laptop for a colleague who starts on Monday.",
    "The invoice shows the wrong amount.",
    "How do I cancel my subscription?",
    "Screen stays black after the update.",
    "The train leaves at noon.",
    "A cat sleeps on the warm window sill.",
    "Two teams played to a draw yesterday.",
    "Water boils at a lower temperature on a mountain.",
    "The database backup failed last night.",
    "Request access to the shared finance folder.",
    "My card was charged twice for one payment.",
    "Wireless network is slow in the meeting room.",
)

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class LayerNorms:
    """Size of the update of one adapted layer.

    Attributes:
        name: The layer's name in the model.
        lora_b: Frobenius norm of B; 0 means that the layer adds nothing.
        delta: Frobenius norm of the update, scaling * B @ A.
    """

    name: str
    lora_b: float
    delta: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """A tuned model beside its base. A field that was not looked at is None.

    Attributes:
        kind: `head`, `lora` or `full`.
        load_error: Why the model cannot be loaded.
        wrapped_outside: Whether a PeftModel is around the whole sentence encoder, not on the transformer inside.
        layers: Norms of every adapted layer found in the live model.
        missing_keys: Tensors of the adapter that its file lacks.
        unexpected_keys: Tensors of the file that found no place.
        active_adapters: Adapters in use.
        merged: Whether an adapter is already added into the base's weights.
        tuned_difference: Greatest |tuned - untuned| over the embeddings of `PROBES`; untuned is the same model with its
            adapter disabled, or the base (head, full). Of a head, rows are of length 1 before.
        disabled_difference: Greatest |adapter disabled - freshly loaded base|.
        head_distance: |W - I|, Frobenius.
        head_parity: Greatest |Dense in the model - the same product in numpy|, rows of length 1.
        recorded_fingerprint: The base's fingerprint in the manifest.
        found_fingerprint: The base's fingerprint now.
        changed_files: Saved files that are missing or whose sha256 differs from the manifest.
    """

    kind: Kind
    load_error: str | None = None
    wrapped_outside: bool | None = None
    layers: tuple[LayerNorms, ...] | None = None
    missing_keys: tuple[str, ...] | None = None
    unexpected_keys: tuple[str, ...] | None = None
    active_adapters: tuple[str, ...] | None = None
    merged: bool | None = None
    tuned_difference: float | None = None
    disabled_difference: float | None = None
    head_distance: float | None = None
    head_parity: float | None = None
    recorded_fingerprint: str | None = None
    found_fingerprint: str | None = None
    changed_files: tuple[str, ...] | None = None


def inspect_model(workspace: Workspace, model_id: str, *, progress: Progress | None = None) -> Inspection:
    """Load a saved model and its base in fp32 and look at both.

    Args:
        workspace: Where the model lies.
        model_id: The model.
        progress: Called with (steps done, steps to do, what is being done).

    Returns:
        What was found; a model that cannot be loaded gives an inspection with `load_error`.

    Raises:
        EncoderError: If there is no such model or its base cannot be resolved.
    """
    report = progress or _silent
    folder = workspace.model(model_id)
    manifest = read_manifest(folder)
    report(0, 4, "comparing files with the manifest")
    base = resolve_encoder(workspace, manifest.base)
    found = Inspection(
        kind=manifest.kind,
        recorded_fingerprint=manifest.base_fingerprint,
        found_fingerprint=base.fingerprint,
        changed_files=_changed_files(folder, manifest),
    )
    try:
        live = _inspect_loaded(workspace, folder, base, found, report)
    except (AdapterError, EncoderError) as error:
        return replace(found, load_error=str(error))
    report(4, 4, "done")
    return live


def inspect_live(
    model: Any, base_vectors: NDArray[np.float32], *, missing: Sequence[str] = (), unexpected: Sequence[str] = ()
) -> Inspection:
    """Look at a live model with a LoRA adapter, right or wrong: also a PeftModel around a whole sentence encoder.

    Args:
        model: A SentenceTransformer with an adapter, or a PeftModel around one.
        base_vectors: What the untouched base gives for `PROBES`; shape (n_probes, dim).
        missing: Tensors that the adapter file lacked when it was loaded.
        unexpected: Tensors of the file that found no place.

    Returns:
        Every field about LoRA filled in.
    """
    from peft import PeftModel

    outside = isinstance(model, PeftModel)
    adapted = _adapted_layers(model)
    enabled = embed_probes(model)
    if outside:
        with model.disable_adapter():
            disabled = embed_probes(model)
    else:
        model.disable_adapters()
        disabled = embed_probes(model)
        model.enable_adapters()
    return Inspection(
        kind="lora",
        wrapped_outside=outside,
        layers=tuple(_norms(name, layer) for name, layer in adapted),
        missing_keys=tuple(missing),
        unexpected_keys=tuple(unexpected),
        active_adapters=tuple(sorted({name for _, layer in adapted for name in layer.active_adapters})),
        merged=any(layer.merged for _, layer in adapted),
        tuned_difference=_difference(enabled, disabled),
        disabled_difference=_difference(disabled, base_vectors),
    )


def embed_probes(model: Any) -> NDArray[np.float32]:
    """Return the model's embeddings of `PROBES`; shape (n_probes, dim)."""
    return model.encode(list(PROBES), batch_size=len(PROBES), show_progress_bar=False, convert_to_numpy=True)


def _inspect_loaded(
    workspace: Workspace, folder: Path, base: Encoder, found: Inspection, report: Progress
) -> Inspection:
    from simtune_core.encoders.loading import load_model

    report(1, 4, f"loading {base.title}")
    model = load_model(base)
    base_vectors = embed_probes(model)
    report(2, 4, f"attaching {folder.name}")
    if found.kind == "lora":
        missing, unexpected = attach_lora(model, folder)
        report(3, 4, "comparing embeddings")
        live = inspect_live(model, base_vectors, missing=missing, unexpected=unexpected)
        return replace(
            live,
            recorded_fingerprint=found.recorded_fingerprint,
            found_fingerprint=found.found_fingerprint,
            changed_files=found.changed_files,
        )
    if found.kind == "head":
        weight = head_weight(folder)
        attach_head(model, folder)
        report(3, 4, "comparing embeddings")
        return _with_head(found, weight, base_vectors, embed_probes(model))
    tuned = load_model(resolve_encoder(workspace, folder.name))
    report(3, 4, "comparing embeddings")
    return replace(found, tuned_difference=_difference(embed_probes(tuned), base_vectors))


def _with_head(
    found: Inspection, weight: NDArray[np.float32], base: NDArray[np.float32], tuned: NDArray[np.float32]
) -> Inspection:
    """Compare directions: an encoder without Normalize gives vectors of any length."""
    turned = _unit_rows(tuned)
    return replace(
        found,
        tuned_difference=_difference(turned, _unit_rows(base)),
        head_distance=float(np.linalg.norm(weight - np.eye(len(weight), dtype=np.float32))),
        head_parity=_difference(turned, _unit_rows(base @ weight.T)),
    )


def _adapted_layers(model: Any) -> list[tuple[str, Any]]:
    return [(name, module) for name, module in model.named_modules() if hasattr(module, "lora_B")]


def _norms(name: str, layer: Any) -> LayerNorms:
    import torch

    with torch.no_grad():
        b = [layer.lora_B[adapter].weight.float() for adapter in layer.lora_B]
        updates = [
            layer.scaling[adapter] * (layer.lora_B[adapter].weight.float() @ layer.lora_A[adapter].weight.float())
            for adapter in layer.lora_B
        ]
        return LayerNorms(name, float(sum(part.norm() for part in b)), float(sum(part.norm() for part in updates)))


def _changed_files(folder: Path, manifest: ModelManifest) -> tuple[str, ...]:
    now = file_hashes(folder)
    return tuple(sorted(name for name, digest in manifest.files.items() if now.get(name) != digest))


def _unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _difference(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    return float(np.abs(first - second).max())


def _silent(done: int, total: int, text: str) -> None:
    """Report to nobody."""

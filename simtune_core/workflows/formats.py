"""What the page shows of a pair set laid out for a loss: some rows, how many there are, what is left out."""

from __future__ import annotations

from simtune_core.curriculum.formats import (
    LOSS_FORMATS,
    OUTPUT_FORMATS,
    FormatConfig,
    Formatted,
    OutputFormat,
    format_pairs,
)
from simtune_core.datasets import load_details, load_pairs
from simtune_core.workspace import Workspace

__all__ = ["OUTPUT_FORMATS", "FormatConfig", "Formatted", "lay_out", "losses_of", "settings_of"]

_SETTINGS: dict[OutputFormat, tuple[str, ...]] = {
    "scored": ("score",),
    "triplets": ("num_negatives",),
    "tuples": ("num_negatives",),
}


def lay_out(workspace: Workspace, ref: str, config: FormatConfig) -> Formatted:
    """Lay the pairs of a set out as a loss takes them; see `format_pairs`."""
    return format_pairs(load_pairs(workspace, ref), config, load_details(workspace, ref))


def settings_of(output_format: OutputFormat) -> tuple[str, ...]:
    """Return the names of the settings that a format reads."""
    return _SETTINGS.get(output_format, ())


def losses_of(output_format: OutputFormat) -> list[str]:
    """Return the losses of sentence-transformers that take a format, by their class names."""
    return [loss.class_name for loss in LOSS_FORMATS.values() if output_format in loss.output_formats]

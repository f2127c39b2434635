"""The options that several commands share, each stated once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from simtune_core.encoders.config import EncodingConfig, Precision

Where = Annotated[Path | None, typer.Option("--workspace", help="The workspace; default $SIMTUNE_WORKSPACE or here.")]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object to standard output.")]
FailOn = Annotated[Literal["finding"] | None, typer.Option("--fail-on", help="Exit 1 when there is a finding.")]
Detach = Annotated[bool, typer.Option("--detach", help="Start the job, print its id and return.")]
EncoderName = Annotated[
    str | None,
    typer.Option("--encoder", help=f"{EncodingConfig.model_fields['encoder'].description} Default: the setting."),
]
PrecisionName = Annotated[Precision, typer.Option(help=EncodingConfig.model_fields["precision"].description)]

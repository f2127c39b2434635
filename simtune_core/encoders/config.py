"""How texts are embedded: the settings of every job that needs vectors, stated once."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simtune_core.preferences import DEFAULT_ENCODER
from simtune_core.settings import Settings

Precision = Literal["auto", "fp32", "bf16"]


class EncodingConfig(Settings):
    """Settings of embedding."""

    encoder: str = Field(DEFAULT_ENCODER, description="The space: an encoder's name, or tfidf for TF-IDF cosine.")
    precision: Precision = Field(
        "auto",
        description="Number format of the encoder's weights: auto is bf16 where the hardware computes in it, "
        "else fp32. bf16 is 2 to 3 times faster; its cosines differ from fp32 by less than 0.01.",
    )

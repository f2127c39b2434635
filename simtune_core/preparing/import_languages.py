"""Whether the encoder that will be used says that it speaks the languages of a table."""

from __future__ import annotations

import pandas as pd

from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.errors import EncoderError
from simtune_core.findings import Finding, finding
from simtune_core.languages import SAMPLE_TEXTS, languages_of, notice_languages
from simtune_core.workspace import Workspace

_TEXTS = ("text", "sentence1", "sentence2")


def language_findings(
    workspace: Workspace, frame: pd.DataFrame, encoder: str | None, *, sample: int = SAMPLE_TEXTS
) -> list[Finding]:
    """Tell of languages in a table that an encoder does not speak.

    Args:
        workspace: Where a tuned encoder lies.
        frame: Records or pairs.
        encoder: Its name; without one nothing is said, nor where it is unknown or has no languages, as TF-IDF.
        sample: At most so many texts are looked at.

    Returns:
        One finding, or none.
    """
    columns = [frame[column] for column in _TEXTS if column in frame]
    if encoder is None or not columns:
        return []
    try:
        found = resolve_encoder(workspace, encoder)
    except EncoderError:  # whoever uses it says so
        return []
    folder = found.base.folder if found.base is not None else found.folder
    if folder is None:
        return []
    notice = notice_languages(pd.concat(columns), spoken=languages_of(folder), sample=sample)
    return [] if notice is None else [finding("language", "warning", f"{encoder}: {notice.sentence}")]

"""Text that was decoded wrongly once (mojibake: "cafÃ©" for "café"): found, and mended where ftfy knows how.

Nothing is mended unasked: what looks wrong may have been meant so.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def find_mojibake(values: pd.Series) -> NDArray[np.int64]:
    """Return the places of the texts that were decoded wrongly and can be mended.

    Args:
        values: Strings, null where absent; shape (n,).

    Returns:
        Places in `values`, ascending, from 0; those whose characters are suspicious and whom `repair_mojibake` changes.

    Source:
        Robyn Speer, ftfy: `badness.is_bad` as the suspicion, `fix_encoding` as the proof.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from ftfy.badness import is_bad

    texts = values.astype("str")
    plain = pc.string_is_ascii(pa.array(texts.fillna(""), pa.large_string())).to_numpy(zero_copy_only=False)
    places = np.flatnonzero(~plain)
    held = texts.iloc[places]
    mended = {text: is_bad(text) and repair_mojibake(text) != text for text in held.unique()}
    return places[held.map(mended).to_numpy(dtype=bool)] if len(places) else places


def repair_mojibake(text: str) -> str:
    """Return a text with its wrong decoding undone; a text without any is returned as it is.

    Source:
        Robyn Speer, ftfy: `fix_encoding`; nothing else of ftfy is applied (quotes, width and line ends stay).
    """
    from ftfy import TextFixerConfig, fix_encoding

    return fix_encoding(text, TextFixerConfig(restore_byte_a0=True, unescape_html=False))

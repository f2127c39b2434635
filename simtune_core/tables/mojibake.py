"""Text that was decoded wrongly once (mojibake: "cafÃ©" for "café"): found, and mended where ftfy knows how.

Nothing is mended unasked: what looks wrong may have been meant so.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Without one of these a text was not decoded wrongly: the bytes of one character of UTF-8 become two or more beyond
# ASCII, but for a no-break space that somebody made a space; or a control character of Latin-1 stands for a quote.
_SIGNS = "[^\\x00-\\x7f][^\\x00-\\x7f]|[\u00c2\u00c3\u00c5\u00ce\u00d0\u00d9] |[\\x{80}-\\x{9f}]"


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
    signs = pc.match_substring_regex(pa.array(texts.fillna(""), pa.large_string()), _SIGNS)
    places = np.flatnonzero(signs.to_numpy(zero_copy_only=False))
    held = texts.iloc[places].tolist()
    mended = {text: is_bad(text) and repair_mojibake(text) != text for text in set(held)}
    return places[np.fromiter((mended[text] for text in held), dtype=bool, count=len(held))]


def repair_mojibake(text: str) -> str:
    """Return a text with its wrong decoding undone; a text without any is returned as it is.

    Source:
        Robyn Speer, ftfy: `fix_encoding`; nothing else of ftfy is applied (quotes, width and line ends stay).
    """
    from ftfy import TextFixerConfig, fix_encoding

    return fix_encoding(text, TextFixerConfig(restore_byte_a0=True, unescape_html=False))

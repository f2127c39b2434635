"""TF-IDF as an encoder: sparse unit vectors fitted on all unique texts of the sets being looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simtune_core.errors import DataFaultError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

SETTINGS = "TfidfVectorizer(sublinear_tf=True, dtype=float32)"


def tfidf_matrix(texts: Sequence[str]) -> csr_matrix:
    """Fit TF-IDF on the texts and return their vectors.

    Args:
        texts: Unique texts; the fitting corpus and the rows at once.

    Returns:
        Sparse float32 matrix of shape (n_texts, n_terms); rows have length 1, or 0 where a text has no term.

    Raises:
        DataFaultError: If no text has a term.

    Source:
        scikit-learn `TfidfVectorizer`; see SETTINGS.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        return TfidfVectorizer(sublinear_tf=True, dtype=np.float32).fit_transform(texts)
    except ValueError as error:
        raise DataFaultError(f"TF-IDF needs words of two or more letters, got {len(texts):,} texts without.") from error

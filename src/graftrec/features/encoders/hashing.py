"""Hashed bags of words: no weights, no download, the same vector on every machine."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class HashingEncoder:
    """Signed MurmurHash3 counts of words and word pairs, of unit length (Weinberger et al., ICML 2009)."""

    dim: int = 256

    @property
    def fingerprint(self) -> dict[str, object]:
        return {"encoder": "hashing", "ngrams": 2, **asdict(self)}

    @property
    def width(self) -> int:
        return self.dim

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        from sklearn.feature_extraction.text import HashingVectorizer

        counts = HashingVectorizer(n_features=self.dim, ngram_range=(1, 2), norm="l2").transform(texts)
        return counts.toarray().astype(np.float32)

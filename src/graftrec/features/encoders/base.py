"""What a text encoder is."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class TextEncoder(Protocol):
    """Sentences to vectors, deterministic for equal text.

    ``fingerprint`` holds everything that decides the vectors (weights, pooling, precision ...): it is
    part of the cache key, so that no stale vector is ever served.
    """

    @property
    def fingerprint(self) -> dict[str, object]: ...

    @property
    def width(self) -> int:
        """F, the numbers in a vector, told without long work."""
        ...

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """float32 [len(texts), F]."""
        ...

"""``conditioning=center``: the mean vector becomes 0."""

from dataclasses import dataclass

import numpy as np

from graftrec.features.conditioning.base import Affine, mean


@dataclass(frozen=True)
class Center:
    """x - mean: takes away the direction that all vectors of a decoder model share."""

    def width(self, width: int, num_items: int) -> int:
        return width

    def fit(self, vectors: np.ndarray) -> Affine:
        return Affine(mean(vectors))

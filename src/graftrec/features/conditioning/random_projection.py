"""``conditioning=random_projection``: fewer numbers, without a look at the vectors."""

from dataclasses import dataclass

import numpy as np

from graftrec.features.conditioning.base import Affine, check_dim


@dataclass(frozen=True)
class RandomProjection:
    """A matrix of normal(0, 1 / dim), which keeps distances on average (Johnson and Lindenstrauss, 1984)."""

    dim: int
    seed: int = 0

    def width(self, width: int, num_items: int) -> int:
        check_dim(self.dim, width)
        return self.dim

    def fit(self, vectors: np.ndarray) -> Affine:
        from sklearn.random_projection import GaussianRandomProjection

        self.width(vectors.shape[1], len(vectors))
        components = GaussianRandomProjection(self.dim, random_state=self.seed).fit(vectors).components_
        return Affine(matrix=np.ascontiguousarray(components.T, dtype=np.float32))

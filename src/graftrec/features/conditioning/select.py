"""``conditioning=select``: some of the numbers, as they are."""

from dataclasses import dataclass

import numpy as np

from graftrec.errors import check_choice
from graftrec.features.conditioning.base import Affine, check_dim


@dataclass(frozen=True)
class Select:
    """``dim`` of the F numbers, in their order (LLMInit, Zhang et al., EMNLP 2025).

    ``by``: the largest ``variance`` over the training items, ``uniform`` (every F / dim-th), ``random``.
    """

    dim: int
    by: str = "variance"
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("conditioning.by", self.by, ("variance", "uniform", "random"))

    def width(self, width: int, num_items: int) -> int:
        check_dim(self.dim, width)
        return self.dim

    def fit(self, vectors: np.ndarray) -> Affine:
        width = vectors.shape[1]
        self.width(width, len(vectors))
        matrix = np.zeros((width, self.dim), dtype=np.float32)
        matrix[np.sort(self.columns(vectors)), np.arange(self.dim)] = 1
        return Affine(matrix=matrix)

    def columns(self, vectors: np.ndarray) -> np.ndarray:
        """Which numbers are taken, int64 [dim]."""
        width = vectors.shape[1]
        if self.by == "uniform":
            return np.arange(self.dim) * width // self.dim
        if self.by == "random":
            return np.random.default_rng(self.seed).choice(width, self.dim, replace=False)
        return np.argsort(-vectors.var(axis=0, dtype=np.float64), kind="stable")[: self.dim]

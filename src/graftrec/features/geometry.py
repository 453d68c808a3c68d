"""How evenly vectors fill their space."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Geometry:
    """``mean_cosine`` of all pairs of vectors: near 1 they all point one way, as those of many decoder models do.

    ``effective_rank``: exp of the entropy of the normalised singular values (Roy and Vetterli, 2007, equation 3),
    from 1 to ``width``.
    """

    width: int
    mean_cosine: float
    effective_rank: float

    @classmethod
    def of(cls, vectors: np.ndarray, sample: int = 2048) -> "Geometry":
        """Of the rows [n, F] that are not zero; of at most ``sample`` of them."""
        rows = vectors
        if len(rows) > sample:
            rows = rows[np.sort(np.random.default_rng(0).choice(len(rows), sample, replace=False))]
        rows = rows[rows.any(axis=1)].astype(np.float64)
        return cls(vectors.shape[1], _mean_cosine(rows), effective_rank(rows))

    def __str__(self) -> str:
        return f"{self.width:,} wide, mean cosine {self.mean_cosine:.3f}, effective rank {self.effective_rank:.1f}"


def _mean_cosine(rows: np.ndarray) -> float:
    """(|sum of unit vectors|^2 - n) / (n (n - 1)); 0 of fewer than two."""
    n = len(rows)
    if n < 2:
        return 0.0
    total = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).sum(axis=0)
    return float((total @ total - n) / (n * (n - 1)))


def effective_rank(rows: np.ndarray) -> float:
    """Of the matrix [n, F] in float64: see ``Geometry``; 0 of a matrix of zeros."""
    if not rows.any():
        return 0.0
    gram = rows.T @ rows if len(rows) > rows.shape[1] else rows @ rows.T
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0))
    shares = values[values > 0] / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))

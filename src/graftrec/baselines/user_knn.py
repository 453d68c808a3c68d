"""User-based nearest neighbours."""

from dataclasses import dataclass

import numpy as np

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.baselines.neighbours import at_least_kept, nearest_by_cosine, nearest_gib
from graftrec.baselines.scorers import SparseProduct
from graftrec.errors import check_number


@dataclass(frozen=True)
class UserKNN(Baseline):
    """score(u, i) = sum of S_uv over u's nearest neighbours v that have i in training, S the shrunk cosine.

    Resnick et al. (CSCW 1994), for binary data.
    """

    neighbours: int
    shrinkage: float

    def __post_init__(self) -> None:
        check_number("user-kNN's neighbours", self.neighbours, 1)
        check_number("user-kNN's shrinkage", self.shrinkage, 0)

    def fit(self, data: TrainingData) -> SparseProduct:
        kept = at_least_kept(self.neighbours)
        nearest = data.once(
            "user-kNN", (self.shrinkage, kept), lambda: nearest_by_cosine(data.matrix, self.shrinkage, kept)
        )
        return SparseProduct(nearest.cut(self.neighbours), data.matrix)

    def memory_gib(self, user_degree: np.ndarray, item_degree: np.ndarray) -> float:
        return nearest_gib(item_degree, len(user_degree), at_least_kept(self.neighbours))

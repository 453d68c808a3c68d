"""User-based nearest neighbours."""

from dataclasses import dataclass

import numpy as np

from graftrec.baselines.base import Baseline, TrainingData, co_occurrence
from graftrec.baselines.neighbours import ShrunkCosine, neighbours_gib
from graftrec.baselines.scorers import SparseProduct


@dataclass(frozen=True)
class UserKNN(Baseline):
    """score(u, i) = sum of S_uv over u's nearest neighbours v that have i in training, S the ``ShrunkCosine``.

    Resnick et al. (CSCW 1994), for binary data.
    """

    neighbours: int
    shrinkage: float

    def fit(self, data: TrainingData) -> SparseProduct:
        both = data.once("users", None, lambda: co_occurrence(data.matrix))
        similarity = data.once(
            "user-kNN", self.shrinkage, lambda: ShrunkCosine(both, data.train.user_degree, self.shrinkage)
        )
        return SparseProduct(similarity.nearest(self.neighbours), data.matrix)

    def memory_gib(self, user_degree: np.ndarray, item_degree: np.ndarray) -> float:
        return neighbours_gib(item_degree, len(user_degree))

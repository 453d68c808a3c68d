"""Item-based nearest neighbours."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.baselines.neighbours import at_least_kept, nearest_by_cosine, nearest_gib
from graftrec.baselines.scorers import SparseProduct
from graftrec.errors import check_number


@dataclass(frozen=True)
class ItemKNN(Baseline):
    """score(u, i) = sum of S_ij over u's training items j among i's nearest neighbours, S the shrunk cosine.

    Sarwar et al. (WWW 2001). With ``deviations`` it is mean_i + sum of S_ij (r_uj - mean_j) / sum of S_ij, over all of
    i's nearest neighbours j, where mean_j is the share of users that have j (Ma, King & Lyu, SIGIR 2007).
    """

    neighbours: int
    shrinkage: float
    deviations: bool = False

    def __post_init__(self) -> None:
        check_number("item-kNN's neighbours", self.neighbours, 1)
        check_number("item-kNN's shrinkage", self.shrinkage, 0)

    def fit(self, data: TrainingData) -> SparseProduct:
        kept = at_least_kept(self.neighbours)
        nearest = data.once(
            "item-kNN",
            (self.shrinkage, kept),
            lambda: nearest_by_cosine(data.matrix.T.tocsr(), self.shrinkage, kept),
        ).cut(self.neighbours)
        if not self.deviations:
            return SparseProduct(data.matrix, nearest.T.tocsr())
        total = np.asarray(nearest.sum(axis=1)).ravel()
        weights = (sp.diags_array(1 / np.where(total > 0, total, 1), dtype=np.float32) @ nearest).tocsr()
        mean = data.train.item_degree / data.matrix.shape[0]
        return SparseProduct(data.matrix, weights.T.tocsr(), bias=mean - weights @ mean)

    def memory_gib(self, user_degree: np.ndarray, item_degree: np.ndarray) -> float:
        return nearest_gib(user_degree, len(item_degree), at_least_kept(self.neighbours))

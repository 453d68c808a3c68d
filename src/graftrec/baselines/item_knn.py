"""Item-based nearest neighbours."""

from dataclasses import dataclass

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.baselines.neighbours import ShrunkCosine
from graftrec.baselines.scorers import SparseProduct


@dataclass(frozen=True)
class ItemKNN(Baseline):
    """score(u, i) = sum of S_ij over u's training items j among i's nearest neighbours, S the ``ShrunkCosine``.

    Sarwar et al. (WWW 2001).
    """

    neighbours: int
    shrinkage: float

    def fit(self, data: TrainingData) -> SparseProduct:
        similarity = data.once(
            "item-kNN",
            self.shrinkage,
            lambda: ShrunkCosine(data.co_occurrence, data.train.item_degree, self.shrinkage),
        )
        return SparseProduct(data.matrix, similarity.nearest(self.neighbours).T.tocsr())

"""Random walks of three steps."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.baselines.neighbours import largest_of_rows, neighbours_gib
from graftrec.baselines.scorers import SparseProduct
from graftrec.graph.normalize import normalize


@dataclass(frozen=True)
class RP3Beta(Baseline):
    """Probability of walking from user to item in three steps, divided by the item's degree to the power beta.

    Paudel et al. (TiiS 2017, eq. 6); transition probabilities to the power ``alpha`` as in P3alpha (Cooper et al.,
    WWW 2014). Of the steps from an item to others the ``neighbours`` most likely are kept, itself left out.
    """

    alpha: float
    beta: float
    neighbours: int

    def fit(self, data: TrainingData) -> SparseProduct:
        steps = data.once("RP3beta", (self.alpha, self.beta), lambda: self._steps(data))
        return SparseProduct(data.matrix, largest_of_rows(steps, self.neighbours))

    def _steps(self, data: TrainingData) -> sp.csr_matrix:
        """Item to user to item, [I, I]."""
        to_user = normalize(data.matrix.T.tocsr(), "l1_left").power(self.alpha)
        to_item = normalize(data.matrix, "l1_left").power(self.alpha)
        penalty = np.maximum(data.train.item_degree, 1).astype(np.float32) ** -self.beta
        steps = sp.csr_matrix((to_user @ to_item) @ sp.diags_array(penalty))
        steps.setdiag(0)
        steps.eliminate_zeros()
        steps.sort_indices()
        return steps.astype(np.float32)

    def memory_gib(self, user_degree: np.ndarray, item_degree: np.ndarray) -> float:
        return neighbours_gib(user_degree, len(item_degree))

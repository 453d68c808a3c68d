"""Random walks of three steps."""

from dataclasses import dataclass

import numpy as np

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.baselines.neighbours import Nearest, at_least_kept, nearest_gib
from graftrec.baselines.scorers import SparseProduct
from graftrec.errors import check_number
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

    def __post_init__(self) -> None:
        check_number("RP3beta's neighbours", self.neighbours, 1)
        check_number("RP3beta's alpha", self.alpha, 0)

    def fit(self, data: TrainingData) -> SparseProduct:
        kept = at_least_kept(self.neighbours)
        steps = data.once("RP3beta", (self.alpha, self.beta, kept), lambda: self._steps(data, kept))
        return SparseProduct(data.matrix, steps.cut(self.neighbours))

    def _steps(self, data: TrainingData, kept: int) -> Nearest:
        """Item to user to item, the ``kept`` likeliest from each."""
        to_user = normalize(data.matrix.T.tocsr(), "l1_left").power(self.alpha)
        to_item = normalize(data.matrix, "l1_left").power(self.alpha)
        penalty = np.maximum(data.train.item_degree, 1).astype(np.float32) ** -self.beta
        return Nearest(to_user, to_item, lambda steps, _: steps.data * penalty[steps.indices], kept)

    def memory_gib(self, user_degree: np.ndarray, item_degree: np.ndarray) -> float:
        return nearest_gib(user_degree, len(item_degree), at_least_kept(self.neighbours))

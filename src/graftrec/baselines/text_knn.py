"""Neighbours by text alone."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.scoring import FactorScorer


@dataclass(frozen=True)
class TextKNN(Baseline):
    """score(u, i) = sum of the cosines of i's text vector with those of u's training items, over |u|.

    ``centred``: less the catalogue's mean vector, since a language model's vectors all point one way. An item
    without text scores 0.
    """

    centred: bool
    needs_features: ClassVar[bool] = True

    def fit(self, data: TrainingData) -> FactorScorer:
        assert data.item_features is not None  # needs_features
        vectors = data.item_features.astype(np.float32)
        present = np.any(vectors != 0, axis=1, keepdims=True)
        if self.centred:
            vectors = (vectors - vectors.mean(axis=0, where=present)) * present
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        mean = (data.matrix @ vectors) / np.maximum(data.train.user_degree, 1).astype(np.float32)[:, None]
        return FactorScorer(torch.from_numpy(mean), torch.from_numpy(vectors))

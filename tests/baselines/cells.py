"""Small matrices, and every method at settings that fit them."""

import numpy as np
import torch

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.baselines.chebycf import ChebyCF
from graftrec.baselines.ease import EASE
from graftrec.baselines.gfcf import GFCF
from graftrec.baselines.ials import IALS
from graftrec.baselines.item_knn import ItemKNN
from graftrec.baselines.popularity import Popularity
from graftrec.baselines.rp3beta import RP3Beta
from graftrec.baselines.slim import SLIM
from graftrec.baselines.text_knn import TextKNN
from graftrec.baselines.user_knn import UserKNN
from tests.small_data import from_matrix, random_matrix

CELLS = random_matrix(12, 9, 0.35, seed=3)
CELLS[:, 4] = False  # an item that nobody has
CELLS[5] = False  # a user without items
METHODS: list[Baseline] = [
    Popularity(),
    ItemKNN(neighbours=20, shrinkage=5.0),
    UserKNN(neighbours=20, shrinkage=5.0),
    RP3Beta(alpha=1.0, beta=0.5, neighbours=20),
    EASE(penalty=5.0),
    SLIM(l1=0.1, l2=1.0, neighbours=40),
    IALS(dim=8, unobserved=0.1, penalty=0.01, scaling=1.0, epochs=8),
    GFCF(rank=4, weight=0.3),
    ChebyCF(order=8, flatness=1.5, rank=4, alpha=0.2, beta=0.4),
    TextKNN(centred=True),
]


def data_of(cells: np.ndarray, features: np.ndarray | None = None) -> TrainingData:
    return TrainingData(from_matrix(cells), features)


def scores_of(method: Baseline, cells: np.ndarray, features: np.ndarray | None = None) -> np.ndarray:
    """All users' scores [U, I]."""
    return method.fit(data_of(cells, features)).scores(torch.arange(len(cells))).numpy()


def normalized(cells: np.ndarray) -> np.ndarray:
    """D_U^-1/2 R D_I^-1/2 in float64, zero where a degree is."""
    users, items = (np.maximum(cells.sum(axis), 1).astype(float) for axis in (1, 0))
    return cells / np.sqrt(users)[:, None] / np.sqrt(items)

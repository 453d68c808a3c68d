"""What every recommender without gradient training is: hyper-parameters, and a fit that gives scores."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, TypeVar

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.data.interactions import Interactions
from graftrec.graph.normalize import normalize
from graftrec.scoring import Scorer

T = TypeVar("T")

GRAM_BLOCK: Final = 1024  # rows of a dense matrix that are made at once


class TrainingData:
    """Training interactions and item features [I, F]; what several fits need of them is computed once."""

    def __init__(self, train: Interactions, item_features: np.ndarray | None = None) -> None:
        self.train = train
        self.item_features = item_features
        self._kept: dict[str, tuple[Hashable, object]] = {}

    @property
    def matrix(self) -> sp.csr_matrix:
        """Who has what, binary [U, I]."""
        return self.train.matrix

    @cached_property
    def normalized(self) -> sp.csr_matrix:
        """D_U^-1/2 R D_I^-1/2, [U, I]."""
        return normalize(self.matrix, "symmetric")

    def once(self, name: str, settings: Hashable, compute: Callable[[], T]) -> T:
        """``compute()``, or what it gave the last time under this ``name`` if that was for equal ``settings``."""
        if name not in self._kept or self._kept[name][0] != settings:
            self._kept.pop(name, None)  # one at a time in memory
            self._kept[name] = (settings, compute())
        return self._kept[name][1]  # type: ignore[return-value]


@dataclass(frozen=True)
class Baseline(ABC):
    """Hyper-parameters of a method, and how it is fitted with them."""

    needs_features: ClassVar[bool] = False

    @abstractmethod
    def fit(self, data: TrainingData) -> Scorer:
        """The scores of this method on ``data``."""

    def memory_gib(self, user_degree: np.ndarray, item_degree: np.ndarray) -> float:
        """About what a fit needs at its peak, for a refusal before long work; ``degree`` counts training pairs."""
        return 0.0


def dense_gram(matrix: sp.csr_matrix) -> Tensor:
    """M M^T of a sparse matrix [n, m], float32 [n, n], without its sparse form."""
    gram, transposed = torch.empty(matrix.shape[0], matrix.shape[0]), matrix.T.tocsr()
    for rows in torch.arange(matrix.shape[0]).split(GRAM_BLOCK):
        (matrix[rows.numpy()] @ transposed).toarray(out=gram[rows[0] : rows[-1] + 1].numpy())
    return gram

"""Matrix factorisation by alternating least squares over all cells."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.errors import check_number
from graftrec.scoring import FactorScorer

CELLS: Final = 2**23  # of the matrices [d, d] that are solved at once


@dataclass(frozen=True)
class IALS(Baseline):
    """argmin sum over training pairs (1 - <w_u, h_i>)^2 + unobserved sum over all cells <w_u, h_i>^2 + penalties.

    Hu et al. (ICDM 2008) as in Rendle et al. (RecSys 2022, eq. 1-3): penalty * (|I_u| + unobserved * I)^scaling |w_u|^2
    of a user, alike of an item.
    """

    dim: int
    unobserved: float
    penalty: float
    scaling: float
    epochs: int
    seed: int = 0  # of the start

    def __post_init__(self) -> None:
        check_number("iALS's dim", self.dim, 1)
        check_number("iALS's unobserved", self.unobserved, 0, above=True)
        check_number("iALS's penalty", self.penalty, 0, above=True)
        check_number("iALS's epochs", self.epochs, 1)

    def fit(self, data: TrainingData) -> FactorScorer:
        by_user, by_item = data.matrix, data.matrix.T.tocsr()
        random = torch.Generator().manual_seed(self.seed)
        items = torch.randn(by_item.shape[0], self.dim, generator=random) * 0.1 / self.dim**0.5
        for _ in range(self.epochs):
            users = self.solve(by_user, items)
            items = self.solve(by_item, users)
        return FactorScorer(self.solve(by_user, items), items)

    def memory_gib(self, user_degree: np.ndarray, item_degree: np.ndarray) -> float:
        vectors = 3 * self.dim * (len(user_degree) + len(item_degree))  # and sums and solutions of one side
        return 4 * (2 * max(CELLS, self.dim**2) + vectors) / 2**30

    def solve(self, matrix: sp.csr_matrix, others: Tensor) -> Tensor:
        """The best vectors [n, d] of the rows of ``matrix`` [n, m], given those of its columns [m, d]."""
        everywhere = self.unobserved * (others.T @ others)
        penalty = self.penalty * (np.diff(matrix.indptr) + self.unobserved * len(others)) ** self.scaling
        penalties = torch.from_numpy(penalty.astype(np.float32))
        sums = torch.from_numpy(matrix @ others.numpy())
        solved = torch.empty_like(sums)
        for rows in torch.arange(len(sums)).split(max(1, CELLS // self.dim**2)):
            left = torch.stack([self._observed(matrix, others, row) for row in rows.tolist()])
            left += everywhere
            left.diagonal(dim1=1, dim2=2).add_(penalties[rows, None])
            solved[rows] = torch.cholesky_solve(sums[rows, :, None], torch.linalg.cholesky(left))[:, :, 0]
        return solved

    @staticmethod
    def _observed(matrix: sp.csr_matrix, others: Tensor, row: int) -> Tensor:
        """Sum of the outer products of the vectors in ``row``, [d, d]."""
        mine = others[torch.from_numpy(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]])]
        return mine.T @ mine

"""Matrix factorisation by alternating least squares over all cells."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.scoring import FactorScorer

ROWS: Final = 2048  # solved at once


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

    def fit(self, data: TrainingData) -> FactorScorer:
        by_user, by_item = data.matrix, data.matrix.T.tocsr()
        random = torch.Generator().manual_seed(self.seed)
        items = torch.randn(by_item.shape[0], self.dim, generator=random) * 0.1 / self.dim**0.5
        for _ in range(self.epochs):
            users = self.solve(by_user, items)
            items = self.solve(by_item, users)
        return FactorScorer(self.solve(by_user, items), items)

    def solve(self, matrix: sp.csr_matrix, others: Tensor) -> Tensor:
        """The best vectors [n, d] of the rows of ``matrix`` [n, m], given those of its columns [m, d]."""
        everywhere = self.unobserved * (others.T @ others)
        penalty = self.penalty * (np.diff(matrix.indptr) + self.unobserved * len(others)) ** self.scaling
        penalties = torch.from_numpy(penalty.astype(np.float32))
        sums = torch.from_numpy(matrix @ others.numpy())
        solved = torch.empty_like(sums)
        for rows in torch.arange(len(sums)).split(ROWS):
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

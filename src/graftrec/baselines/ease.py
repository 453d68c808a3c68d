"""A linear autoencoder in closed form."""

from dataclasses import dataclass

import torch
from torch import Tensor

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.baselines.scorers import DenseProduct
from graftrec.errors import InputError

BLOCK = 1024  # rows at once: a block's temporaries are small beside the matrix


@dataclass(frozen=True)
class EASE(Baseline):
    """scores = R B, B = argmin |R - R B|^2 + penalty |B|^2 with diag(B) = 0.

    B_ij = -P_ij / P_jj, P = (R^T R + penalty)^-1: Steck (WWW 2019, eq. 8). One float32 matrix [I, I], in place.
    """

    penalty: float

    def __post_init__(self) -> None:
        if not self.penalty > 0:
            raise InputError(f"EASE's penalty={self.penalty} must be more than 0: R^T R alone has no inverse.")

    def fit(self, data: TrainingData) -> DenseProduct:
        weights = data.dense_gram()
        weights.diagonal().add_(self.penalty)
        invert(weights)
        weights /= -weights.diagonal().clone()
        weights.fill_diagonal_(0)
        return DenseProduct(data.matrix, weights)

    def dense_gib(self, num_users: int, num_items: int) -> float:
        return 4 * num_items**2 / 2**30


def invert(matrix: Tensor) -> None:
    """The inverse of a symmetric positive definite float32 matrix [n, n], in its place.

    The sweep operator (Beaton 1964) in blocks: n^3 operations as LAPACK's potrf and potri, nearly all in products.
    LAPACK itself is not used: OpenBLAS, which SciPy brings, crashes on 40,000 rows with two threads (its issue 1413).
    Only blocks on and above the diagonal are kept up; after the last sweep they are those of minus the inverse.
    """
    starts = range(0, len(matrix), BLOCK)
    for start in starts:
        here = slice(start, start + BLOCK)
        panel = torch.cat([matrix[:start, here].T, matrix[here, start:]], dim=1)  # rows of the pivot [b, n]
        root, failed = torch.linalg.cholesky_ex(panel[:, here])
        if failed:
            raise InputError("EASE's matrix is not positive definite in float32; raise its penalty.")
        pivot = torch.cholesky_inverse(root)
        swept = pivot @ panel
        for row in starts:
            matrix[row : row + BLOCK, row:].addmm_(panel[:, row : row + BLOCK].T, swept[:, row:], alpha=-1)
        matrix[:start, here] = swept[:, :start].T
        matrix[here, start:] = swept[:, start:]
        matrix[here, here] = -pivot
    matrix.neg_()
    for start in starts:
        stop = start + BLOCK
        matrix[stop:, start:stop] = matrix[start:stop, stop:].T

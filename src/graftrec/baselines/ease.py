"""A linear autoencoder in closed form."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.baselines.base import Baseline, TrainingData, dense_gram
from graftrec.baselines.scorers import WIDTH, DenseProduct
from graftrec.errors import InputError, check_number
from graftrec.graph.propagate import SparseMatrix, multiply

BLOCK = 1024  # rows at once: a block's temporaries are small beside the matrix


@dataclass(frozen=True)
class EASE(Baseline):
    """scores = R B, B = argmin |R - R B|^2 + penalty |B|^2 with diag(B) = 0.

    B_ij = -P_ij / P_jj, P = (R^T R + penalty)^-1: Steck (WWW 2019, eq. 8). One float32 matrix, in place: of items
    [I, I], or of users [U, U] where they are fewer.
    """

    penalty: float

    def __post_init__(self) -> None:
        check_number("EASE's penalty", self.penalty, 0, above=True)  # R^T R alone has no inverse

    def fit(self, data: TrainingData) -> "DenseProduct | UserInverse":
        num_users, num_items = data.matrix.shape
        if num_users < num_items:
            return UserInverse(data.matrix, self._inverse(dense_gram(data.matrix)), self.penalty)
        weights = self._inverse(dense_gram(data.matrix.T.tocsr()))
        weights /= -weights.diagonal().clone()
        weights.fill_diagonal_(0)
        return DenseProduct(data.matrix, weights)

    def _inverse(self, gram: Tensor) -> Tensor:
        gram.diagonal().add_(self.penalty)
        invert(gram)
        return gram

    def memory_gib(self, user_degree: np.ndarray, item_degree: np.ndarray) -> float:
        rows = min(len(user_degree), len(item_degree))
        return 4 * rows * (rows + 6 * BLOCK) / 2**30  # a sweep's panels and products were measured at 4 to 5.3 blocks


class UserInverse:
    """R - K R / diag(P), K = (R R^T + penalty)^-1 [U, U]: R B without B.

    B = 1 - P / diag(P) by columns, R P = K R, and P = (1 - R^T K R) / penalty.
    """

    def __init__(self, history: sp.csr_matrix, inverse: Tensor, penalty: float) -> None:
        self.history, self.inverse = history, inverse
        self.to_item = SparseMatrix.of(sp.csr_matrix(history.T), symmetric=False)
        explained = np.zeros(history.shape[1])  # diag(R^T K R)
        for users in torch.arange(history.shape[0]).split(WIDTH):
            own = history[users.numpy()].tocoo()
            values = self._products(users).numpy()[own.col, own.row]
            explained += np.bincount(own.col, values, minlength=len(explained))
        self.diagonal = torch.from_numpy((1 - explained) / penalty).float()

    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """float32 [B, num_items]."""
        scores = torch.empty(len(users), self.history.shape[1]) if out is None else out
        for here in torch.arange(len(users)).split(WIDTH):
            scores[here[0] : here[-1] + 1].copy_(self._products(users[here]).T)
        scores.div_(self.diagonal).neg_()
        own = self.history[users.cpu().numpy()].tocoo()
        scores[torch.from_numpy(own.row).long(), torch.from_numpy(own.col).long()] += 1
        return scores

    def _products(self, users: Tensor) -> Tensor:
        """Columns of R^T K, [I, b]."""
        return multiply(self.to_item.pattern, self.to_item.weights, self.inverse[users].T.contiguous())


def invert(matrix: Tensor) -> None:
    """The inverse of a symmetric positive definite float32 matrix [n, n], in its place.

    The sweep operator (Beaton 1964) in blocks: n^3 operations as LAPACK's potrf and potri, nearly all in products.
    LAPACK itself is not used: OpenBLAS, which SciPy brings, crashes on 40,000 rows with two threads (its issue 1413).
    By triangular solves, as accurate as LAPACK's: products with inverted pivots lose one to three digits.
    Only blocks on and above the diagonal are kept up; after the last sweep they are those of minus the inverse.
    """
    starts = range(0, len(matrix), BLOCK)
    for start in starts:
        here = slice(start, start + BLOCK)
        panel = torch.cat([matrix[:start, here].T, matrix[here, start:]], dim=1)  # rows of the pivot [b, n]
        root, failed = torch.linalg.cholesky_ex(panel[:, here])
        if failed:
            raise InputError("EASE's matrix is not positive definite in float32; raise its penalty.")
        half = torch.linalg.solve_triangular(root, panel, upper=False)
        del panel
        swept = torch.linalg.solve_triangular(root.T, half, upper=True)
        for row in starts:
            matrix[row : row + BLOCK, row:].addmm_(half[:, row : row + BLOCK].T, half[:, row:], alpha=-1)
        matrix[:start, here] = swept[:, :start].T
        matrix[here, start:] = swept[:, start:]
        matrix[here, here] = -torch.cholesky_inverse(root)
    matrix.neg_()
    for start in starts:
        stop = start + BLOCK
        matrix[stop:, start:stop] = matrix[start:stop, stop:].T

"""A graph filter of any shape, as a Chebyshev polynomial."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.baselines.gfcf import right_singular_vectors
from graftrec.graph.propagate import SparseMatrix, multiply

DIGITS: Final = 3  # to which the published code rounds the wanted response


@dataclass(frozen=True)
class ChebyCF(Baseline):
    """scores = R D_I^-beta (sum_k c_k T_k(L) + alpha V V^T) D_I^beta, L = 1 - 2 N^T N, N = D_U^-1/2 R D_I^-1/2.

    Kim et al. (SIGIR 2025): c interpolates the plateau response of ``flatness`` (phi) by a polynomial of ``order`` (K);
    V are the ``rank`` (eta) leading right singular vectors of N.
    """

    order: int
    flatness: float
    rank: int
    alpha: float
    beta: float

    def fit(self, data: TrainingData) -> "ChebyshevFilter":
        down = np.maximum(data.train.item_degree, 1).astype(np.float32) ** -self.beta
        vectors = torch.from_numpy(right_singular_vectors(data, self.rank))
        to_user, to_item = (_rows(matrix) for matrix in (data.normalized, data.normalized.T.tocsr()))
        coefficients = interpolate(self.order, plateau(self.order, self.flatness))
        return ChebyshevFilter(data.matrix, (to_user, to_item), coefficients, vectors, self.alpha, down)


class ChebyshevFilter:
    """A polynomial in L of each user's history [U, I], and the ideal low-pass filter beside it."""

    def __init__(
        self,
        history: sp.csr_matrix,
        steps: tuple[SparseMatrix, SparseMatrix],
        coefficients: np.ndarray,
        vectors: Tensor,
        alpha: float,
        down: np.ndarray,
    ) -> None:
        self.history = history
        self.to_user, self.to_item = steps  # N [U, I] and N^T
        self.coefficients = coefficients
        self.vectors = vectors  # [I, r]
        self.alpha = alpha
        self.down = torch.from_numpy(down)[:, None]  # [I, 1]

    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """float32 [B, num_items]."""
        signal = torch.from_numpy(self.history[users.cpu().numpy()].T.toarray()) * self.down  # [I, B]
        before, last = signal, self._laplacian(signal)
        result = self.vectors @ (self.vectors.T @ signal) * self.alpha
        result += self.coefficients[0] * before + self.coefficients[1] * last
        for coefficient in self.coefficients[2:]:
            before, last = last, 2 * self._laplacian(last) - before
            result.add_(last, alpha=float(coefficient))
        scores = (result / self.down).T
        return scores.contiguous() if out is None else out.copy_(scores)

    def _laplacian(self, signal: Tensor) -> Tensor:
        """2 (1 - N^T N) - 1: its eigenvalues lie in [-1, 1]."""
        around = multiply(self.to_user.pattern, self.to_user.weights, signal)
        return signal - 2 * multiply(self.to_item.pattern, self.to_item.weights, around)


def _rows(matrix: sp.csr_matrix) -> SparseMatrix:
    return SparseMatrix.of(matrix, symmetric=False)


def plateau(order: int, flatness: float) -> np.ndarray:
    """The wanted response at K + 1 points x from -1 to 1: 1 at -1, 1/2 around 0, 0 at 1."""
    x = np.cos((order - np.arange(order + 1)) / order * np.pi).round(DIGITS)
    return (0.5 - 0.5 * np.sign(x) * np.abs(x) ** flatness).round(DIGITS)


def interpolate(order: int, response: np.ndarray) -> np.ndarray:
    """Coefficients c_0 ... c_K of the T_k whose sum takes ``response`` [K + 1] at the Chebyshev nodes, ascending."""
    angles = (order + 0.5 - np.arange(order + 1)) / (order + 1) * np.pi
    c = 2 / (order + 1) * np.cos(np.outer(np.arange(order + 1), angles)) @ response
    c[0] /= 2
    return c

"""A graph filter of any shape, as a Chebyshev polynomial."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
import torch
from numpy.polynomial.chebyshev import chebdiv
from torch import Tensor

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.baselines.gfcf import right_singular_vectors
from graftrec.baselines.scorers import WIDTH
from graftrec.errors import check_number
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

    def __post_init__(self) -> None:
        check_number("ChebyCF's order", self.order, 1)
        check_number("ChebyCF's flatness", self.flatness, 0, above=True)
        check_number("ChebyCF's rank", self.rank, 1)

    def fit(self, data: TrainingData) -> "ChebyshevFilter":
        power = np.maximum(data.train.item_degree, 1).astype(np.float32)[:, None] ** self.beta  # D_I^beta, [I, 1]
        vectors = right_singular_vectors(data, self.rank)
        coefficients = interpolate(self.order, plateau(self.order, self.flatness))
        ideal = (vectors * np.float32(self.alpha) / power, torch.from_numpy(vectors * power))
        return ChebyshevFilter(data.matrix, data.normalized, power[:, 0], coefficients, ideal)


class ChebyshevFilter:
    """A polynomial of N^T N for each user's history [U, I], and the ideal low-pass filter beside it.

    p(N^T N) = p(0) + N^T q(N N^T) N with q(x) = (p(x) - p(0)) / x: all steps but the first and the last are
    between vectors of users, and the first one is of sparse histories. p and q are sums of T_k(1 - 2x).
    """

    def __init__(
        self,
        history: sp.csr_matrix,
        normalized: sp.csr_matrix,
        power: np.ndarray,
        coefficients: np.ndarray,
        ideal: tuple[np.ndarray, Tensor],
    ) -> None:
        self.history = history
        self.to_user, self.to_item = (
            SparseMatrix.of(matrix, symmetric=False) for matrix in (normalized, normalized.T.tocsr())
        )
        self.enter = sp.csr_matrix(sp.diags_array(1 / power) @ normalized.T)  # D_I^-beta N^T [I, U]
        self.leave = self.to_item.weights * self.to_item.pattern.spread(torch.from_numpy(power))  # of D_I^beta N^T
        self.at_zero, self.coefficients = divided(coefficients)
        self.down, self.up = ideal  # [I, r] each

    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """float32 [B, num_items]."""
        rows = self.history[users.cpu().numpy()]
        scores = torch.empty(rows.shape) if out is None else out
        for start in range(0, len(users), WIDTH):
            here = slice(start, start + WIDTH)
            signal = torch.from_numpy((rows[here] @ self.enter).T.toarray(order="C"))  # [U, b]
            scores[here].copy_(multiply(self.to_item.pattern, self.leave, self._filtered(signal)).T)
        scores.addmm_(torch.from_numpy(rows @ self.down), self.up.T)
        own = rows.tocoo()
        scores[torch.from_numpy(own.row).long(), torch.from_numpy(own.col).long()] += self.at_zero
        return scores

    def _filtered(self, signal: Tensor) -> Tensor:
        """q(N N^T) @ signal [U, b], by Clenshaw's recurrence b_k = c_k s + 2 (1 - 2 N N^T) b_(k+1) - b_(k+2).

        Reinsch's form of it, d_k = b_k - b_(k+1), keeps to two vectors that are changed in place.
        """
        value, difference = torch.zeros_like(signal), torch.zeros_like(signal)
        for coefficient in self.coefficients[:0:-1].tolist():
            difference.add_(self._around(value), alpha=-4).add_(signal, alpha=coefficient)
            value += difference
        return difference.add_(self._around(value), alpha=-2).add_(signal, alpha=float(self.coefficients[0]))

    def _around(self, signal: Tensor) -> Tensor:
        """N N^T @ signal [U, b]."""
        items = multiply(self.to_item.pattern, self.to_item.weights, signal)
        return multiply(self.to_user.pattern, self.to_user.weights, items)


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


def divided(coefficients: np.ndarray) -> tuple[float, np.ndarray]:
    """p(0) and the Chebyshev coefficients of (p(x) - p(0)) / x, where p(x) = sum_k c_k T_k(1 - 2x)."""
    at_zero = coefficients.sum()  # T_k(1) = 1
    rest = np.append(coefficients[0] - at_zero, coefficients[1:])
    return float(at_zero), chebdiv(rest, [0.5, -0.5])[0]  # x = (T_0 - T_1) / 2

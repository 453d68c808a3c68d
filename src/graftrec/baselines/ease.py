"""A linear autoencoder in closed form."""

from dataclasses import dataclass

from torch import Tensor

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.baselines.scorers import DenseProduct
from graftrec.errors import InputError

BLOCK = 2048  # rows at once: a block's temporaries are small beside the matrix


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
    """The inverse of a symmetric positive definite float32 matrix [n, n], in its place."""
    from scipy.linalg.lapack import spotrf, spotri

    columns = matrix.numpy().T  # LAPACK's order, the same memory
    _, failed = spotrf(columns, lower=1, clean=0, overwrite_a=1)
    if not failed:
        _, failed = spotri(columns, lower=1, overwrite_c=1)
    if failed:
        raise InputError("EASE's matrix is not positive definite in float32; raise its penalty.")
    for start in range(0, len(matrix), BLOCK):  # LAPACK fills one triangle
        stop = start + BLOCK
        matrix[stop:, start:stop] = matrix[start:stop, stop:].T
        corner = matrix[start:stop, start:stop]
        corner.copy_(corner.triu() + corner.triu(1).T)

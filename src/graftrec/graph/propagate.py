"""The one sparse product that every encoder with linear messages uses."""

from dataclasses import dataclass
from typing import Any

import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """A square matrix in compressed rows, ready to be multiplied: A [N, N].

    ``transpose`` is the same for A^T, None where A is symmetric and hence its own transpose.
    """

    row_offsets: Tensor  # int64 [N + 1]
    columns: Tensor  # int64 [E]
    weights: Tensor  # float32 [E]
    transpose: "SparseMatrix | None" = None

    @classmethod
    def of(cls, matrix: sp.csr_matrix, symmetric: bool, device: torch.device | str = "cpu") -> "SparseMatrix":
        """Copy a SciPy matrix to ``device``."""
        return cls(
            torch.from_numpy(matrix.indptr.astype("int64")).to(device),
            torch.from_numpy(matrix.indices.astype("int64")).to(device),
            torch.from_numpy(matrix.data).to(device),
            None if symmetric else cls.of(matrix.T.tocsr(), True, device),
        )


def propagate(matrix: SparseMatrix, x: Tensor) -> Tensor:
    """A @ x for x [N, d], with gradients A^T @ g to x."""
    return _Product.apply(x, matrix)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, matrix: SparseMatrix) -> Tensor:
        ctx.matrix = matrix
        return _multiply(matrix, x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        matrix: SparseMatrix = ctx.matrix
        return _multiply(matrix.transpose or matrix, gradients[0].contiguous()), None


def _multiply(matrix: SparseMatrix, x: Tensor) -> Tensor:
    weights = matrix.weights.to(x.dtype)
    if x.device.type == "cpu":  # a prefetching kernel, several times faster than torch.sparse
        return F.embedding_bag(
            matrix.columns, x, matrix.row_offsets, mode="sum", per_sample_weights=weights, include_last_offset=True
        )
    size = (len(x), len(x))
    return torch.sparse_csr_tensor(matrix.row_offsets, matrix.columns, weights, size, check_invariants=False) @ x

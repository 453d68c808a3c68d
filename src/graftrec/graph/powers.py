"""X, A X, ..., A^L X at some rows alone: what a training step needs of an encoder that only multiplies."""

from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from graftrec.graph.propagate import SparseMatrix, entries_of, multiply, multiply_transposed

# Of all entries, on a CPU: up to half of them, picking them and multiplying costs less than multiplying by all.
FEW: Final = 0.4


def powers_at(
    matrix: SparseMatrix, x: Tensor, num_layers: int, rows: Tensor, dtype: torch.dtype | None = None
) -> list[Tensor]:
    """A^l @ x for l = 0 to L at ``rows`` int64 [R], all different: L + 1 tensors [R, d], of x [N, d].

    ``dtype`` is the precision of the products, of their results and of the gradients between them (x's if None). The
    last product is made at the rows alone. The gradient follows Horner's rule, g_0 + A^T (g_1 + A^T (g_2 + ...)),
    where each sum touches the rows alone. The matrix is fixed: it gets no gradient.
    """
    return list(_Powers.apply(x, matrix, num_layers, rows, dtype or x.dtype))


class _Powers(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, matrix: SparseMatrix, num_layers: int, rows: Tensor, dtype: torch.dtype
    ) -> tuple[Tensor, ...]:
        ctx.matrix, ctx.rows, ctx.dtype, ctx.shape = matrix, rows, dtype, x.shape
        found, power = [x.index_select(0, rows)], x.to(dtype)
        for layer in range(1, num_layers + 1):
            if layer == num_layers:
                found.append(_product_at(matrix, power, rows))
            else:
                power = multiply(matrix.pattern, matrix.weights_as(dtype), power)
                found.append(power.index_select(0, rows))
        return tuple(found)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, first: Tensor, *later: Tensor) -> tuple[Tensor | None, ...]:
        gradient = first.new_zeros(ctx.shape, dtype=ctx.dtype)
        for at_rows in reversed(later):
            gradient = multiply_transposed(ctx.matrix, None, gradient.index_add_(0, ctx.rows, at_rows.to(ctx.dtype)))
        return gradient.to(first.dtype).index_add_(0, ctx.rows, first), None, None, None, None


def _product_at(matrix: SparseMatrix, x: Tensor, rows: Tensor) -> Tensor:
    """A @ x at ``rows`` [R]: [R, d]."""
    weights = matrix.weights_as(x.dtype)
    offsets = matrix.row_offsets
    if x.device.type != "cpu" or int((offsets[rows + 1] - offsets[rows]).sum()) > FEW * len(matrix.columns):
        return multiply(matrix.pattern, weights, x).index_select(0, rows)
    pattern, entries = entries_of(matrix.pattern, rows)
    return multiply(pattern, weights.index_select(0, entries), x)

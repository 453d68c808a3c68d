"""Attention over the neighbours of every node: a softmax over the entries of a sparse matrix's rows."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from graftrec.graph.propagate import Pattern, SparseMatrix


def attention(
    matrix: SparseMatrix, target: Tensor, source: Tensor, offset: Tensor | None = None, slope: float = 0.2
) -> Tensor:
    """alpha_e = softmax over the entries e of a row of LeakyReLU(target_row(e) + source_column(e) + offset_e), [E].

    Velickovic et al. (GAT, ICLR 2018), eq. 3, with a [W h_i || W h_j] split into ``target`` [N] and
    ``source`` [N]; ``offset`` [E] is what an edge itself adds. ``slope`` is LeakyReLU's below 0.

    With g the gradient to alpha, z the argument of LeakyReLU and S_i the sum of alpha_e g_e over row i:
    d z_e = alpha_e (g_e - S_row(e)) LeakyReLU'(z_e), which also is the gradient to the offset; sums of
    it over rows and over columns go to ``target`` and ``source``. No second derivative. In float32 at
    least: sums in bfloat16 stop growing after some hundred edges.
    """
    precise = torch.promote_types(target.dtype, torch.float32)
    own = None if offset is None else offset.to(precise)
    return _Attention.apply(target.to(precise), source.to(precise), own, matrix, slope)


class _Attention(torch.autograd.Function):
    """The softmax and its gradients, sums over columns in the transposed order."""

    @staticmethod
    def forward(
        ctx: Any, target: Tensor, source: Tensor, offset: Tensor | None, matrix: SparseMatrix, slope: float
    ) -> Tensor:
        logits = matrix.pattern.spread(target).add_(source.index_select(0, matrix.columns))
        if offset is not None:
            logits.add_(offset)
        derivative = (logits > 0).to(logits.dtype).mul_(1 - slope).add_(slope)
        alpha = softmax_of_rows(matrix.pattern, F.leaky_relu_(logits, slope))
        ctx.save_for_backward(alpha, derivative)
        ctx.matrix = matrix
        return alpha

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None, None]:
        alpha, derivative = ctx.saved_tensors
        matrix: SparseMatrix = ctx.matrix
        total = matrix.pattern.reduce(alpha * gradient, "sum")
        to_logits = matrix.pattern.spread(total).neg_().add_(gradient).mul_(alpha).mul_(derivative)
        to_target = matrix.pattern.reduce(to_logits, "sum")
        by_column = to_logits.index_select(0, matrix.transposed_order)
        to_source = matrix.transposed_pattern.reduce(by_column, "sum")
        return to_target, to_source, to_logits if ctx.needs_input_grad[2] else None, None, None


def softmax_of_rows(pattern: Pattern, logits: Tensor) -> Tensor:
    """exp(l_e) over its sum in the row of e, [E]; shifted by the row's maximum. Overwrites the logits."""
    logits.sub_(pattern.spread(pattern.reduce(logits, "max"))).exp_()
    return logits.div_(pattern.spread(pattern.reduce(logits, "sum")))

"""Alignment of pairs and uniformity on the sphere."""

from dataclasses import dataclass
from math import log
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from graftrec.objectives.step import Step, Term

BUFFER: Final = 2**18  # products at once: 1 MiB


@dataclass(frozen=True)
class Alignment(Term):
    """Mean over pairs of |u~ - i~|^2 with x~ = x / |x| (Wang et al., DirectAU, KDD 2022, eq. 3 and 5)."""

    def __call__(self, step: Step) -> Tensor:
        users, items = (F.normalize(rows, dim=-1) for rows in step.rows[:2])
        return (users - items).pow(2).sum(-1).mean()


@dataclass(frozen=True)
class Uniformity(Term):
    """1/2 sum over users' and items' vectors of ln mean exp(-2 |x~ - y~|^2), x and y two rows of the batch.

    Wang et al. (DirectAU, KDD 2022), eq. 4 and 5. As in the authors' code, a node that stands in several
    pairs of the batch counts as often. DirectAU's gamma is this term's weight.
    """

    @property
    def whole_batch(self) -> str:
        return "set its weight to 0"

    def __call__(self, step: Step) -> Tensor:
        parts = [_LogMeanPotential.apply(F.normalize(rows, dim=-1)) for rows in step.rows[:2]]
        return (parts[0] + parts[1]) / 2


class _LogMeanPotential(torch.autograd.Function):
    """ln mean over i != j of exp(-2 |x_i - x_j|^2) = exp(4 <x_i, x_j> - 4) of unit vectors [n, d]; 0 for n < 2.

    With w_ij that exponential, the gradient to x_i is 8 sum_j w_ij x_j / sum w: made with the value, in
    blocks of rows in one buffer.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total, gradient = x.new_zeros(()), torch.zeros_like(x)
        size = max(1, BUFFER // len(x))
        buffer = x.new_empty(min(size, len(x)), len(x))
        for start in range(0, len(x), size):
            own = x[start : start + size]
            potential = torch.mm(own, x.T, out=buffer[: len(own)]).mul_(4).sub_(4).exp_()
            potential.diagonal(start).zero_()
            total += potential.sum()
            gradient[start : start + size] = potential @ x
        if len(x) < 2:
            total += 1
        ctx.save_for_backward(gradient.mul_(8 / total))
        return total.log() - log(max(len(x) * (len(x) - 1), 1))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient * ctx.saved_tensors[0]

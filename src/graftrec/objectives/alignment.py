"""Alignment of pairs and uniformity on the sphere."""

from dataclasses import dataclass
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
    pairs of the batch counts as often; its products are made once. DirectAU's gamma is this term's weight.
    """

    @property
    def whole_batch(self) -> str:
        return "set its weight to 0"

    def __call__(self, step: Step) -> Tensor:
        users, items = step.rows[:2]
        return (self._of_kind(step.batch.users, users) + self._of_kind(step.batch.items, items)) / 2

    def _of_kind(self, numbers: Tensor, rows: Tensor) -> Tensor:
        _, node, times = numbers.unique(return_inverse=True, return_counts=True)
        first = torch.empty_like(times).scatter_(0, node, torch.arange(len(node), device=node.device))  # or any other
        wide = torch.promote_types(rows.dtype, torch.float32)  # 16 bits cannot count a batch
        unit = F.normalize(rows.index_select(0, first).to(wide), dim=-1)
        return _LogMeanPotential.apply(unit, times.to(wide))


class _LogMeanPotential(torch.autograd.Function):
    """ln mean over i != j of exp(-2 |x_i - x_j|^2) = exp(4 <x_i, x_j> - 4) of n unit vectors; 0 for n < 2.

    ``x`` [m, d] are the different ones, ``times`` [m] how often each stands among the n. With w_ij that
    exponential, the gradient to x_i is 8 t_i sum_j t_j w_ij x_j / sum t t w: made with the value, in blocks of
    rows in one buffer. What x_i exerts on its own repetitions is constant.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, times: Tensor) -> Tensor:
        count = times.sum()
        total, gradient = (times * (times - 1)).sum(), torch.zeros_like(x)
        size = max(1, BUFFER // len(x))
        buffer = x.new_empty(min(size, len(x)), len(x))
        for start in range(0, len(x), size):
            rows = slice(start, start + size)
            potential = torch.mm(x[rows], x.T, out=buffer[: len(x[rows])]).mul_(4).sub_(4).exp_().mul_(times)
            potential.diagonal(start).zero_()
            total += potential.sum(1) @ times[rows]
            torch.mm(potential, x, out=gradient[rows])
        if count < 2:
            total += 1
        ctx.save_for_backward(gradient.mul_(8 / total * times[:, None]))
        return total.log() - (count * (count - 1)).clamp(min=1).log()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * ctx.saved_tensors[0], None

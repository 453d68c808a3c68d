"""Cross-entropy over candidates, in blocks of logits that fit the cache."""

from collections.abc import Callable
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

BUFFER: Final = 2**18  # logits at once: 1 MiB
ROWS: Final = 32  # but not fewer rows, each of which reads all candidates
Hide = Callable[[Tensor, slice], object]  # fills logits [rows, C] of a block of rows with -inf where they don't count


def info_nce(queries: Tensor, keys: Tensor, temperature: float, own: Tensor | None = None) -> Tensor:
    """Mean over i of -ln exp(cos(q_i, k_own(i)) / temperature) / sum_j exp(cos(q_i, k_j) / temperature).

    ``queries`` [n, d], ``keys`` [m, d]; ``own`` int64 [n] is the key of each query, its own row if None.
    van den Oord et al., 2018 (arXiv 1807.03748), eq. 4, with the cosine.
    """
    own = torch.arange(len(queries), device=queries.device) if own is None else own
    dtype = torch.promote_types(queries.dtype, keys.dtype)  # one side may come from an MLP in bfloat16
    queries, keys = queries.to(dtype), keys.to(dtype)
    queries, keys = F.normalize(queries, dim=-1) / temperature, F.normalize(keys, dim=-1)
    positive = (queries * keys.index_select(0, own)).sum(-1)
    return mean_cross_entropy(
        queries, positive, keys, lambda logits, rows: logits.scatter_(1, own[rows, None], -torch.inf)
    )


def mean_cross_entropy(
    queries: Tensor, positive: Tensor, candidates: Tensor, hide: Hide, correction: Tensor | None = None
) -> Tensor:
    """Mean over b of -p_b + ln(exp p_b + sum_c exp(<u_b, v_c> - q_c)), without the candidates that ``hide`` fills.

    ``queries`` u [B, d], ``positive`` p [B], ``candidates`` v [C, d], ``correction`` q [C] or None.
    """
    return _MeanCrossEntropy.apply(queries, positive, candidates, correction, hide)


class _MeanCrossEntropy(torch.autograd.Function):
    """The logits are made in blocks of rows in one buffer that fits the cache, and become gradients there.

    With the softmax P_bc, du = P v / B, dv = P^T u / B and dp = (P_b,positive - 1) / B. Nothing of size
    [B, C] lives.
    """

    @staticmethod
    def forward(
        ctx: Any, queries: Tensor, positive: Tensor, candidates: Tensor, correction: Tensor | None, hide: Hide
    ) -> Tensor:
        size = max(ROWS, BUFFER // len(candidates))
        buffer = queries.new_empty(min(size, len(queries)), len(candidates))
        loss = torch.empty_like(positive)
        by_query, by_positive, by_candidate = map(torch.zeros_like, (queries, positive, candidates))
        for start in range(0, len(queries), size):
            rows = slice(start, start + size)
            own, score = queries[rows], positive[rows]
            logits = torch.mm(own, candidates.T, out=buffer[: len(own)])
            if correction is not None:
                logits -= correction
            hide(logits, rows)
            largest = torch.maximum(logits.amax(1), score)
            weights = logits.sub_(largest[:, None]).exp_()
            own_weight = (score - largest).exp()
            total = weights.sum(1) + own_weight
            loss[rows] = total.log() + largest - score
            by_query[rows] = torch.mm(weights, candidates) / total[:, None]
            by_candidate.addmm_(weights.T, own / total[:, None])
            by_positive[rows] = own_weight / total - 1
        ctx.save_for_backward(by_query, by_positive, by_candidate)
        return loss.mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        scale = gradient / len(ctx.saved_tensors[1])
        return *(scale * saved for saved in ctx.saved_tensors), None, None

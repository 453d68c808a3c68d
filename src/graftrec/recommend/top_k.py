"""Exact top-k with a defined order among equal scores."""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from graftrec.errors import InfeasibleError

CHUNK: Final = 8  # values of a row that compete for one place in the next round


def top_k(scores: Tensor, k: int) -> Tensor:
    """The k best items of each row of ``scores`` [B, I], best first, int64 [B, k].

    Ties are broken by item number, also at the k-th place, so that a list does not depend on how users
    are cut into blocks. Items of score -inf are never listed; a short list ends in -1. Refuses NaN.
    """
    items = largest(scores, min(k + 1, scores.shape[1]))
    values, items = in_order(scores.gather(1, items), items)
    unordered = values.isnan().any(1).sum().item()  # NaN is among the largest, wherever it stands
    if unordered:
        raise InfeasibleError(
            f"{unordered} of {len(scores)} users have scores that are not numbers (NaN), which have no order: the "
            "model's settings are out of the range where it can be fitted; change them."
        )
    if items.shape[1] > k:
        tied = (values[:, k] == values[:, k - 1]) & (values[:, k] != -torch.inf)
        values, items = values[:, :k], items[:, :k]
        if tied.any():
            chosen = _lowest_of_tied(scores[tied], values[tied, -1:], k)
            values[tied], items[tied] = in_order(scores[tied].gather(1, chosen), chosen)
    return torch.where(values == -torch.inf, -1, items)


def in_order(values: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """Scores and items [B, n], best first, equal scores by item number."""
    items, by_number = items.sort(dim=1)
    values, order = torch.sort(values.gather(1, by_number), dim=1, descending=True, stable=True)
    return values, items.gather(1, order)


def largest(scores: Tensor, n: int) -> Tensor:
    """Positions of the n largest of each row of ``scores`` [B, I], int64 [B, n], in no order; any of equals.

    On a CPU a tournament, since a pass of maxima is faster than a selection: the n largest are in the n
    chunks of largest maximum (another chunk holds nothing above any of those n maxima), or among
    the fewer than ``CHUNK`` values behind the last whole chunk. Chunk c of C is c, C + c, 2 C + c, ...
    """
    num_chunks = scores.shape[1] // CHUNK
    if scores.device.type != "cpu" or num_chunks < 2 * n:
        return _selected(scores, n)
    whole = num_chunks * CHUNK
    chunks = largest(scores[:, :whole].unflatten(1, (CHUNK, num_chunks)).amax(1), n)
    chosen = (chunks[:, None] + torch.arange(0, whole, num_chunks)[:, None]).flatten(1)
    rest = torch.arange(whole, scores.shape[1]).expand(len(scores), -1)
    positions = torch.cat([chosen, rest], dim=1)
    return positions.gather(1, _selected(scores.gather(1, positions), n))


def _selected(scores: Tensor, n: int) -> Tensor:
    """``largest`` at once; NumPy's selection is vectorised, PyTorch's is not."""
    if scores.device.type != "cpu":
        return torch.topk(scores, n, dim=1, sorted=False).indices
    values = scores.float() if scores.dtype == torch.bfloat16 else scores  # NumPy has no bfloat16
    return torch.from_numpy(np.argpartition(values.numpy(), -n, axis=1)[:, -n:])


def _lowest_of_tied(scores: Tensor, last: Tensor, k: int) -> Tensor:
    """Items above the k-th value ``last`` [B, 1], filled up with the lowest-numbered that equal it, in no order."""
    number = torch.arange(scores.shape[1], dtype=torch.int32, device=scores.device)
    filling = torch.where(scores == last, -number, -scores.shape[1])
    return largest(torch.where(scores > last, 1, filling), k)

"""Exact top-k with a defined order among equal scores."""

from typing import Final

import torch
from torch import Tensor

CHUNK: Final = 8  # values of a row that compete for one place in the next round


def top_k(scores: Tensor, k: int) -> Tensor:
    """The k best items of each row of ``scores`` [B, I], best first, int64 [B, k].

    Ties are broken by item number, also at the k-th place, so that a list does not depend on how users
    are cut into blocks. Items of score -inf are never listed; a short list ends in -1.
    """
    values, items = largest(scores, min(k + 1, scores.shape[1]))
    if values.shape[1] > k:
        tied = (values[:, k] == values[:, k - 1]) & (values[:, k - 1] != -torch.inf)
        values, items = values[:, :k], items[:, :k]
        if tied.any():
            items[tied] = _lowest_of_tied(scores[tied], values[tied, -1:], k)
    values, items = in_order(scores.gather(1, items), items)
    return torch.where(values == -torch.inf, -1, items)


def in_order(values: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """Scores and items [B, n], best first, equal scores by item number."""
    items, by_number = items.sort(dim=1)
    values, order = torch.sort(values.gather(1, by_number), dim=1, descending=True, stable=True)
    return values, items.gather(1, order)


def largest(scores: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Values and positions [B, n] of the n largest of each row of ``scores`` [B, I], descending; any of equals.

    On a CPU a tournament, since a pass over maxima is vectorised and a selection is not: the n largest are
    in the n chunks of largest maximum (each further chunk holds nothing above those n maxima), or among
    the fewer than ``CHUNK`` values behind the last whole chunk. Chunk c of C is c, C + c, 2 C + c, ...
    """
    num_chunks = scores.shape[1] // CHUNK
    if scores.device.type != "cpu" or num_chunks < 2 * n:
        return torch.topk(scores, n, dim=1)
    whole = scores[:, : num_chunks * CHUNK].unflatten(1, (CHUNK, num_chunks))
    chunks = largest(whole.amax(1), n)[1]
    chosen = (chunks[:, None] + torch.arange(0, whole[0].numel(), num_chunks)[:, None]).flatten(1)
    rest = torch.arange(num_chunks * CHUNK, scores.shape[1]).expand(len(scores), -1)
    positions = torch.cat([chosen, rest], dim=1)
    values, order = torch.topk(scores.gather(1, positions), n, dim=1)
    return values, positions.gather(1, order)


def _lowest_of_tied(scores: Tensor, last: Tensor, k: int) -> Tensor:
    """Items above the k-th value ``last`` [B, 1], filled up with the lowest-numbered that equal it."""
    above, equal = scores > last, scores == last
    places = k - above.sum(1, keepdim=True)
    chosen = above | (equal & (equal.cumsum(1) <= places))
    return chosen.nonzero()[:, 1].view(-1, k)

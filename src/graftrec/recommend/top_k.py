"""Exact top-k with a defined order among equal scores."""

import torch
from torch import Tensor


def top_k(scores: Tensor, k: int) -> Tensor:
    """The k best items of each row of ``scores`` [B, I], best first, int64 [B, k].

    Ties are broken by item number, also at the k-th place, so that a list does not depend on how users
    are cut into blocks. Items of score -inf are never listed; a short list ends in -1.
    """
    values, items = torch.topk(scores, min(k + 1, scores.shape[1]), dim=1)
    if values.shape[1] > k:
        tied = (values[:, k] == values[:, k - 1]) & (values[:, k - 1] != -torch.inf)
        values, items = values[:, :k], items[:, :k]
        if tied.any():
            items[tied] = _lowest_of_tied(scores[tied], values[tied, -1:], k)
    items = items.sort(dim=1).values
    values, order = torch.sort(scores.gather(1, items), dim=1, descending=True, stable=True)
    return torch.where(values == -torch.inf, -1, items.gather(1, order))


def _lowest_of_tied(scores: Tensor, last: Tensor, k: int) -> Tensor:
    """Items above the k-th value ``last`` [B, 1], filled up with the lowest-numbered that equal it."""
    above, equal = scores > last, scores == last
    places = k - above.sum(1, keepdim=True)
    chosen = above | (equal & (equal.cumsum(1) <= places))
    return chosen.nonzero()[:, 1].view(-1, k)

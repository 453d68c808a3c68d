"""The best unseen items of many users, a few users at a time in one buffer."""

from typing import Final

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.recommend.prefilter import Prefilter, is_worthwhile
from graftrec.recommend.top_k import top_k
from graftrec.scoring import FactorisedScorer, Scorer

CACHED: Final = 2**22  # scores at once on a CPU: what its caches about hold
ON_DEVICE: Final = 2**26  # scores at once elsewhere: 256 MiB


def recommend(scorer: Scorer, users: Tensor, seen: sp.csr_matrix, k: int) -> Tensor:
    """The k best unseen items of ``users`` [B], int64 [B, k]; -1 where fewer are left.

    Exact: lists are in the order of float32 scores, equal ones by item number. A float32 inner product depends in
    its last bits on the order of summation, so items closer than that may change places with the size of a block or
    with the machine; no item that is worse by more than that is ever listed in place of a better one.
    """
    vectors = scorer.factors() if isinstance(scorer, FactorisedScorer) else None
    if vectors is None:
        return _by_scores(scorer, users, seen, k, CACHED)
    if not is_worthwhile(len(users), vectors[1], k):
        return _by_scores(scorer, users, seen, k, CACHED if vectors[1].device.type == "cpu" else ON_DEVICE)
    lists, proven = _by_prefilter(vectors, users, seen, k)
    if not proven.all():
        lists[~proven] = _by_scores(scorer, users[~proven], seen, k, CACHED)
    return lists


def users_at_once(num_items: int, num_scores: int = CACHED) -> int:
    """How many users' scores of all items are held at once: a multiple of 32, since products of that many are fast."""
    return max(32, num_scores // num_items // 32 * 32)


def hide(scores: Tensor, seen: sp.csr_matrix, users: Tensor) -> Tensor:
    """``scores`` [B, I], changed to -inf where ``users`` [B] have ``seen`` [U, I] the item."""
    known = seen[users.cpu().numpy()]
    rows = np.repeat(np.arange(len(users)), np.diff(known.indptr))
    scores[torch.from_numpy(rows), torch.from_numpy(known.indices.astype(np.int64))] = -torch.inf
    return scores


def _by_scores(scorer: Scorer, users: Tensor, seen: sp.csr_matrix, k: int, num_scores: int) -> Tensor:
    """Lists [B, k] from the scores of the whole catalogue."""
    lists, buffer = [], None
    for block in users.split(users_at_once(seen.shape[1], num_scores)):
        buffer = scorer.scores(block, out=None if buffer is None else buffer[: len(block)])
        lists.append(top_k(hide(buffer, seen, block), k))
    return torch.cat(lists)


def _by_prefilter(vectors: tuple[Tensor, Tensor], users: Tensor, seen: sp.csr_matrix, k: int) -> tuple[Tensor, Tensor]:
    """Lists [B, k], and which of them are proven, bool [B]; stops where less than half are, which saves nothing."""
    prefilter, step = Prefilter(vectors[1], k), users_at_once(seen.shape[1])
    lists, proven = users.new_full((len(users), k), -1), torch.zeros(len(users), dtype=torch.bool)
    buffer = torch.empty(step, seen.shape[1], dtype=torch.bfloat16)
    for start in range(0, len(users), step):
        here = slice(start, start + step)
        block = users[here]
        bounds = prefilter.bounds(vectors[0][block], out=buffer[: len(block)])
        lists[here], proven[here] = prefilter.lists(vectors[0][block], hide(bounds, seen, block))
        if proven[: start + step].float().mean() < 0.5:
            break
    return lists, proven

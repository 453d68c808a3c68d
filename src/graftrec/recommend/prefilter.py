"""Lists from bfloat16 products, kept only where they are proven to be right."""

import torch
import torch.nn.functional as F
from torch import Tensor

from graftrec.recommend.top_k import in_order, largest


def is_worthwhile(num_users: int, items: Tensor, k: int) -> bool:
    """Is a prefilter over ``items`` [I, d] faster than scoring them all?

    It is where the processor multiplies bfloat16, the catalogue dwarfs the candidates, and enough users share the
    rounded copy of the items.
    """
    large = num_users >= 256 and len(items) >= 64 * num_candidates(k)
    return large and items.device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()


def num_candidates(k: int) -> int:
    """How many items are scored in float32: enough that bounds of the others rarely reach the k-th best."""
    return 2 * k + 24


class Prefilter:
    """Finds the best by inner product among item vectors [I, d], on a few candidates a user.

    With u = u' + du and i = i' + di, u' and i' rounded to bfloat16, Cauchy-Schwarz gives
    <u, i> <= <u', i'> + |du| |i| + |u'| |di|. The right-hand side is itself one inner product, of the vectors
    (u', |du|, |u'|) and (i', |i|, |di|). Its largest values name the candidates, which are then scored in float32;
    where the k-th best of them beats the bound of everything else, no other item can be among the k best.
    """

    def __init__(self, items: Tensor, k: int) -> None:
        self.items = items
        self.k = k
        self.num_candidates = min(num_candidates(k), len(items))
        self.longest = items.norm(dim=1).max()
        rounded = items.bfloat16()
        self.factors = torch.cat([rounded, _above(items), _above(items - rounded)], dim=1)  # [I, d + 2]

    def bounds(self, users: Tensor, out: Tensor) -> Tensor:
        """An upper bound of the score of each item for ``users`` [B, d], bfloat16 [B, I], but for rounding."""
        rounded = users.bfloat16()
        factors = torch.cat([rounded, _above(users - rounded), _above(rounded.float())], dim=1)
        return torch.matmul(factors, self.factors.T, out=out)

    def lists(self, users: Tensor, bounds: Tensor) -> tuple[Tensor, Tensor]:
        """The k best items [B, k] of ``users`` [B, d], and whether that is proven, bool [B].

        ``bounds`` [B, I] are those of the users, -inf where an item may not be listed.
        """
        items = largest(bounds, self.num_candidates)
        values = bounds.gather(1, items)
        scores = F.embedding(items, self.items).mul_(users[:, None]).sum(-1)
        scores, items = in_order(scores.masked_fill_(values == -torch.inf, -torch.inf), items)
        last, others = scores[:, self.k - 1], values.amin(1).float()  # nothing else is above the least candidate
        return items[:, : self.k], last > others + 0.004 * others.abs() + self.rounding(users)

    def rounding(self, users: Tensor) -> Tensor:
        """What float32 sums may add, [B]: 2^-24 |u| |i| a term, in the bound and in both scores compared."""
        return users.norm(dim=1) * self.longest * (users.shape[1] + 2) * 2**-21


def _above(vectors: Tensor) -> Tensor:
    """A little more than each row's norm, bfloat16 [n, 1]; the constant stands for squares too small for float32."""
    return (vectors.norm(dim=1, keepdim=True) * 1.01 + 1e-15).bfloat16()

"""Two recommenders as one: their scores or ranks of a user's unseen items, added with a weight."""

from collections.abc import Callable, Sequence
from typing import Final

import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.errors import InputError, check_choice
from graftrec.recommend.lists import hide
from graftrec.scoring import Scorer

RANK_CONSTANT: Final = 60  # k of reciprocal rank fusion


def standardised(scores: Tensor) -> Tensor:
    """(s - mean) / standard deviation over the items of a row [B, I] that are not -inf; 0 where all are alike.

    Zero mean and unit variance for each user: Montague & Aslam (CIKM 2001).
    """
    known = scores != -torch.inf
    count = known.sum(1, keepdim=True).clamp(min=1)
    centred = scores - scores.masked_fill(~known, 0).sum(1, keepdim=True) / count
    deviation = (centred.masked_fill(~known, 0).square_().sum(1, keepdim=True) / count).sqrt_()
    return centred.div_(torch.where(deviation > 0, deviation, 1))


def reciprocal_rank(scores: Tensor) -> Tensor:
    """1 / (60 + rank) of each item in its row of ``scores`` [B, I], the best one's rank is 1; -inf stays.

    Equal scores are ranked by item number. Cormack, Clarke & Büttcher (SIGIR 2009).
    """
    order = scores.sort(dim=1, descending=True, stable=True).indices
    by_rank = 1 / (RANK_CONSTANT + torch.arange(1, scores.shape[1] + 1, dtype=scores.dtype, device=scores.device))
    values = torch.empty_like(scores).scatter_(1, order, by_rank.expand_as(scores))
    return values.masked_fill_(scores == -torch.inf, -torch.inf)


METHODS: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "weighted": standardised,
    "reciprocal_rank": reciprocal_rank,
}


class Comparable:
    """f of a member's scores, f one of ``METHODS``, over the items that a user has not ``seen``.

    ``seen`` [U, I] are training pairs: such items score -inf, and take part in no mean and no rank.
    """

    def __init__(self, member: Scorer, method: str, seen: sp.csr_matrix) -> None:
        self.member = member
        self.method = METHODS[method]
        self.seen = seen

    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """float32 [B, num_items]."""
        values = self.method(hide(self.member.scores(users), self.seen, users))
        return values if out is None else out.copy_(values)


class Blend:
    """weight * first + (1 - weight) * second."""

    def __init__(self, first: Scorer, second: Scorer, weight: float) -> None:
        self.members = ((weight, first), (1 - weight, second))

    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """float32 [B, num_items]."""
        return torch.add(*(weight * member.scores(users) for weight, member in self.members), out=out)


class KeepsLast:
    """The scores of ``scorer``, kept until other users are asked for."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self.last: tuple[Tensor, Tensor] | None = None  # users [B] and their scores [B, num_items]

    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """float32 [B, num_items], a copy."""
        if self.last is None or not torch.equal(self.last[0], users):
            self.last = (users, self.scorer.scores(users))
        scores = self.last[1]
        return scores.clone() if out is None else out.copy_(scores)


def blend(members: tuple[Scorer, Scorer], weight: float, method: str, seen: sp.csr_matrix) -> Scorer:
    """The ``Blend`` of two members made ``Comparable``, and the member itself where the other one has no weight."""
    check_settings(method, [weight])
    if weight in (0, 1):
        return members[0 if weight == 1 else 1]
    first, second = (Comparable(member, method, seen) for member in members)
    return Blend(first, second, weight)


def blends(members: tuple[Scorer, Scorer], weights: Sequence[float], method: str, seen: sp.csr_matrix) -> list[Scorer]:
    """``blend`` for each of ``weights``. Asked for the same users in turn, they score them once."""
    check_settings(method, weights)
    kept = [KeepsLast(member) for member in members]
    first, second = (KeepsLast(Comparable(member, method, seen)) for member in kept)
    alone: dict[float, Scorer] = {0: kept[1], 1: kept[0]}
    return [alone.get(weight) or Blend(first, second, weight) for weight in weights]


def check_settings(method: str, weights: Sequence[float]) -> None:
    """Refuse an unknown method, and weights outside of [0, 1]."""
    check_choice("method", method, METHODS)
    if not weights or not all(isinstance(weight, int | float) and 0 <= weight <= 1 for weight in weights):
        given = ", ".join(map(str, weights)) or "none"
        raise InputError(f"A weight of the first run must be a number in [0, 1]; given: {given}.")

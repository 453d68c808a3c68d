"""The scoring contract, where learned models and closed-form baselines meet."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from graftrec.errors import InfeasibleError


class Scorer(Protocol):
    """Anything that scores the whole catalogue for some users."""

    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """float32 [B, num_items] for ``users`` [B]; written into ``out`` where it is given."""
        ...


@runtime_checkable
class FactorisedScorer(Scorer, Protocol):
    """A scorer whose scores are inner products of finite float32 vectors."""

    def factors(self) -> tuple[Tensor, Tensor]:
        """User vectors [U, d] and item vectors [I, d]."""
        ...


def check_finite(users: Tensor, items: Tensor) -> None:
    """Refuse the vectors of a model that diverged."""
    if not (users.isfinite().all() and items.isfinite().all()):
        raise InfeasibleError("The model's embeddings are not finite: training diverged; lower optimizer.lr.")


class FactorScorer:
    """Inner products of user vectors [U, d] and item vectors [I, d]."""

    def __init__(self, users: Tensor, items: Tensor) -> None:
        check_finite(users, items)
        self.users = users.detach().float()
        self.items = items.detach().float()

    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        return torch.matmul(self.users[users.to(self.users.device)], self.items.T, out=out)

    def factors(self) -> tuple[Tensor, Tensor]:
        """User vectors and item vectors."""
        return self.users, self.items


class CandidateScorer:
    """The scores of ``scorer`` for the ``items`` [C] alone, in their order."""

    def __init__(self, scorer: Scorer, items: Tensor) -> None:
        self.scorer = scorer
        self.items = items

    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """float32 [B, C]."""
        scores = self.scorer.scores(users)
        return torch.index_select(scores, 1, self.items.to(scores.device), out=out)


def among_items(scorer: Scorer, items: Tensor) -> Scorer:
    """A scorer of the ``items`` [C] alone; of a factorised one only their vectors are multiplied."""
    if not isinstance(scorer, FactorisedScorer):
        return CandidateScorer(scorer, items)
    user_vectors, item_vectors = scorer.factors()
    return FactorScorer(user_vectors, item_vectors[items.to(item_vectors.device)])

"""Training positives as a set, the order in which an epoch shows them, and the negatives drawn against them."""

import copy
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.data.interactions import Interactions
from graftrec.data.pairs import as_tickets, draw_unknown
from graftrec.errors import InputError, check_number

ROUNDS: Final = 20  # of drawing again what is a positive; what is left then is drawn in another way


class PositiveSampler(Protocol):
    """Which training pairs an epoch shows, and in which order."""

    def rows(self, positives: "Positives", generator: torch.Generator) -> Tensor:
        """Rows of ``positives``, int64, as many as it has."""
        ...

    def item_draws(self, positives: "Positives") -> Tensor:
        """How often an epoch shows each item as a positive, expected, float32 [I]."""
        ...


@dataclass(frozen=True)
class EachPair:
    """Every training pair once an epoch, shuffled: each interaction counts alike."""

    def rows(self, positives: "Positives", generator: torch.Generator) -> Tensor:
        return torch.randperm(len(positives), generator=generator)

    def item_draws(self, positives: "Positives") -> Tensor:
        return positives.item_degree.float()


@dataclass(frozen=True)
class UniformUsers:
    """As many pairs as there are: a user, uniform among those with training items, and one of theirs, uniform.

    Each user counts alike, as in the mean of a metric. LightGCN's code does so (He et al., SIGIR 2020:
    UniformSample_original in gusye1234/LightGCN-PyTorch), where other code shows each pair.
    """

    def rows(self, positives: "Positives", generator: torch.Generator) -> Tensor:
        known = positives.user_degree.nonzero().flatten()
        users = known[torch.randint(len(known), (len(positives),), generator=generator)]
        shares = torch.rand(len(users), generator=generator, dtype=torch.float64)
        return positives.user_start[users] + (shares * positives.user_degree[users]).long()

    def item_draws(self, positives: "Positives") -> Tensor:
        per_user = len(positives) / int((positives.user_degree > 0).sum())
        weights = per_user / positives.user_degree[positives.users]
        return torch.zeros(positives.num_items).index_add_(0, positives.items, weights)


class Positives:
    """The training pairs, for membership tests and popularity. Knows nothing of held-out pairs.

    ``held_out`` [I] marks items that training must never see, not even as negatives. ``sampler``: what an epoch shows.
    """

    def __init__(
        self, train: Interactions, held_out: np.ndarray | None = None, sampler: PositiveSampler | None = None
    ) -> None:
        self.num_items = train.num_items
        self.users = torch.from_numpy(train.user)  # [n]
        self.items = torch.from_numpy(train.item)  # [n]
        self.keys = torch.from_numpy(train.keys)  # [n], ascending
        self.user_degree = torch.from_numpy(train.user_degree)  # [U]
        self.user_start = self.user_degree.cumsum(0) - self.user_degree  # [U], first row of each user
        self.item_degree = torch.from_numpy(train.item_degree)  # [I]
        self.drawable = None if held_out is None else torch.from_numpy(np.flatnonzero(~held_out))  # None: all items
        self.sampler = sampler or EachPair()
        self.item_draws = self.sampler.item_draws(self)  # [I], an epoch's positives

    def __len__(self) -> int:
        return len(self.keys)

    def matrix(self) -> sp.csr_matrix:
        """Who has what, boolean [U, I]."""
        start = np.append(self.user_start.numpy(), len(self))
        shape = (len(self.user_degree), self.num_items)
        return sp.csr_matrix((np.ones(len(self), dtype=bool), self.items.numpy(), start), shape=shape)

    def epoch(self, generator: torch.Generator) -> Tensor:
        """Rows of the pairs that an epoch shows, int64 [n]."""
        return self.sampler.rows(self, generator)

    def contains(self, users: Tensor, items: Tensor) -> Tensor:
        """Whether each (user, item) is a training pair; boolean, of the broadcast shape."""
        wanted = users * self.num_items + items
        position = torch.searchsorted(self.keys, wanted).clamp_(max=len(self.keys) - 1)
        return self.keys[position] == wanted

    def rows_of(self, users: Tensor) -> tuple[Tensor, Tensor]:
        """All training items of ``users`` [B]: (position in ``users``, item), each [sum of degrees]."""
        degree = self.user_degree[users]
        position = torch.repeat_interleave(torch.arange(len(users), device=users.device), degree)
        first = torch.repeat_interleave(self.user_start[users] - (degree.cumsum(0) - degree), degree)
        return position, self.items[first + torch.arange(len(first), device=users.device)]

    def to(self, device: torch.device) -> "Positives":
        """This set with its tensors on ``device``."""
        moved = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                setattr(moved, name, value.to(device))
        return moved


@dataclass(frozen=True)
class NegativeSampler:
    """Items drawn as negatives, with probability proportional to (training degree)^``exponent``.

    ``per_positive`` items for every pair, of which training positives of the pair's user are drawn
    again until none is left if ``reject_positives``; ``shared`` items for the whole batch.
    """

    exponent: float = 0.0  # 0: uniform; 1: popularity; 0.75: word2vec's
    per_positive: int = 1
    shared: int = 0
    reject_positives: bool = True

    def __post_init__(self) -> None:
        check_number("negatives.per_positive", self.per_positive, 0)
        check_number("negatives.shared", self.shared, 0)

    def check(self, positives: Positives) -> None:
        """Refuse data in which a user has no negative left to draw."""
        known = int((positives.item_degree > 0).sum())
        drawable = known if self.exponent or positives.drawable is not None else positives.num_items
        if self.reject_positives and self.per_positive and int(positives.user_degree.max()) >= drawable:
            raise InputError(
                f"User number {int(positives.user_degree.argmax())} has all {drawable:,} drawable items in training: "
                f"no negative exists; set negatives.reject_positives=false or filter the user."
            )

    def draw(self, positives: Positives, size: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Items of shape ``size``, int64, without rejection."""
        if self.exponent == 0:
            drawable = positives.drawable
            num_drawable = positives.num_items if drawable is None else len(drawable)
            draws = torch.randint(num_drawable, size, generator=generator)
            return draws if drawable is None else drawable[draws]
        cumulative = self._weights(positives).cumsum(0)
        draws = torch.rand(size, generator=generator, dtype=torch.float64) * cumulative[-1]
        return torch.searchsorted(cumulative, draws, right=True)

    def for_pairs(self, positives: Positives, users: Tensor, generator: torch.Generator) -> Tensor:
        """Negatives [B, per_positive] for ``users`` [B]."""
        negatives = self.draw(positives, (len(users), self.per_positive), generator)
        if not self.reject_positives:
            return negatives
        items, owners = negatives.view(-1), users.repeat_interleave(self.per_positive)
        wrong = positives.contains(owners, items).nonzero().flatten()
        for _ in range(ROUNDS):
            if not len(wrong):
                return negatives
            items[wrong] = self.draw(positives, (len(wrong),), generator)
            wrong = wrong[positives.contains(owners[wrong], items[wrong])]
        items[wrong] = self._without_rejection(positives, owners[wrong], generator)
        return negatives

    def _weights(self, positives: Positives) -> Tensor:
        """What the chance of each item is proportional to, float64 [I]; 0 of those that are never drawn."""
        degree = positives.item_degree.double()
        if self.exponent:
            return torch.where(degree > 0, degree.pow(self.exponent), 0.0)
        weights = torch.ones_like(degree) if positives.drawable is None else torch.zeros_like(degree)
        return weights if positives.drawable is None else weights.index_fill_(0, positives.drawable, 1.0)

    def _without_rejection(self, positives: Positives, users: Tensor, generator: torch.Generator) -> Tensor:
        """Negatives [n] of ``users`` [n] who have nearly all that is drawn."""
        weights = self._weights(positives).numpy()
        tickets = as_tickets(weights / weights.sum(), weights > 0)
        seed = int(torch.randint(2**62, (1,), generator=generator))
        return torch.from_numpy(draw_unknown(positives.matrix(), users.numpy(), tickets, np.random.default_rng(seed)))

"""Full ranking of the catalogue for every user with held-out items."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor

from graftrec.data.dataset import Dataset
from graftrec.data.interactions import Interactions
from graftrec.errors import InputError, check_choice
from graftrec.metrics.beyond_accuracy import BeyondAccuracy
from graftrec.metrics.ranking import CandidateMetrics, RankingMetrics, RankingResult
from graftrec.metrics.strata import by_item_degree, by_user_degree
from graftrec.recommend.lists import recommend, users_at_once
from graftrec.scoring import Scorer, among_items

MASKS = ("train", "train_and_valid")


@dataclass(frozen=True, eq=False)
class RankingTask:
    """Held-out pairs to be found among all items that a user has not ``seen``.

    ``train`` tells which items are popular, ``features`` [I, F] which are alike: for what lies beyond accuracy.
    ``cold`` marks items that training never saw; where there are any, the pairs are looked for twice: among all
    items, and among these alone. All these pairs are of cold items: lists of all items that hold no others gain most.
    """

    held_out: Interactions
    seen: sp.csr_matrix  # [U, I]
    train: Interactions
    k: tuple[int, ...]
    block_size: int
    features: np.ndarray | None = None
    cold: np.ndarray | None = None  # boolean [I]

    def blocks(self) -> list[Tensor]:
        """Users with held-out items, ``block_size`` at a time."""
        users = torch.from_numpy(np.flatnonzero(self.held_out.user_degree))
        return list(users.split(self.block_size))

    def lists(self, scorer: Scorer, users: Tensor) -> Tensor:
        """Item numbers [B, max k], best first; with cold items, the list among these beside it, [B, 2 max k]."""
        lists = recommend(scorer, users, self.seen, max(self.k))
        if self._cold_items is None:
            return lists
        items = self._cold_items.to(lists.device)
        among = recommend(among_items(scorer, items), users, self._seen_cold, min(max(self.k), len(items)))
        found = torch.where(among < 0, -1, items[among])
        return torch.cat([lists, F.pad(found, (0, max(self.k) - found.shape[1]), value=-1)], dim=1)

    @cached_property
    def _cold_items(self) -> Tensor | None:
        return None if self.cold is None else torch.from_numpy(np.flatnonzero(self.cold))

    @cached_property
    def _seen_cold(self) -> sp.csr_matrix:
        return sp.csr_matrix(self.seen[:, self.cold])

    def metrics(self) -> RankingMetrics | CandidateMetrics:
        """An empty collector for this task's users."""
        everything = RankingMetrics(self.held_out, self.k, BeyondAccuracy(self.train, self.k, self.features))
        if self.cold is None:
            return everything
        return CandidateMetrics(everything, RankingMetrics(self.held_out, self.k), "cold")

    def strata(self, result: RankingResult) -> pl.DataFrame:
        """``result`` by training degree of users and of items, cold to warm."""
        users = by_user_degree(result.per_user, self.train.user_degree)
        items = by_item_degree(result.item_hits, self.held_out.item_degree, self.train.item_degree)
        return pl.concat([users, items], how="diagonal")


@dataclass(frozen=True)
class RankingProtocol:
    """Which lists are judged: lengths ``k``, and what is masked when the test set is ranked.

    Validation always masks training items. ``block_size`` users are judged at once;
    they are scored fewer at a time. Of more than ``max_users`` users with held-out items, only so many are
    judged, evenly spread over the numbering.
    """

    k: Sequence[int] = (10, 20)
    mask: str = "train_and_valid"
    block_size: int = 4096
    max_users: int | None = None

    def __post_init__(self) -> None:
        if self.max_users is not None and self.max_users < 1:
            raise InputError(f"evaluation.max_users={self.max_users} must be >= 1, or null for all users.")
        check_choice("evaluation.mask", self.mask, MASKS)
        lengths = list(self.k) if isinstance(self.k, Sequence) else []
        if not lengths or any(not isinstance(k, int) or k < 1 for k in lengths):
            raise InputError(f"evaluation.k={self.k} must be a list of whole numbers >= 1, such as [10,20].")

    def validation(self, dataset: Dataset, features: np.ndarray | None = None) -> RankingTask:
        """Find the validation pairs. ``features`` [I, F] of items serve diversity."""
        return self._task(dataset, dataset.valid, "train", features)

    def test(self, dataset: Dataset, features: np.ndarray | None = None) -> RankingTask:
        """Find the test pairs. ``features`` [I, F] of items serve diversity."""
        return self._task(dataset, dataset.test, self.mask, features)

    def _task(self, dataset: Dataset, held_out: Interactions, mask: str, features: np.ndarray | None) -> RankingTask:
        if max(self.k) > dataset.num_items:
            raise InputError(
                f"evaluation.k={max(self.k)} is larger than the catalogue of {dataset.num_items:,} items; "
                f"set evaluation.k to shorter lists."
            )
        judged, k = self._judged(held_out), tuple(self.k)
        return RankingTask(judged, dataset.seen(mask), dataset.train, k, self.block_size, features, dataset.cold_items)

    def _judged(self, held_out: Interactions) -> Interactions:
        """The pairs of the users that are judged."""
        users = spread(np.flatnonzero(held_out.user_degree), self.max_users)
        return held_out if self.max_users is None else held_out.select(np.isin(held_out.user, users))


def spread(users: np.ndarray, most: int | None) -> np.ndarray:
    """At most so many of ``users``, evenly spread."""
    if most is None or len(users) <= most:
        return users
    return users[torch.linspace(0, len(users) - 1, most).long().numpy()]


def evaluate(scorer: Scorer, task: RankingTask, max_users: int | None = None) -> RankingResult:
    """Rank and judge all users of ``task``, or at most ``max_users`` of them, evenly spread."""
    metrics = task.metrics()
    for block in _judged_blocks(task, max_users):
        metrics.update(block, task.lists(scorer, block))
    return metrics.compute()


def evaluate_in_turn(scorers: Sequence[Scorer], task: RankingTask, max_users: int | None = None) -> list[RankingResult]:
    """``evaluate`` for each of ``scorers``, which are asked for a few users in turn, so that they may share work."""
    metrics = [task.metrics() for _ in scorers]
    for block in _judged_blocks(task, max_users):
        parts = block.split(users_at_once(task.seen.shape[1]))
        lists = [[task.lists(scorer, part) for scorer in scorers] for part in parts]
        for collector, found in zip(metrics, zip(*lists, strict=True), strict=True):
            collector.update(block, torch.cat(found))
    return [collector.compute() for collector in metrics]


def _judged_blocks(task: RankingTask, max_users: int | None) -> tuple[Tensor, ...]:
    users = torch.from_numpy(spread(torch.cat(task.blocks()).numpy(), max_users))
    return users.split(task.block_size)

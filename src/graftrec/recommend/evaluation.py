"""Full ranking of the catalogue for every user with held-out items."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.data.dataset import Dataset
from graftrec.data.interactions import Interactions
from graftrec.errors import InputError, check_choice
from graftrec.metrics.beyond_accuracy import BeyondAccuracy
from graftrec.metrics.ranking import RankingMetrics, RankingResult
from graftrec.metrics.strata import by_item_degree, by_user_degree
from graftrec.recommend.lists import recommend
from graftrec.recommend.scoring import Scorer

MASKS = ("train", "train_and_valid")


@dataclass(frozen=True, eq=False)
class RankingTask:
    """Held-out pairs to be found among all items that a user has not ``seen``.

    ``train`` tells which items are popular, ``features`` [I, F] which are alike: for what lies beyond accuracy.
    """

    held_out: Interactions
    seen: sp.csr_matrix  # [U, I]
    train: Interactions
    k: tuple[int, ...]
    block_size: int
    features: np.ndarray | None = None

    def blocks(self) -> list[Tensor]:
        """Users with held-out items, ``block_size`` at a time."""
        users = torch.from_numpy(np.flatnonzero(self.held_out.user_degree))
        return list(users.split(self.block_size))

    def lists(self, scorer: Scorer, users: Tensor) -> Tensor:
        """Item numbers [B, max k], best first."""
        return recommend(scorer, users, self.seen, max(self.k))

    def metrics(self) -> RankingMetrics:
        """An empty collector for this task's users."""
        return RankingMetrics(self.held_out, self.k, BeyondAccuracy(self.train, self.k, self.features))

    def strata(self, result: RankingResult) -> pl.DataFrame:
        """``result`` by training degree of users and of items, cold to warm."""
        users = by_user_degree(result.per_user, self.train.user_degree)
        items = by_item_degree(result.item_hits, self.held_out.item_degree, self.train.item_degree)
        return pl.concat([users, items], how="diagonal")


@dataclass(frozen=True)
class RankingProtocol:
    """Which lists are judged: lengths ``k``, and what is masked when the test set is ranked.

    Validation always masks training items. ``block_size`` users are judged at once;
    they are scored fewer at a time.
    """

    k: Sequence[int] = (10, 20)
    mask: str = "train_and_valid"
    block_size: int = 4096

    def __post_init__(self) -> None:
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
        return RankingTask(held_out, dataset.seen(mask), dataset.train, tuple(self.k), self.block_size, features)


def evaluate(scorer: Scorer, task: RankingTask, max_users: int | None = None) -> RankingResult:
    """Rank and judge all users of ``task``, or at most ``max_users`` of them, evenly spread."""
    metrics = task.metrics()
    users = torch.cat(task.blocks())
    if max_users is not None and len(users) > max_users:
        users = users[torch.linspace(0, len(users) - 1, max_users).long()]
    for block in users.split(task.block_size):
        metrics.update(block, task.lists(scorer, block))
    return metrics.compute()

"""What lists do to the catalogue: exposure, novelty, diversity. No held-out item is looked at."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from graftrec.data.interactions import Interactions

LISTS: Final = 256  # whose vectors are held at once


class BeyondAccuracy:
    """Collects lists block by block; one value a metric and list length.

    gini = inequality of the items' exposure (0: all alike, 1: one
    item has it all); novelty = mean of -log2 p(item) and popularity = mean training count of the
    recommended items, p(item) = training users of the item / users, at least one user; diversity =
    mean over lists of 1 - mean pairwise cosine of the items' ``features`` [I, F], where there are any.
    """

    def __init__(self, train: Interactions, k: Sequence[int], features: np.ndarray | None = None) -> None:
        self.k = sorted(set(k))
        self.degree = torch.from_numpy(train.item_degree)
        self.num_users = train.num_users
        self.features = None if features is None else F.normalize(torch.from_numpy(features).float(), dim=1)
        self.exposure = torch.zeros(len(self.k), train.num_items, dtype=torch.int64)
        self.diversity: list[list[Tensor]] = [[] for _ in self.k]

    def update(self, lists: Tensor) -> None:
        """Add lists [B, max k] of item numbers, -1 where a list is short."""
        for index, k in enumerate(self.k):
            items = lists[:, :k]
            self.exposure[index] += torch.bincount(items[items >= 0], minlength=self.exposure.shape[1])
            if self.features is not None and k > 1:
                self.diversity[index].append(pairwise_distance(self.features, items))

    def compute(self) -> dict[str, float]:
        """All values, named such as ``gini@20``."""
        novelty = -(self.degree.clamp(min=1).double() / self.num_users).log2()
        values: dict[str, float] = {}
        for index, k in enumerate(self.k):
            exposure = self.exposure[index].double()
            share = exposure / exposure.sum()
            values[f"gini@{k}"] = gini(exposure)
            values[f"novelty@{k}"] = (share * novelty).sum().item()
            values[f"popularity@{k}"] = (share * self.degree).sum().item()
            if self.diversity[index]:
                values[f"diversity@{k}"] = torch.cat(self.diversity[index]).double().nanmean().item()
        return values


def gini(exposure: Tensor) -> float:
    """sum_i (2 i - n - 1) x_i / (n sum x) over ascending x_1..x_n: the Gini coefficient."""
    ordered = exposure.double().sort().values
    n = len(ordered)
    weights = 2 * torch.arange(1, n + 1, dtype=torch.float64) - n - 1
    return ((weights * ordered).sum() / (n * ordered.sum())).item()


def pairwise_distance(unit: Tensor, items: Tensor) -> Tensor:
    """1 - mean cosine over the pairs of each list [B, k] of rows of ``unit`` [I, F]; NaN for lists under two.

    Uses |sum of unit vectors|^2 = sum |v|^2 + sum over ordered pairs of <v, w>; a zero vector has cosine 0.
    """
    return torch.cat([_pairwise_distance(unit, lists) for lists in items.split(LISTS)])


def _pairwise_distance(unit: Tensor, items: Tensor) -> Tensor:
    listed = items >= 0
    vectors = unit[items.clamp(min=0)] * listed[..., None]
    count = listed.sum(1)
    pairs = vectors.sum(1).pow(2).sum(1) - vectors.pow(2).sum((1, 2))
    return torch.where(count > 1, 1 - pairs / (count * (count - 1)).clamp(min=1), torch.nan)

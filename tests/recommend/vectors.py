"""Whole-numbered vectors, whose float32 inner products are exact in any order of summation."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

DIMENSIONS = 16
LARGEST = 500  # 16 * 500^2 < 2^24; bfloat16 rounds odd numbers from 257 on


def whole(values: np.ndarray) -> Tensor:
    """Nearest whole numbers of at most ``LARGEST``, float32."""
    return torch.from_numpy(values.round().clip(-LARGEST, LARGEST)).float()


def normal(rng: np.random.Generator, count: int) -> Tensor:
    return whole(rng.normal(scale=120, size=(count, DIMENSIONS)))


def heavy_tailed(rng: np.random.Generator, count: int) -> Tensor:
    """Norms over two orders of magnitude."""
    return whole(rng.normal(size=(count, DIMENSIONS)) * 120 * rng.pareto(1, size=(count, 1)))


def duplicated(rng: np.random.Generator, count: int) -> Tensor:
    """Each vector about four times."""
    return normal(rng, max(1, count // 4))[rng.integers(max(1, count // 4), size=count)]


def constant(rng: np.random.Generator, count: int) -> Tensor:
    return torch.ones(count, DIMENSIONS)


def near_tied(rng: np.random.Generator, count: int) -> Tensor:
    """Alike in bfloat16, different in float32."""
    return whole(448 + rng.integers(-1, 2, size=(count, DIMENSIONS)))


KINDS: dict[str, Callable[[np.random.Generator, int], Tensor]] = {
    kind.__name__: kind for kind in (normal, heavy_tailed, duplicated, constant, near_tied)
}


def full_sort(scores: np.ndarray, k: int) -> list[list[int]]:
    """The first k of each row of ``scores`` by (score, item number), -1 in place of items of score -inf."""
    orders = [sorted(range(len(row)), key=lambda item: (-row[item], item))[:k] for row in scores.tolist()]
    return [[item if row[item] > -np.inf else -1 for item in order] for row, order in zip(scores, orders, strict=True)]

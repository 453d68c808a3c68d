"""A sparse linear model of each item by its neighbours."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.baselines.base import Baseline, TrainingData, dense_gram
from graftrec.baselines.neighbours import nearest_by_cosine, nearest_gib
from graftrec.baselines.scorers import SparseProduct
from graftrec.errors import check_number

CELLS: Final = 2**22  # of all neighbours' Gram matrices at once: 16 MiB, about what a cache holds
TOLERANCE: Final = 1e-3  # largest change of a weight in the last sweep
MOST_SWEEPS: Final = 200


@dataclass(frozen=True)
class SLIM(Baseline):
    """scores = R W, column j = argmin 1/2 |r_j - R w|^2 + l1 |w|_1 + l2/2 |w|^2, w >= 0, w_j = 0.

    Ning & Karypis (ICDM 2011, eq. 4), fsSLIM: weights on the ``neighbours`` items of largest cosine alone; exact
    SLIM where they are as many as the items. An item that shares l1 users or fewer has no weight anyway.
    """

    l1: float
    l2: float
    neighbours: int

    def __post_init__(self) -> None:
        check_number("SLIM's l1", self.l1, 0)
        check_number("SLIM's l2", self.l2, 0)
        check_number("SLIM's neighbours", self.neighbours, 1)

    def fit(self, data: TrainingData) -> SparseProduct:
        near = data.once(
            "SLIM",
            self.neighbours,
            lambda: nearest_by_cosine(data.matrix.T.tocsr(), 0.0, self.neighbours).cut(self.neighbours),
        )
        gram = data.once("gram", None, lambda: dense_gram(data.matrix.T.tocsr()))
        counts = np.diff(near.indptr)
        order = np.argsort(-counts, kind="stable")  # equal widths together
        weights, start = [], 0
        while start < len(order):
            width = max(1, counts[order[start]])
            items = order[start : start + max(1, CELLS // width**2)]
            weights.append(self._weights(gram, near, items, width))
            start += len(items)
        value, row, column = (np.concatenate(part) for part in zip(*weights, strict=True))
        return SparseProduct(data.matrix, sp.csr_matrix((value, (row, column)), shape=near.shape))

    def memory_gib(self, user_degree: np.ndarray, item_degree: np.ndarray) -> float:
        return 4 * len(item_degree) ** 2 / 2**30 + nearest_gib(user_degree, len(item_degree), self.neighbours)

    def _weights(
        self, gram: Tensor, near: sp.csr_matrix, items: np.ndarray, width: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights above 0 of the models of ``items``, their rows and columns in W."""
        rows = near[items]
        real = np.arange(width) < np.diff(rows.indptr)[:, None]
        others = np.repeat(items[:, None], width, axis=1)
        others[real] = rows.indices
        index = torch.from_numpy(others)
        target = (gram[index, torch.from_numpy(items)[:, None]] - self.l1).masked_fill_(~torch.from_numpy(real), -1.0)
        inner = gram[index.T[:, :, None], index[None]]  # [width, B, width]
        found = descend(inner, target, self.l2).numpy()
        item, place = np.nonzero(found)
        return found[item, place], others[item, place], items[item]


def descend(inner: Tensor, target: Tensor, l2: float) -> Tensor:
    """argmin 1/2 w^T (G_b + l2) w - <target_b, w>, w >= 0, for each row b, [B, n], by cyclic coordinate descent.

    ``inner`` [n, B, n] holds G_b[k] at [k, b]; ``target`` [B, n], which is overwritten.
    """
    weights, residual = torch.zeros_like(target), target
    squares = inner.diagonal(dim1=0, dim2=2)  # [B, n]
    for _ in range(MOST_SWEEPS):
        largest = 0.0
        for k, row in enumerate(inner):
            old, square = weights[:, k], squares[:, k]
            new = ((residual[:, k] + square * old) / (square + l2)).clamp_(min=0)
            change = new - old
            residual.addcmul_(row, change[:, None], value=-1)
            weights[:, k] = new
            largest = max(largest, float(change.abs().max()))
        if largest < TOLERANCE:
            break
    return weights

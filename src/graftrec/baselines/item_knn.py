"""Item-based nearest neighbours."""

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.data.interactions import Interactions


def co_occurrence(train: Interactions) -> sp.csr_matrix:
    """|U_i n U_j|, users that two items share, with a zero diagonal, [I, I]."""
    both = sp.csr_matrix(train.matrix.T @ train.matrix)
    both.setdiag(0)
    both.eliminate_zeros()
    both.sort_indices()
    return both


class ItemSimilarity:
    """Shrunk cosine of items' user sets, S_ij = |U_i n U_j| / (sqrt(|U_i| |U_j|) + shrinkage), S_ii = 0.

    Sarwar et al. (WWW 2001) with the shrinkage of Bell & Koren (2007). The ``max_neighbours`` nearest of
    each item are kept with their rank, so that any smaller number can be cut from them. ``both`` is the
    items' ``co_occurrence``.
    """

    def __init__(self, train: Interactions, both: sp.csr_matrix, shrinkage: float, max_neighbours: int) -> None:
        self.train = train.matrix
        root = np.sqrt(train.item_degree)
        target = np.repeat(np.arange(train.num_items), np.diff(both.indptr))
        cosine = (both.data / (root[target] * root[both.indices] + shrinkage)).astype(np.float32)
        rank = _rank_within_row(target, cosine, both.indptr)
        near = rank < max_neighbours
        self.rank = rank[near]
        self.entries = (cosine[near], (both.indices[near], target[near]))  # row j, column i

    def nearest(self, neighbours: int) -> "ItemKNN":
        """The recommender that uses each item's ``neighbours`` nearest, at most ``max_neighbours``."""
        near = self.rank < neighbours
        values, (rows, columns) = self.entries
        shape = (self.train.shape[1], self.train.shape[1])
        return ItemKNN(self.train, sp.csr_matrix((values[near], (rows[near], columns[near])), shape=shape))


def _rank_within_row(row: np.ndarray, values: np.ndarray, indptr: np.ndarray) -> np.ndarray:
    """Position of each positive float32 value in its row by descending value, ties in the given order, int64.

    One integer sort: the bits of positive floats are ordered as the floats are.
    """
    key = (row.astype(np.int64) << 32) - values.view(np.int32)
    order = torch.from_numpy(key).sort(stable=True).indices.numpy()
    rank = np.empty(len(values), dtype=np.int64)
    rank[order] = np.arange(len(values)) - indptr[row[order]]
    return rank


class ItemKNN:
    """score(u, i) = sum of S_ij over u's training items j among i's nearest neighbours."""

    def __init__(self, train: sp.csr_matrix, similarity: sp.csr_matrix) -> None:
        self.train = train  # [U, I]
        self.similarity = similarity  # [I, I]: row j, column i

    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """float32 [B, num_items]."""
        scores = torch.from_numpy((self.train[users.cpu().numpy()] @ self.similarity).toarray())
        return scores if out is None else out.copy_(scores)

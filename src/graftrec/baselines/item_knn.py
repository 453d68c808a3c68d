"""Item-based nearest neighbours."""

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.data.interactions import Interactions


class ItemSimilarity:
    """Shrunk cosine of items' user sets, S_ij = |U_i n U_j| / (sqrt(|U_i| |U_j|) + shrinkage), S_ii = 0.

    Sarwar et al. (WWW 2001) with the shrinkage of Bell & Koren (2007). Kept with each neighbour's rank,
    so that any number of neighbours can be cut from it.
    """

    def __init__(self, train: Interactions, shrinkage: float) -> None:
        self.train = train.matrix
        both = sp.csr_matrix(self.train.T @ self.train)
        both.setdiag(0)
        both.eliminate_zeros()
        both.sort_indices()
        root = np.sqrt(train.item_degree)
        target = np.repeat(np.arange(train.num_items), np.diff(both.indptr))
        both.data = (both.data / (root[target] * root[both.indices] + shrinkage)).astype(np.float32)
        order = np.lexsort((both.indices, -both.data, target))  # best neighbour first, ties by item number
        self.rank = np.empty(both.nnz, dtype=np.int64)
        self.rank[order] = np.arange(both.nnz) - both.indptr[target[order]]
        self.matrix = both

    def nearest(self, neighbours: int) -> "ItemKNN":
        """The recommender that uses each item's ``neighbours`` nearest."""
        kept = self.matrix.copy()
        kept.data = np.where(self.rank < neighbours, kept.data, 0)
        kept.eliminate_zeros()
        return ItemKNN(self.train, sp.csr_matrix(kept.T))


class ItemKNN:
    """score(u, i) = sum of S_ij over u's training items j among i's nearest neighbours."""

    def __init__(self, train: sp.csr_matrix, similarity: sp.csr_matrix) -> None:
        self.train = train  # [U, I]
        self.similarity = similarity  # [I, I]: row j, column i

    def scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """float32 [B, num_items]."""
        scores = torch.from_numpy((self.train[users.cpu().numpy()] @ self.similarity).toarray())
        return scores if out is None else out.copy_(scores)

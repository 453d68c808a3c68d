"""Nearest neighbours: of a product of sparse matrices, each row's largest entries, a block of rows at a time."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import scipy.sparse as sp
import torch

KEPT: Final = 500  # of each row at least, so that the numbers of neighbours in a grid are cut from one search
BLOCK: Final = 2**22  # entries of the product that are ordered at once, or one row's
BLOCK_BYTES: Final = 72  # for each of them: it, its column, sorting key and order; measured on gowalla
KEPT_BYTES: Final = 32  # for each that is kept: it, its column and rank, and a copy while blocks are joined

# From a block of the product and the row of each of its entries to the similarities, [entries].
Similarity = Callable[[sp.csr_matrix, np.ndarray], np.ndarray]


class Nearest:
    """The largest entries of each row of a similarity [n, n] with their order, so that fewer can be cut from them.

    The similarity is ``of(left @ right)`` at the product's entries off the diagonal, 0 elsewhere, never negative;
    ``left`` is [n, m], ``right`` [m, n]. The product is never whole in memory.
    """

    def __init__(self, left: sp.csr_matrix, right: sp.csr_matrix, of: Similarity, kept: int) -> None:
        parts = [_largest(left[rows] @ right, rows.start, of, kept) for rows in _blocks(left, right)]
        self.matrix = sp.csr_matrix(sp.vstack([part for part, _ in parts], format="csr"))
        self.rank = np.concatenate([rank for _, rank in parts])

    def cut(self, neighbours: int) -> sp.csr_matrix:
        """[n, n] with each row's ``neighbours`` largest entries, equal ones by number."""
        return _keep(self.matrix, self.rank < neighbours)


def nearest_by_cosine(matrix: sp.csr_matrix, shrinkage: float, kept: int) -> Nearest:
    """Rows of a binary ``matrix`` [n, m] by S_ij = |i n j| / (sqrt(|i| |j|) + shrinkage).

    Sarwar et al. (WWW 2001) with the shrinkage of Bell & Koren (2007).
    """
    root = np.sqrt(np.diff(matrix.indptr))
    return Nearest(
        matrix,
        matrix.T.tocsr(),
        lambda both, row: both.data / (root[row] * root[both.indices] + shrinkage),
        kept,
    )


def at_least_kept(neighbours: int) -> int:
    """How many of each row a search keeps for a model that cuts ``neighbours`` from it."""
    return max(neighbours, KEPT)


def nearest_gib(degree: np.ndarray, num_rows: int, kept: int) -> float:
    """About what ``Nearest`` needs, given in how many of ``num_rows`` rows each of the m columns is."""
    products = float((degree.astype(np.float64) ** 2).sum())
    block = min(products, max(BLOCK, num_rows))
    return (BLOCK_BYTES * block + KEPT_BYTES * min(products, float(num_rows) * min(kept, num_rows))) / 2**30


def _blocks(left: sp.csr_matrix, right: sp.csr_matrix) -> Iterator[slice]:
    """Rows of ``left`` whose products have no more than ``BLOCK`` entries, or one row."""
    most = np.minimum(left.astype(bool) @ np.diff(right.indptr), right.shape[1])
    before = np.concatenate([[0], np.cumsum(most)])
    start = 0
    while start < left.shape[0]:
        stop = max(int(np.searchsorted(before, before[start] + BLOCK, side="right")) - 1, start + 1)
        yield slice(start, stop)
        start = stop


def _largest(product: sp.csr_matrix, start: int, of: Similarity, kept: int) -> tuple[sp.csr_matrix, np.ndarray]:
    """The ``kept`` largest of each row of a block from row ``start`` on, and their ranks."""
    product.sort_indices()  # equal ones by number
    row = np.repeat(np.arange(start, start + product.shape[0]), np.diff(product.indptr))
    values = of(product, row).astype(np.float32)
    similar = _keep(
        sp.csr_matrix((values, product.indices, product.indptr), shape=product.shape),
        (product.indices != row) & (values > 0),
    )
    rank = _rank_within_rows(similar)
    wanted = rank < kept
    return _keep(similar, wanted), rank[wanted]


def _rank_within_rows(matrix: sp.csr_matrix) -> np.ndarray:
    """Position of each positive float32 value in its row by descending value, ties in the given order, int32.

    One integer sort: the bits of positive floats are ordered as the floats are.
    """
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = torch.from_numpy((row << 32) - matrix.data.view(np.int32)).sort(stable=True).indices.numpy()
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order)) - matrix.indptr[row[order]]
    return rank


def _keep(matrix: sp.csr_matrix, wanted: np.ndarray) -> sp.csr_matrix:
    """The entries of ``matrix`` at boolean ``wanted``."""
    before = np.concatenate([[0], np.cumsum(wanted)])
    return sp.csr_matrix((matrix.data[wanted], matrix.indices[wanted], before[matrix.indptr]), shape=matrix.shape)

"""Nearest neighbours by shrunk cosine."""

from typing import Final

import numpy as np
import scipy.sparse as sp
import torch

from graftrec.baselines.base import co_occurring

BYTES: Final = 48  # for each pair of rows with a similarity: it, its column, rank and sorting key; measured on gowalla


class ShrunkCosine:
    """S_ij = |i n j| / (sqrt(|i| |j|) + shrinkage), S_ii = 0, with every row's order, so that any number can be cut.

    Sarwar et al. (WWW 2001) with the shrinkage of Bell & Koren (2007). ``both`` is the ``co_occurrence`` [n, n]
    of rows of degree [n].
    """

    def __init__(self, both: sp.csr_matrix, degree: np.ndarray, shrinkage: float) -> None:
        root = np.sqrt(degree)
        row = np.repeat(np.arange(len(degree)), np.diff(both.indptr))
        cosine = (both.data / (root[row] * root[both.indices] + shrinkage)).astype(np.float32)
        self.matrix = sp.csr_matrix((cosine, both.indices, both.indptr), shape=both.shape)
        self.rank = rank_within_rows(self.matrix)

    def nearest(self, neighbours: int) -> sp.csr_matrix:
        """[n, n] with each row's ``neighbours`` largest values, equal ones by number."""
        return keep(self.matrix, self.rank < neighbours)


def largest_of_rows(matrix: sp.csr_matrix, n: int) -> sp.csr_matrix:
    """The n largest of each row's positive float32 values, equal ones in the order of columns."""
    return keep(matrix, rank_within_rows(matrix) < n)


def rank_within_rows(matrix: sp.csr_matrix) -> np.ndarray:
    """Position of each positive float32 value in its row by descending value, ties in the given order, int64.

    One integer sort: the bits of positive floats are ordered as the floats are.
    """
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    key = (row << 32) - matrix.data.view(np.int32)
    order = torch.from_numpy(key).sort(stable=True).indices.numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - matrix.indptr[row[order]]
    return rank


def neighbours_gib(degree: np.ndarray, num_rows: int) -> float:
    """About what ordering all similarities of ``num_rows`` rows needs; see ``co_occurring``."""
    return BYTES * co_occurring(degree, num_rows) / 2**30


def keep(matrix: sp.csr_matrix, wanted: np.ndarray) -> sp.csr_matrix:
    """The entries of ``matrix`` at boolean ``wanted``."""
    before = np.concatenate([[0], np.cumsum(wanted)])
    return sp.csr_matrix((matrix.data[wanted], matrix.indices[wanted], before[matrix.indptr]), shape=matrix.shape)

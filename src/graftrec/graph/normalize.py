"""Normalised forms of a sparse matrix, rectangular (B) or square (the bipartite adjacency)."""

import numpy as np
import scipy.sparse as sp

from graftrec.errors import check_choice

# Exponents (a, b) of D_row^-a A D_column^-b; He et al. (LightGCN, SIGIR 2020), section 4.4.2 and Table 5.
EXPONENTS = {
    "none": (0.0, 0.0),
    "symmetric": (0.5, 0.5),
    "left": (0.5, 0.0),
    "right": (0.0, 0.5),
    "l1_left": (1.0, 0.0),  # rows sum to 1: the mean of the neighbours
    "l1_right": (0.0, 1.0),  # columns sum to 1
}


def normalize(matrix: sp.csr_matrix, kind: str) -> sp.csr_matrix:
    """D_row^-a A D_column^-b with weighted degrees D; rows and columns of degree 0 stay 0.

    ``kind``: none, symmetric (a = b = 1/2), left (a = 1/2), right (b = 1/2), l1_left (a = 1),
    l1_right (b = 1).
    """
    check_choice("normalization", kind, EXPONENTS)
    left, right = EXPONENTS[kind]
    rows = _power(np.asarray(matrix.sum(axis=1, dtype=np.float64)).ravel(), -left)
    columns = _power(np.asarray(matrix.sum(axis=0, dtype=np.float64)).ravel(), -right)
    data = matrix.data * np.repeat(rows, np.diff(matrix.indptr)) * columns[matrix.indices]
    return sp.csr_matrix((data.astype(matrix.dtype), matrix.indices, matrix.indptr), shape=matrix.shape)


def with_mean_loops(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Each node's loops replaced by one, as heavy as the mean of its row's other entries, 0 without any.

    What PyG's ``GATConv`` does to edge attributes. Entries that are listed twice stay so.
    """
    entries, size = matrix.tocoo(), matrix.shape[0]
    kept = entries.row != entries.col
    rows, columns, weights = entries.row[kept], entries.col[kept], entries.data[kept]
    counts = np.bincount(rows, minlength=size)
    means = np.bincount(rows, weights, minlength=size) / np.maximum(counts, 1)
    data, nodes = np.concatenate([weights, means.astype(weights.dtype)]), np.arange(size)
    order = np.lexsort((np.concatenate([columns, nodes]), np.concatenate([rows, nodes])))
    offsets = np.concatenate([[0], np.cumsum(counts + 1)])
    return sp.csr_matrix((data[order], np.concatenate([columns, nodes])[order], offsets), shape=matrix.shape)


def _power(degree: np.ndarray, exponent: float) -> np.ndarray:
    if exponent == 0:
        return np.ones_like(degree)
    return np.power(degree, exponent, out=np.zeros_like(degree), where=degree > 0)

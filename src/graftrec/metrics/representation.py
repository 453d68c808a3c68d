"""Health of learned vectors: do pairs agree, do all spread, do layers blur them, have they left their start?"""

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor


def alignment(x: Tensor, y: Tensor) -> float:
    """Mean |x~ - y~|^2 over pairs of rows [n, d], x~ = x / |x|: 0 where all agree, 2 where they are orthogonal.

    Wang and Isola (ICML 2020), section 4.1.2, alpha = 2.
    """
    return (F.normalize(x, dim=1) - F.normalize(y, dim=1)).pow(2).sum(1).mean().item()


def uniformity(x: Tensor) -> float:
    """ln of the mean over pairs of different rows of exp(-2 |x~ - y~|^2), x [n, d]: 0 where all are one, down to -8.

    Wang and Isola (ICML 2020), section 4.1.2, t = 2; in many dimensions vectors that spread evenly come to about -4.
    """
    return torch.pdist(F.normalize(x, dim=1)).pow(2).mul(-2).exp().mean().log().item()


def smoothness(x: Tensor, pairs: Tensor) -> float:
    """Mean cosine of the rows of x [N, d] at ``pairs`` int64 [2, n]: 1 where a layer has made neighbours one.

    It is 1 - MAD of these pairs (Chen et al., AAAI 2020, equations 1 to 4, but a mean over pairs, not over nodes).
    """
    return _mean_cosine(x[pairs[0]], x[pairs[1]])


def drift(x: Tensor, start: Tensor) -> float:
    """1 - mean cosine between rows [n, d] and what they were at the ``start``, of those that were not zero."""
    known = start.any(dim=1)
    return 1 - _mean_cosine(x[known], start[known])


def co_neighbours(adjacency: sp.csr_matrix, count: int, generator: np.random.Generator) -> Tensor:
    """About ``count`` random pairs of different nodes with a neighbour in common, int64 [2, n].

    In a graph of users and items both are of one kind. Smoothing makes the nodes of a kind alike; the two ends of an
    edge keep directions of their own, since the graph has an eigenvector that tells users from items.
    """
    degree = np.diff(adjacency.indptr)
    edges = generator.integers(adjacency.nnz, size=count)
    middle = np.searchsorted(adjacency.indptr, edges, side="right") - 1
    middle = middle[degree[middle] > 1]
    first = generator.integers(degree[middle])
    second = (first + generator.integers(1, degree[middle])) % degree[middle]
    ends = [adjacency.indices[adjacency.indptr[middle] + place] for place in (first, second)]
    return torch.from_numpy(np.stack(ends).astype(np.int64))


def _mean_cosine(x: Tensor, y: Tensor) -> float:
    return F.cosine_similarity(x.float(), y.float(), dim=1).mean().item()

"""Graphs small enough to be multiplied densely."""

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.graph.bipartite import bipartite_graph
from graftrec.graph.graph import Graph

NUM_USERS, NUM_ITEMS = 7, 6
CONNECTED_USERS, CONNECTED_ITEMS = slice(0, NUM_USERS - 1), slice(NUM_USERS, NUM_USERS + NUM_ITEMS - 1)
ISOLATED = [NUM_USERS - 1, NUM_USERS + NUM_ITEMS - 1]


def random_matrix(weighted: bool = False, seed: int = 0) -> sp.csr_matrix:
    """B [7, 6] in which the last user and the last item, and only they, have no interaction."""
    generator = np.random.default_rng(seed)
    dense = (generator.random((NUM_USERS, NUM_ITEMS)) < 0.4).astype(np.float32)
    dense[np.arange(NUM_USERS), np.arange(NUM_USERS) % (NUM_ITEMS - 1)] = 1
    if weighted:
        dense *= generator.uniform(0.25, 4, dense.shape).astype(np.float32)
    dense[-1] = dense[:, -1] = 0
    return sp.csr_matrix(dense)


def random_graph(weighted: bool = False, seed: int = 0) -> Graph:
    """The bipartite graph of ``random_matrix``."""
    return bipartite_graph(random_matrix(weighted, seed))


def empty_graph() -> Graph:
    """The same nodes without an edge."""
    return bipartite_graph(sp.csr_matrix((NUM_USERS, NUM_ITEMS), dtype=np.float32))


def random_vectors(dim: int = 8, seed: int = 0) -> Tensor:
    """A vector [N, dim] for each node of ``random_graph``."""
    return torch.randn(NUM_USERS + NUM_ITEMS, dim, generator=torch.Generator().manual_seed(seed))


def dense_adjacency(graph: Graph) -> Tensor:
    """A [N, N], row = target."""
    return torch.from_numpy(graph.adjacency.toarray())


def dense_normalized(adjacency: np.ndarray, left: float, right: float) -> np.ndarray:
    """D_row^-left A D_column^-right, entry by entry."""
    rows, columns = adjacency.sum(axis=1), adjacency.sum(axis=0)
    result = np.zeros(adjacency.shape)
    for row, column in np.argwhere(adjacency):
        result[row, column] = adjacency[row, column] / (rows[row] ** left * columns[column] ** right)
    return result

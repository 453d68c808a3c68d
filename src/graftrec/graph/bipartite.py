"""The user-item graph of the training interactions."""

from dataclasses import dataclass

import scipy.sparse as sp

from graftrec.data.dataset import Dataset
from graftrec.data.weightings import Weighting, interaction_matrix
from graftrec.graph.graph import Graph
from graftrec.graph.node_space import NodeSpace


@dataclass(frozen=True)
class Bipartite:
    """A graph builder: A = [[0, B], [B^T, 0]] with B from the training interactions alone, of all behaviours.

    ``isolated`` says what a node without an edge hears of: nothing (``zero``), or itself (``self``); see ``Graph``.
    """

    weighting: Weighting
    isolated: str = "zero"

    def __call__(self, dataset: Dataset) -> Graph:
        return bipartite_graph(interaction_matrix(dataset.edges or dataset.train, self.weighting), self.isolated)


def bipartite_graph(matrix: sp.csr_matrix, isolated: str = "zero") -> Graph:
    """The graph of a user-item matrix B [U, I]."""
    adjacency = sp.block_array([[None, matrix], [matrix.T, None]], format="csr")
    adjacency.sort_indices()
    return Graph(NodeSpace(*matrix.shape), sp.csr_matrix(adjacency), isolated=isolated)

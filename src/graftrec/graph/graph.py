"""The interaction graph: every edge both ways."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.errors import InputError, check_choice
from graftrec.graph.node_space import NodeSpace
from graftrec.graph.normalize import normalize, with_mean_loops
from graftrec.graph.propagate import SparseMatrix

SYMMETRIC_KINDS = ("none", "symmetric")
ISOLATED = ("zero", "self")


@dataclass(frozen=True, eq=False)
class Graph:
    """A symmetric, weighted adjacency [N, N] over a node space.

    Refuses one-way edges: with them PyG's ``gcn_norm`` gives all-zero weights without an error.

    ``isolated=zero`` leaves the row of a node without an edge empty: its layers after x0 are zero, so that LightGCN's
    mean of L + 1 layers is x0 / (L + 1). With ``self`` such a node is its own and only neighbour, in every matrix:
    each layer is x0 under any normalisation, and so is their mean. Other nodes' rows are the same under both.
    """

    space: NodeSpace
    adjacency: sp.csr_matrix  # float32, row = target, column = source
    isolated: str = field(default="zero", kw_only=True)
    _matrices: dict[tuple[str, bool, str], SparseMatrix] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        check_choice("graph.isolated", self.isolated, ISOLATED)
        size = (self.space.num_nodes, self.space.num_nodes)
        if self.adjacency.shape != size:
            raise InputError(f"The adjacency has shape {self.adjacency.shape}; the node space expects {size}.")
        one_way = (self.adjacency != self.adjacency.T).nnz // 2  # A_ij and A_ji both differ
        if one_way:
            raise InputError(
                f"{one_way:,} of {self.num_edges:,} edges lack a reverse edge of equal weight; "
                f"add A^T to the adjacency."
            )

    @property
    def num_edges(self) -> int:
        """Directed edges: two for each interaction."""
        return int(self.adjacency.nnz)

    @cached_property
    def connected(self) -> Tensor:
        """The nodes with an edge, int64, ascending."""
        return torch.from_numpy(np.flatnonzero(np.diff(self.adjacency.indptr)))

    @property
    def learned(self) -> bool:
        """Whether its matrix gets a gradient."""
        return False

    @cached_property
    def weighted(self) -> bool:
        """Whether any edge weight differs from 1."""
        return bool((self.adjacency.data != 1).any())

    @cached_property
    def edge_index(self) -> Tensor:
        """(source, target) of every edge, int64 [2, E], sorted by target: PyG's convention."""
        target = np.repeat(np.arange(self.space.num_nodes), np.diff(self.adjacency.indptr))
        return torch.from_numpy(np.stack([self.adjacency.indices.astype(np.int64), target]))

    @cached_property
    def edge_weight(self) -> Tensor:
        """Weights in the order of ``edge_index``, float32 [E]."""
        return torch.from_numpy(self.adjacency.data)

    def matrix(self, normalization: str, self_loops: bool, device: torch.device) -> SparseMatrix:
        """The adjacency, with self-loops of weight 1 if asked, normalised; made once per device."""
        key = (normalization, self_loops, str(device))
        if key not in self._matrices:
            normalized = normalize(self.with_loops(self.adjacency, self_loops), normalization)
            self._matrices[key] = SparseMatrix.of(normalized, normalization in SYMMETRIC_KINDS, device)
        return self._matrices[key]

    def with_loops(self, adjacency: sp.csr_matrix, self_loops: bool) -> sp.csr_matrix:
        """``adjacency`` [N, N] with loops of weight 1: on all nodes, on those without an edge in the graph, or none."""
        if not self_loops and self.isolated == "zero":
            return adjacency
        loops = np.ones(self.space.num_nodes) if self_loops else np.diff(self.adjacency.indptr) == 0
        return sp.csr_matrix(adjacency + sp.diags_array(loops.astype(np.float32), format="csr"))

    def attention_matrix(self, self_loops: bool, device: torch.device) -> SparseMatrix:
        """The adjacency, with loops of every node's mean weight if asked; made once per device."""
        if not self_loops:
            return self.matrix("none", False, device)
        key = ("none, mean loops", True, str(device))
        if key not in self._matrices:
            self._matrices[key] = SparseMatrix.of(with_mean_loops(self.adjacency), True, device)
        return self._matrices[key]

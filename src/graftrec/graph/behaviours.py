"""One adjacency per behaviour type, such as view, cart, buy, mixed into one matrix."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.data.dataset import Dataset
from graftrec.data.interactions import Interactions
from graftrec.data.weightings import Weighting, interaction_matrix
from graftrec.errors import InputError
from graftrec.graph.bipartite import bipartite_graph
from graftrec.graph.graph import Graph
from graftrec.graph.normalize import normalize
from graftrec.graph.propagate import SparseMatrix


@dataclass(frozen=True, eq=False)
class BehaviourGraph(Graph):
    """Its matrix is sum_t w_t N(A_t) over the behaviours t, N being the normalisation of each adjacency on its own.

    ``adjacency`` has an entry of 1 wherever any behaviour has one, which makes the sum one sparse product.
    """

    behaviours: Mapping[str, sp.csr_matrix] = field(default_factory=dict)  # [N, N] each
    weights: Tensor | None = None  # [T], may be learned; None: equal, of sum 1
    hidden: tuple[Tensor, Tensor] | None = None  # users and items [B] of pairs whose edges are left out
    _values: dict[tuple[str, bool, str], Tensor] = field(default_factory=dict, repr=False)

    @property
    def learned(self) -> bool:
        return self.weights is not None and self.weights.requires_grad

    def mixed(self, weights: Tensor, hidden: tuple[Tensor, Tensor] | None = None) -> "BehaviourGraph":
        """The same graph under other weights [T] of the behaviours; their gradient is that of the edge weights.

        ``hidden``: users and items [B] whose edges carry nothing; degrees stay. A pair to be learned must be hidden:
        an edge of the target behaviour foretells itself, and the weights would turn to it alone.
        """
        graph = copy.copy(self)
        object.__setattr__(graph, "weights", weights)
        object.__setattr__(graph, "hidden", hidden)
        return graph

    def matrix(self, normalization: str, self_loops: bool, device: torch.device) -> SparseMatrix:
        """The mix of the normalised adjacencies."""
        pattern, key = super().matrix(normalization, self_loops, device), (normalization, self_loops, str(device))
        if key not in self._values:
            rows = [self._on_pattern(pattern, each, normalization, self_loops) for each in self.behaviours.values()]
            self._values[key] = torch.stack(rows).to(device)
        values = self._values[key]
        equal = values.new_full((len(values),), 1 / len(values))
        mix = (equal if self.weights is None else self.weights.to(values.dtype)) @ values
        return pattern.with_weights(mix if self.hidden is None else mix.index_fill(0, self._entries(pattern), 0.0))

    def _entries(self, pattern: SparseMatrix) -> Tensor:
        """Where the hidden pairs stand in ``pattern``, both ways, int64."""
        assert self.hidden is not None
        users, items, size = self.hidden[0], self.space.item_nodes(self.hidden[1]), self.space.num_nodes
        wanted, keys = torch.cat([users * size + items, items * size + users]), pattern.pattern.keys
        places = torch.searchsorted(keys, wanted).clamp_(max=len(keys) - 1)
        return places[keys[places] == wanted]

    def _on_pattern(self, pattern: SparseMatrix, adjacency: sp.csr_matrix, kind: str, self_loops: bool) -> Tensor:
        """The normalised adjacency's values at the entries of ``pattern``, float32 [E]."""
        own = normalize(self.with_loops(adjacency, self_loops), kind).tocoo()
        size, keys = self.space.num_nodes, pattern.pattern.keys.cpu().numpy()
        values = np.zeros(len(keys), dtype=np.float32)
        values[np.searchsorted(keys, own.row.astype(np.int64) * size + own.col)] = own.data
        return torch.from_numpy(values)


@dataclass(frozen=True)
class Behaviours:
    """A graph builder: the training pairs of each behaviour, weighted on their own; see ``Bipartite``."""

    weighting: Weighting
    isolated: str = "zero"

    def __call__(self, dataset: Dataset) -> BehaviourGraph:
        edges = dataset.edges or dataset.train
        if edges.behaviour is None:
            raise InputError(
                "graph=behaviours needs a behaviour column; set data.columns.behaviour or graph=bipartite."
            )
        matrices = {name: interaction_matrix(of_behaviour(edges, name), self.weighting) for name in edges.behaviours}
        union = sp.csr_matrix(sum(matrix.astype(bool) for matrix in matrices.values()), dtype=np.float32)
        whole = bipartite_graph(union, self.isolated)
        adjacencies = {name: bipartite_graph(matrix).adjacency for name, matrix in matrices.items()}
        return BehaviourGraph(whole.space, whole.adjacency, isolated=self.isolated, behaviours=adjacencies)


def of_behaviour(edges: Interactions, name: str) -> Interactions:
    """The pairs of one behaviour, with the number of its rows as their count."""
    assert edges.behaviour is not None
    place = edges.behaviours.index(name)
    chosen = edges.select(edges.behaviour[:, place] > 0)
    assert chosen.behaviour is not None
    alone = chosen.behaviour * (np.arange(len(edges.behaviours)) == place)
    return replace(chosen, count=alone[:, place], behaviour=alone)

"""No message passing: matrix factorisation."""

from torch import Tensor

from graftrec.graph.graph import Graph
from graftrec.nn.encoders.base import Encoder


class Identity(Encoder):
    """x0 is the embedding. Edges and their weights play no part."""

    supports_edge_weight = False
    node_tables = 0

    def __init__(self, dim: int, weighted: bool = False) -> None:
        super().__init__(num_layers=0, mix="last")

    def layer(self, index: int, x: Tensor, graph: Graph) -> Tensor:
        return x

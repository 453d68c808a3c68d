"""GatedGCN (Bresson & Laurent)."""

from torch import Tensor

from graftrec.errors import check_choice
from graftrec.graph.graph import Graph
from graftrec.nn.encoders.block import ConvolutionEncoder

AGGREGATIONS = {"sum": "add", "mean": "mean"}


class GatedGCN(ConvolutionEncoder):
    """x'_i = W1 x_i + sum_j sigma(W3 x_i + W4 x_j) * W2 x_j: the residual gated graph convnet.

    Bresson & Laurent, 2017 (arXiv 1711.07553), eq. 11, through PyG's ``ResGatedGraphConv``. On a weighted
    graph the edge weight is an attribute beside x_i and x_j. ``aggregation``: ``sum`` or ``mean`` over
    the neighbours; sums grow with a node's degree and turn scores into popularity.
    """

    def __init__(
        self,
        dim: int,
        weighted: bool = False,
        num_layers: int = 2,
        aggregation: str = "mean",
        mix: str = "mean",
        dropout: float = 0.0,
        norm: str = "none",
        activation: str = "relu",
        residual: bool = True,
    ) -> None:
        from torch_geometric.nn import ResGatedGraphConv

        check_choice("encoder.aggregation", aggregation, AGGREGATIONS)
        convolutions = [
            ResGatedGraphConv(dim, dim, aggr=AGGREGATIONS[aggregation], edge_dim=1 if weighted else None)
            for _ in range(num_layers)
        ]
        super().__init__(dim, convolutions, mix, dropout, norm, activation, residual)
        self.weighted = weighted

    def convolve(self, index: int, x: Tensor, graph: Graph) -> Tensor:
        attributes = graph.edge_weight[:, None].to(x.device) if self.weighted else None
        return self.convolutions[index](x, graph.edge_index.to(x.device), attributes)

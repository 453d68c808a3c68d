"""GatedGCN (Bresson & Laurent)."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from graftrec.errors import check_choice
from graftrec.graph.gated import EdgeTerm, gated_sum
from graftrec.graph.graph import Graph
from graftrec.nn.encoders.block import ConvolutionEncoder

AGGREGATIONS = ("sum", "mean")


class GatedGCN(ConvolutionEncoder):
    """x'_i = W1 x_i + sum_j sigma(W3 x_i + W4 x_j) * W2 x_j: the residual gated graph convnet.

    Bresson & Laurent, 2017 (arXiv 1711.07553), eq. 11, with the parameters of PyG's ``ResGatedGraphConv``.
    On a weighted graph the edge weight is an attribute beside x_i and x_j. ``aggregation``: ``sum`` or
    ``mean`` over the neighbours; sums grow with a node's degree and turn scores into popularity.
    """

    node_tables = 9

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
        convolutions = [ResGatedGraphConv(dim, dim, edge_dim=1 if weighted else None) for _ in range(num_layers)]
        super().__init__(dim, convolutions, mix, dropout, norm, activation, residual)
        self.aggregation = aggregation
        self.weighted = weighted

    def convolve(self, index: int, x: Tensor, graph: Graph) -> Tensor:
        layer: Any = self.convolutions[index]
        matrix = graph.matrix("none", False, x.device)
        key, query, value = (_node_part(linear, x) for linear in (layer.lin_key, layer.lin_query, layer.lin_value))
        out = gated_sum(matrix, key, query, value, _edge_term(layer) if self.weighted else None)
        if self.aggregation == "mean":
            out = out / matrix.row_offsets.diff().clamp(min=1)[:, None]
        return out + layer.lin_skip(x) + layer.bias


def _node_part(linear: Any, x: Tensor) -> Tensor:
    """W x + b with the columns of W for x, leaving out that for the edge weight."""
    return F.linear(x, linear.weight[:, : x.shape[1]], linear.bias)


def _edge_term(layer: Any) -> EdgeTerm:
    """The columns for the edge weight, by linearity of W [x || w]."""
    return EdgeTerm(layer.lin_key.weight[:, -1] + layer.lin_query.weight[:, -1], layer.lin_value.weight[:, -1])

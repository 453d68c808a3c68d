"""GIN (Xu et al.)."""

import torch
from torch import Tensor, nn

from graftrec.errors import check_choice
from graftrec.graph.graph import Graph
from graftrec.nn.encoders.block import ConvolutionEncoder

AGGREGATIONS = {"sum": "none", "mean": "l1_left"}  # to the normalisation of the adjacency


class GIN(ConvolutionEncoder):
    """x'_i = MLP((1 + eps) x_i + sum_j w_ij x_j) (Xu et al., ICLR 2019, eq. 4.1), through PyG's ``GINConv``.

    ``aggregation=mean`` divides the sum by the weights' total: plain sums grow with a node's degree and
    turn scores into popularity. Edge weights w enter the sum or mean.
    """

    def __init__(
        self,
        dim: int,
        weighted: bool = False,
        num_layers: int = 2,
        aggregation: str = "mean",
        train_eps: bool = True,
        mix: str = "mean",
        dropout: float = 0.0,
        norm: str = "none",
        activation: str = "relu",
        residual: bool = False,
    ) -> None:
        from torch_geometric.nn import GINConv

        check_choice("encoder.aggregation", aggregation, AGGREGATIONS)
        convolutions: list[nn.Module] = [
            GINConv(nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim)), train_eps=train_eps)
            for _ in range(num_layers)
        ]
        super().__init__(dim, convolutions, mix, dropout, norm, activation, residual)
        self.aggregation = aggregation

    def convolve(self, index: int, x: Tensor, graph: Graph) -> Tensor:
        matrix = graph.matrix(AGGREGATIONS[self.aggregation], False, x.device)
        parts = (matrix.row_offsets, matrix.columns, matrix.weights.to(x.dtype), (len(x), len(x)))
        adjacency = torch.sparse_csr_tensor(*parts, check_invariants=False)
        return self.convolutions[index](x, adjacency)  # GINConv multiplies by a sparse tensor's values

"""GIN (Xu et al.)."""

import torch
from torch import Tensor, nn

from graftrec.errors import check_choice
from graftrec.graph.graph import Graph
from graftrec.graph.propagate import PRECISIONS, propagate
from graftrec.nn.encoders.block import ConvolutionEncoder

AGGREGATIONS = {"sum": "none", "mean": "l1_left"}  # to the normalisation of the adjacency


class GINConvolution(nn.Module):
    """MLP((1 + eps) x + gathered), with the weights and their names of PyG's ``GINConv``."""

    eps: Tensor  # [1]

    def __init__(self, dim: int, train_eps: bool) -> None:
        super().__init__()
        self.nn = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim))
        if train_eps:
            self.eps = nn.Parameter(torch.zeros(1))
        else:
            self.register_buffer("eps", torch.zeros(1))

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.eps)
        for module in self.nn:
            if isinstance(module, nn.Linear):
                module.reset_parameters()

    def forward(self, x: Tensor, gathered: Tensor) -> Tensor:
        output: Tensor = self.nn((1 + self.eps) * x + gathered)
        return output


class GIN(ConvolutionEncoder):
    """x'_i = MLP((1 + eps) x_i + sum_j w_ij x_j) (Xu et al., ICLR 2019, eq. 4.1).

    ``aggregation=mean`` divides the sum by the weights' total: plain sums grow with a node's degree and
    turn scores into popularity. Edge weights w enter the sum or mean. The sparse product runs in
    ``propagation_dtype``, all else in the precision of the input.
    """

    node_tables = 9
    mixes_behaviours = True

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
        propagation_dtype: str = "float32",
    ) -> None:
        check_choice("encoder.aggregation", aggregation, AGGREGATIONS)
        check_choice("encoder.propagation_dtype", propagation_dtype, PRECISIONS)
        convolutions: list[nn.Module] = [GINConvolution(dim, train_eps) for _ in range(num_layers)]
        super().__init__(dim, convolutions, mix, dropout, norm, activation, residual)
        self.aggregation = aggregation
        self.precision = PRECISIONS[propagation_dtype]

    def convolve(self, index: int, x: Tensor, graph: Graph) -> Tensor:
        matrix = graph.matrix(AGGREGATIONS[self.aggregation], False, x.device)
        output: Tensor = self.convolutions[index](x, propagate(matrix, x, dtype=self.precision))
        return output

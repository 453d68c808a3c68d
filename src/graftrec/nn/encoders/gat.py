"""GAT (Velickovic et al.)."""

from torch import Tensor

from graftrec.errors import InputError
from graftrec.graph.graph import Graph
from graftrec.nn.encoders.block import ConvolutionEncoder


class GAT(ConvolutionEncoder):
    """x'_i = sum_j alpha_ij W x_j, alpha = softmax_j LeakyReLU(a [W x_i || W x_j]), heads concatenated.

    Velickovic et al., ICLR 2018, eq. 1-5, through PyG's ``GATConv``. On a weighted graph the edge
    weight enters the attention as a one-dimensional edge attribute.
    """

    def __init__(
        self,
        dim: int,
        weighted: bool = False,
        num_layers: int = 2,
        heads: int = 1,
        attention_dropout: float = 0.0,
        self_loops: bool = True,
        mix: str = "mean",
        dropout: float = 0.0,
        norm: str = "none",
        activation: str = "elu",
        residual: bool = False,
    ) -> None:
        from torch_geometric.nn import GATConv

        if dim % heads:
            raise InputError(f"encoder.heads={heads} must divide dim={dim}.")
        convolutions = [
            GATConv(
                dim,
                dim // heads,
                heads,
                dropout=attention_dropout,
                add_self_loops=self_loops,
                edge_dim=1 if weighted else None,
            )
            for _ in range(num_layers)
        ]
        super().__init__(dim, convolutions, mix, dropout, norm, activation, residual)
        self.weighted = weighted

    def convolve(self, index: int, x: Tensor, graph: Graph) -> Tensor:
        attributes = graph.edge_weight[:, None].to(x.device) if self.weighted else None
        return self.convolutions[index](x, graph.edge_index.to(x.device), attributes)

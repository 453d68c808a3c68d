"""GAT (Velickovic et al.)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graftrec.errors import InputError, check_number
from graftrec.graph.attention import attention
from graftrec.graph.graph import Graph
from graftrec.graph.propagate import SparseMatrix, propagate
from graftrec.nn.encoders.block import ConvolutionEncoder


class GATConvolution(nn.Module):
    """sum_j alpha_ij W x_j for each of H heads of width C, concatenated; weights and names of PyG's ``GATConv``."""

    def __init__(self, dim: int, heads: int, weighted: bool, dropout: float) -> None:
        super().__init__()
        shape = (1, heads, dim // heads)
        self.lin = nn.Linear(dim, dim, bias=False)
        self.att_src, self.att_dst = nn.Parameter(torch.empty(shape)), nn.Parameter(torch.empty(shape))
        self.lin_edge = nn.Linear(1, dim, bias=False) if weighted else None
        self.att_edge = nn.Parameter(torch.empty(shape)) if weighted else None
        self.bias = nn.Parameter(torch.empty(dim))
        self.dropout = dropout
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot weights and zero bias."""
        for linear in (self.lin, self.lin_edge):
            if linear is not None:
                nn.init.xavier_uniform_(linear.weight)
        for vector in (self.att_src, self.att_dst, self.att_edge):
            if vector is not None:
                nn.init.xavier_uniform_(vector[0])
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, matrix: SparseMatrix) -> Tensor:
        heads = self.lin(x).view(len(x), *self.att_src.shape[1:]).transpose(0, 1).contiguous()  # [H, N, C]
        vectors = torch.stack([self.att_dst[0], self.att_src[0]], 1)  # [H, 2, C]
        logits = vectors @ heads.mT  # [H, 2, N]
        outputs = []
        for head, (target, source), offset in zip(heads, logits, self.offsets(matrix, x.dtype), strict=True):
            alpha = F.dropout(attention(matrix, target, source, offset), self.dropout, self.training)
            outputs.append(propagate(matrix, head, alpha))
        return torch.cat(outputs, 1) + self.bias

    def offsets(self, matrix: SparseMatrix, dtype: torch.dtype) -> list[Tensor] | list[None]:
        """What every edge adds to each head's logit, H times [E]: a (W_edge w_e), W_edge of one column."""
        if self.att_edge is None or self.lin_edge is None:
            return [None] * self.att_src.shape[1]
        slopes = (self.lin_edge.weight.view_as(self.att_edge) * self.att_edge).sum(-1)[0]
        return [slope * matrix.weights_as(dtype) for slope in slopes]


class GAT(ConvolutionEncoder):
    """x'_i = sum_j alpha_ij W x_j, alpha = softmax_j LeakyReLU(a [W x_i || W x_j]), heads concatenated.

    Velickovic et al., ICLR 2018, eq. 1-5. On a weighted graph the edge weight enters the attention as a
    one-dimensional edge attribute, and a self-loop's is the mean of its node's edges, as in PyG's
    ``GATConv``.
    """

    node_tables = 3
    edge_values = 3

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
        check_number("encoder.heads", heads, 1)
        check_number("encoder.attention_dropout", attention_dropout, 0, below=1)
        if dim % heads:
            raise InputError(f"encoder.heads={heads} must divide dim={dim}.")
        convolutions: list[nn.Module] = [
            GATConvolution(dim, heads, weighted, attention_dropout) for _ in range(num_layers)
        ]
        super().__init__(dim, convolutions, mix, dropout, norm, activation, residual)
        self.self_loops = self_loops

    def convolve(self, index: int, x: Tensor, graph: Graph) -> Tensor:
        output: Tensor = self.convolutions[index](x, graph.attention_matrix(self.self_loops, x.device))
        return output

"""GCN (Kipf & Welling)."""

from torch import Tensor, nn

from graftrec.errors import check_choice
from graftrec.graph.graph import Graph
from graftrec.graph.normalize import EXPONENTS
from graftrec.graph.propagate import PRECISIONS, propagate
from graftrec.nn.encoders.block import ConvolutionEncoder


class GCN(ConvolutionEncoder):
    """X' = D^-1/2 (A + I) D^-1/2 X W + b (Kipf & Welling, ICLR 2017, eq. 2), D of A + I.

    ``normalization`` and ``self_loops`` change the propagation matrix. Edge weights enter A. The sparse
    product runs in ``propagation_dtype``, all else in the precision of the input.
    """

    node_tables = 3
    mixes_behaviours = True

    def __init__(
        self,
        dim: int,
        weighted: bool = False,
        num_layers: int = 2,
        normalization: str = "symmetric",
        self_loops: bool = True,
        mix: str = "mean",
        dropout: float = 0.0,
        norm: str = "none",
        activation: str = "relu",
        residual: bool = False,
        propagation_dtype: str = "float32",
    ) -> None:
        linears = [nn.Linear(dim, dim) for _ in range(num_layers)]
        super().__init__(dim, list[nn.Module](linears), mix, dropout, norm, activation, residual)
        check_choice("encoder.normalization", normalization, EXPONENTS)
        check_choice("encoder.propagation_dtype", propagation_dtype, PRECISIONS)
        self.normalization = normalization
        self.self_loops = self_loops
        self.precision = PRECISIONS[propagation_dtype]
        self._glorot()

    def reset_parameters(self) -> None:
        super().reset_parameters()
        self._glorot()

    def _glorot(self) -> None:
        """Glorot weights and zero bias, as PyG's ``GCNConv``."""
        for linear in self.convolutions:
            assert isinstance(linear, nn.Linear)
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def convolve(self, index: int, x: Tensor, graph: Graph) -> Tensor:
        linear = self.convolutions[index]
        assert isinstance(linear, nn.Linear)
        matrix = graph.matrix(self.normalization, self.self_loops, x.device)
        return propagate(matrix, x @ linear.weight.T, dtype=self.precision) + linear.bias

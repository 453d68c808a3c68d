"""What GCN, GAT, GIN and GatedGCN share: a convolution, then norm, activation, dropout, residual."""

from torch import Tensor, nn

from graftrec.errors import check_choice, check_number
from graftrec.graph.graph import Graph
from graftrec.nn.encoders.base import Encoder

NORMS = {"none": nn.Identity, "layer": nn.LayerNorm, "batch": nn.BatchNorm1d}
ACTIVATIONS = {"none": nn.Identity, "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU}


class ConvolutionEncoder(Encoder):
    """x <- [x +] dropout(activation(norm(convolution(x)))), once a layer; the last layer has no activation.

    Subclasses give the convolutions and say how one is applied.
    """

    def __init__(
        self,
        dim: int,
        convolutions: list[nn.Module],
        mix: str,
        dropout: float,
        norm: str,
        activation: str,
        residual: bool,
    ) -> None:
        super().__init__(len(convolutions), mix)
        check_choice("encoder.norm", norm, NORMS)
        check_choice("encoder.activation", activation, ACTIVATIONS)
        check_number("encoder.dropout", dropout, 0, below=1)
        self.convolutions = nn.ModuleList(convolutions)
        self.norms = nn.ModuleList(NORMS[norm](dim) for _ in convolutions)
        self.activation = ACTIVATIONS[activation]()
        self.dropout = nn.Dropout(dropout)
        self.residual = residual

    def reset_parameters(self) -> None:
        for module in [*self.convolutions, *self.norms]:
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()

    def convolve(self, index: int, x: Tensor, graph: Graph) -> Tensor:
        """The bare convolution of one layer."""
        raise NotImplementedError

    def layer(self, index: int, x: Tensor, graph: Graph) -> Tensor:
        out = self.norms[index](self.convolve(index, x, graph))
        if index < self.num_layers - 1:
            out = self.activation(out)
        out = self.dropout(out)
        return x + out if self.residual else out

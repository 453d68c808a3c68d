"""What a graph encoder is: L layers over one graph."""

from collections.abc import Callable
from typing import Final

from torch import Tensor, nn

from graftrec.errors import InputError, check_choice
from graftrec.graph.graph import Graph

LayerHook = Callable[[Tensor, int], Tensor]
MIXES: Final = ("mean", "sum", "last", "mean_without_input")


class Encoder(nn.Module):
    """Base of all encoders: ``forward(x0 [N, d], graph)`` gives L + 1 tensors [N, d], the first is x0.

    ``mix`` says how a recommender reduces them to one: ``mean`` of L + 1 (LightGCN), ``sum`` of L + 1
    (RLMRec's code), ``last``, or ``mean_without_input`` (SimGCL).
    """

    supports_edge_weight: bool = True

    def __init__(self, num_layers: int, mix: str) -> None:
        super().__init__()
        check_choice("encoder.mix", mix, MIXES)
        if num_layers < 0 or (num_layers == 0 and mix == "mean_without_input"):
            raise InputError(f"encoder.num_layers={num_layers} with encoder.mix={mix} leaves no layer to mix.")
        self.num_layers = num_layers
        self.mix = mix

    def layer(self, index: int, x: Tensor, graph: Graph) -> Tensor:
        """One round of message passing, [N, d] to [N, d]."""
        raise NotImplementedError

    def forward(self, x0: Tensor, graph: Graph, hook: LayerHook | None = None) -> list[Tensor]:
        """All layers; ``hook(x, index)`` may change each new one, such as a view that adds noise."""
        layers = [x0]
        for index in range(self.num_layers):
            x = self.layer(index, layers[-1], graph)
            layers.append(x if hook is None else hook(x, index))
        return layers

    def mixed(self, layers: list[Tensor]) -> Tensor:
        """The embedding [N, d] of L + 1 layers."""
        used = {"last": layers[-1:], "mean_without_input": layers[1:]}.get(self.mix, layers)
        total = used[0].to(layers[0].dtype)  # the layers may be in the lower precision of the propagation
        if len(used) == 1:
            return total
        total = total + used[1]
        for layer in used[2:]:
            total += layer  # in place: a stack would copy every layer first
        return total if self.mix == "sum" else total.mul_(1 / len(used))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_layers={self.num_layers}, mix={self.mix})"

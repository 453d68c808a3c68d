"""What a graph encoder is: L layers over one graph."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from graftrec.errors import InputError, check_choice
from graftrec.graph.graph import Graph

LayerHook = Callable[[Tensor, int], Tensor]
LayersAt = Callable[[Tensor], Sequence[Tensor]]  # rows int64 [R], all different, to L + 1 layers [R, d]
MIXES: Final = ("mean", "sum", "last", "mean_without_input")


class Encoder(nn.Module):
    """Base of all encoders: ``forward(x0 [N, d], graph)`` gives L + 1 tensors [N, d], the first is x0.

    ``mix`` says how a recommender reduces them to one: ``mean`` of L + 1 (LightGCN), ``sum`` of L + 1
    (RLMRec's code), ``last``, or ``mean_without_input`` (SimGCL).
    """

    supports_edge_weight: bool = True
    mixes_behaviours: bool = False  # multiplies by the graph's matrix, which may be a mix of several
    # What a layer keeps for its gradient besides its result, for the estimate of memory.
    node_tables: int = 5  # [N, d]
    edge_values: int = 0  # [E], for each head

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

    def rows_alone(self, x0: Tensor, graph: Graph) -> LayersAt | None:
        """What gives the layers at some rows for less than the whole ones cost; None where nothing does."""
        return None

    def mixed(self, layers: Sequence[Tensor], rows: Tensor | None = None) -> Tensor:
        """The embedding of L + 1 layers: [N, d], or [R, d] at ``rows`` int64 [R] alone."""
        used = {"last": layers[-1:], "mean_without_input": layers[1:]}.get(self.mix, layers)
        scale = 1.0 if self.mix == "sum" else 1 / len(used)
        return _ScaledSum.apply(layers[0].dtype, scale, rows, *used)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_layers={self.num_layers}, mix={self.mix})"


class _ScaledSum(torch.autograd.Function):
    """scale * sum_l X^(l), or its ``rows``, in ``dtype``; the layers may be in the lower precision of the propagation.

    Every layer's gradient is the same scale * G, made once for each precision; a stack of the layers would copy them.
    """

    @staticmethod
    def forward(ctx: Any, dtype: torch.dtype, scale: float, rows: Tensor | None, *layers: Tensor) -> Tensor:
        ctx.scale, ctx.rows, ctx.num_nodes, ctx.dtypes = scale, rows, len(layers[0]), [x.dtype for x in layers]
        parts = [layer if rows is None else layer.index_select(0, rows) for layer in layers]
        total = parts[0].to(dtype, copy=True)
        for part in parts[1:]:
            total += part.to(dtype)  # adding across precisions is five times slower than the copy
        return total if scale == 1 else total.mul_(scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        gradient = gradient if ctx.scale == 1 else gradient * ctx.scale
        if ctx.rows is not None:
            gradient = gradient.new_zeros(ctx.num_nodes, gradient.shape[1]).index_add_(0, ctx.rows, gradient)
        cast = {dtype: gradient.to(dtype) for dtype in set(ctx.dtypes)}
        return None, None, None, *(cast[dtype] for dtype in ctx.dtypes)

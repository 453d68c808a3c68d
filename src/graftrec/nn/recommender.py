"""Input, graph encoder and scorer: the whole model, in plain torch."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from graftrec.errors import InputError
from graftrec.graph.behaviours import BehaviourGraph
from graftrec.graph.graph import Graph
from graftrec.graph.views import Pass
from graftrec.nn.encoders.base import Encoder, LayersAt
from graftrec.nn.inputs.base import Input
from graftrec.nn.scorers import Cosine, Dot

Mix = Callable[[Sequence[Tensor], Tensor | None], Tensor]  # layers, rows or None for all


class AtRows(NamedTuple):
    """Some rows of a forward pass, [R, d]."""

    mixed: Tensor
    input: Tensor


@dataclass(frozen=True, eq=False)
class Embeddings:
    """One forward pass, made when it is asked for: L + 1 layers [N, d], users above items, that ``mix`` reduces to one.

    ``x0`` is its input. ``layers_at`` gives the layers at some rows alone, where that costs less; each call of ``at``
    is then a pass of its own. Noise and dropout are drawn when the layers are made. ``masked`` int64 [M] are the nodes
    whose input a view hid.
    """

    x0: Tensor
    make: Callable[[], Sequence[Tensor]]
    mix: Mix
    masked: Tensor | None = None
    layers_at: LayersAt | None = None

    @cached_property
    def layers(self) -> Sequence[Tensor]:
        """All layers, the first is the input."""
        return self.make()

    @cached_property
    def nodes(self) -> Tensor:
        """The result for all nodes, [N, d]."""
        return self.mix(self.layers, None)

    def at(self, rows: Tensor) -> AtRows:
        """The result and the input of some nodes, int64 [R], which may repeat. A step needs no more of them."""
        if self.layers_at is None:
            return AtRows(self.mix(self.layers, rows), self.x0.index_select(0, rows))
        different, places = rows.unique(return_inverse=True)
        layers = self.layers_at(different)
        return AtRows(self.mix(layers, None).index_select(0, places), layers[0].index_select(0, places))


class BehaviourMix(nn.Module):
    """How much each of T behaviours counts in the graph: a softmax of learned numbers, equal at the start."""

    def __init__(self, num_behaviours: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(num_behaviours))

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.logits)

    def weights(self) -> Tensor:
        """[T], of sum 1."""
        return self.logits.softmax(0)

    def forward(self, graph: Graph, hidden: tuple[Tensor, Tensor] | None = None) -> Graph:
        """The graph under these weights, without the edges of ``hidden`` users and items [B]."""
        assert isinstance(graph, BehaviourGraph)
        return graph.mixed(self.weights(), hidden)


class Recommender(nn.Module):
    """x0 from the input, L layers over the graph, mixed to one embedding a node.

    ``behaviours`` weighs the behaviours of a graph that has several.
    """

    def __init__(
        self, input: Input, encoder: Encoder, scorer: Dot | Cosine, behaviours: BehaviourMix | None = None
    ) -> None:
        super().__init__()
        self.input = input
        self.encoder = encoder
        self.scorer = scorer
        self.behaviours = behaviours

    def forward(self, graph: Graph, pairs: tuple[Tensor, Tensor] | None = None) -> Embeddings:
        """``pairs``: see ``weighed``."""
        return self.encode(Pass(self.weighed(graph, pairs), self.input()))

    def encode(self, start: Pass, whole: bool = False) -> Embeddings:
        """The forward pass from its input vectors on; ``whole``: more than some rows of it will be asked for."""
        make = partial(self.encoder, start.x0, start.graph, start.hook)
        # hooks change whole layers
        layers_at = None if whole or start.hooks else self.encoder.rows_alone(start.x0, start.graph)
        return Embeddings(start.x0, make, self.encoder.mixed, start.masked, layers_at)

    def weighed(self, graph: Graph, pairs: tuple[Tensor, Tensor] | None = None) -> Graph:
        """What the encoder sees: of several behaviours their mix, without ``pairs``, users and items [B] to learn."""
        return graph if self.behaviours is None else self.behaviours(graph, pairs)

    def factors(self, graph: Graph, pairs: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """User vectors [U, d] and item vectors [I, d] whose inner products are scores; ``pairs``: see ``weighed``."""
        return self.scorer.factors(*graph.space.split(self(graph, pairs).nodes))


def warn_of_unused_weights(encoder: Encoder, graph: Graph) -> None:
    """Say so where the graph has weights that the encoder has no place for."""
    if graph.weighted and not encoder.supports_edge_weight:
        warnings.warn(f"{encoder} does not use edge weights: weighting has no effect on it.", stacklevel=2)


def behaviour_mix(encoder: Encoder, graph: Graph) -> BehaviourMix | None:
    """Weights of the graph's behaviours, None where it knows of one kind; refuses encoders that cannot use them."""
    if not isinstance(graph, BehaviourGraph):
        return None
    if not encoder.mixes_behaviours:
        raise InputError(
            f"graph=behaviours mixes matrices, and {type(encoder).__name__} multiplies by none; "
            f"choose encoder=lightgcn, gcn or gin, or graph=bipartite with weighting=behaviour."
        )
    return BehaviourMix(len(graph.behaviours))

"""Input, graph encoder and scorer: the whole model, in plain torch."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from graftrec.graph.graph import Graph
from graftrec.graph.views import Pass
from graftrec.nn.encoders.base import Encoder
from graftrec.nn.inputs.base import Input
from graftrec.nn.scorers import Cosine, Dot


@dataclass(frozen=True, eq=False)
class Embeddings:
    """One forward pass: ``nodes`` [N, d], users above items, the mix of ``layers``, L + 1 tensors [N, d].

    ``masked`` int64 [M] are the nodes whose input a view hid.
    """

    nodes: Tensor
    layers: Sequence[Tensor] = ()
    masked: Tensor | None = None


class Recommender(nn.Module):
    """x0 from the input, L layers over the graph, mixed to one embedding a node."""

    def __init__(self, input: Input, encoder: Encoder, scorer: Dot | Cosine) -> None:
        super().__init__()
        self.input = input
        self.encoder = encoder
        self.scorer = scorer

    def forward(self, graph: Graph) -> Embeddings:
        return self.encode(Pass(graph, self.input()))

    def encode(self, start: Pass) -> Embeddings:
        """The forward pass from its input vectors on."""
        layers = self.encoder(start.x0, start.graph, start.hook)
        return Embeddings(self.encoder.mixed(layers), layers, start.masked)

    def factors(self, graph: Graph) -> tuple[Tensor, Tensor]:
        """User vectors [U, d] and item vectors [I, d] whose inner products are the scores."""
        return self.scorer.factors(*graph.space.split(self(graph).nodes))


def warn_of_unused_weights(encoder: Encoder, graph: Graph) -> None:
    """Say so where the graph has weights that the encoder has no place for."""
    if graph.weighted and not encoder.supports_edge_weight:
        warnings.warn(f"{encoder} does not use edge weights: weighting has no effect on it.", stacklevel=2)

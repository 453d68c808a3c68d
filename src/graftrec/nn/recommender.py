"""Input, graph encoder and scorer: the whole model, in plain torch."""

import warnings
from dataclasses import dataclass

from torch import Tensor, nn

from graftrec.graph.graph import Graph
from graftrec.nn.encoders.base import Encoder
from graftrec.nn.scorers import Cosine, Dot


@dataclass(frozen=True, eq=False)
class Embeddings:
    """One forward pass. ``x0`` [N, d] is the input, ``users`` [U, d] and ``items`` [I, d] the result."""

    x0: Tensor
    users: Tensor
    items: Tensor


class Recommender(nn.Module):
    """x0 from the input, L layers over the graph, mixed to one embedding a node."""

    def __init__(self, input: nn.Module, encoder: Encoder, scorer: Dot | Cosine) -> None:
        super().__init__()
        self.input = input
        self.encoder = encoder
        self.scorer = scorer

    def forward(self, graph: Graph) -> Embeddings:
        x0 = self.input()
        users, items = graph.space.split(self.encoder.mixed(self.encoder(x0, graph)))
        return Embeddings(x0, users, items)

    def factors(self, graph: Graph) -> tuple[Tensor, Tensor]:
        """User vectors [U, d] and item vectors [I, d] whose inner products are the scores."""
        embeddings = self(graph)
        return self.scorer.factors(embeddings.users, embeddings.items)


def warn_of_unused_weights(encoder: Encoder, graph: Graph) -> None:
    """Say so where the graph has weights that the encoder has no place for."""
    if graph.weighted and not encoder.supports_edge_weight:
        warnings.warn(f"{encoder} does not use edge weights: weighting has no effect on it.", stacklevel=2)

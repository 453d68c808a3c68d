"""What every loss term sees: one batch and one shared forward pass."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor

from graftrec.data.sampling import Positives
from graftrec.graph.node_space import NodeSpace
from graftrec.nn.recommender import Embeddings


@dataclass(frozen=True, eq=False)
class Batch:
    """Training pairs and their negatives, all int64."""

    users: Tensor  # [B]
    items: Tensor  # [B]
    negatives: Tensor  # [B, per_positive]
    shared: Tensor  # [S], negatives for the whole batch


class Rows(NamedTuple):
    """The vectors that a batch names."""

    users: Tensor  # [B, d]
    items: Tensor  # [B, d], the positives
    negatives: Tensor  # [B, per_positive, d]
    shared: Tensor  # [S, d]


@dataclass(frozen=True, eq=False)
class Step:
    """A batch, the vectors of all nodes, and the set of training positives.

    All terms share one propagation and one look-up of the batch's rows.
    """

    batch: Batch
    embeddings: Embeddings
    space: NodeSpace
    positives: Positives

    @cached_property
    def rows(self) -> Rows:
        """The batch's rows of the result."""
        return self._look_up(self.embeddings.nodes)

    @cached_property
    def input_rows(self) -> Rows:
        """The batch's rows of the input x0."""
        return self._look_up(self.embeddings.x0)

    def _look_up(self, vectors: Tensor) -> Rows:
        batch = self.batch
        items = (batch.items, batch.negatives.flatten(), batch.shared)
        nodes = [batch.users, *map(self.space.item_nodes, items)]
        found = vectors.index_select(0, torch.cat(nodes))
        users, positives, negatives, shared = found.split([len(part) for part in nodes])
        return Rows(users, positives, negatives.view(*batch.negatives.shape, vectors.shape[1]), shared)


class Term(Protocol):
    """A part of the loss. ``negatives`` is the kind that it needs: ``per_positive``, ``shared`` or none."""

    negatives: ClassVar[str | None]

    @property
    def whole_batch(self) -> str:
        """What to change so that the value is a mean over the batch's pairs; "" where it is one.

        Several processes may share the pairs of a mean: the mean of their means is that of the batch.
        """
        ...

    def __call__(self, step: Step) -> Tensor:
        """A scalar."""
        ...

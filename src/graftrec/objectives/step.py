"""What every loss term sees: one batch and one shared forward pass."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from graftrec.data.sampling import Positives
from graftrec.graph.node_space import NodeSpace
from graftrec.graph.views import Pass, View
from graftrec.nn.recommender import AtRows, Embeddings


@dataclass(eq=False)  # not frozen: Lightning's plugins for trainer.precision take no frozen batch
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
    """A batch, the forward pass that all terms share, and the set of training positives.

    ``start`` is a pass as no view has changed it, ``encode`` what makes vectors of a pass.
    """

    batch: Batch
    start: Pass
    embeddings: Embeddings
    positives: Positives
    encode: Callable[[Pass], Embeddings]

    @property
    def space(self) -> NodeSpace:
        return self.start.graph.space

    @cached_property
    def rows(self) -> Rows:
        """The batch's rows of the result."""
        return self._split(self._found.mixed)

    @cached_property
    def input_rows(self) -> Rows:
        """The batch's rows of the input x0, as no view has changed it."""
        if self.embeddings.x0 is self.start.x0:
            return self._split(self._found.input)
        return self._split(self.start.x0.index_select(0, torch.cat(self._nodes)))

    def view(self, view: View) -> Embeddings:
        """Another forward pass, changed by ``view``."""
        return self.encode(view(self.start))

    @cached_property
    def _nodes(self) -> list[Tensor]:
        """The nodes of users, positives, negatives and shared negatives."""
        items = (self.batch.items, self.batch.negatives.flatten(), self.batch.shared)
        return [self.batch.users, *map(self.space.item_nodes, items)]

    @cached_property
    def _found(self) -> AtRows:
        return self.embeddings.at(torch.cat(self._nodes))

    def _split(self, found: Tensor) -> Rows:
        users, positives, negatives, shared = found.split([len(part) for part in self._nodes])
        return Rows(users, positives, negatives.view(*self.batch.negatives.shape, found.shape[1]), shared)


class Term:
    """Base of the parts of the loss."""

    negatives: ClassVar[str | None] = None  # the kind that it needs: per_positive, shared or none
    passes: ClassVar[int] = 0  # forward passes beside the shared one
    graphs: ClassVar[int] = 0  # that it keeps beside the whole one
    whole: ClassVar[bool] = False  # asks for more of the shared pass than the batch's rows

    @property
    def whole_batch(self) -> str:
        """What to change so that the value is a mean over the batch's pairs; "" where it is one.

        Several processes may share the pairs of a mean: the mean of their means is that of the batch.
        """
        return ""

    def __call__(self, step: Step) -> Tensor:
        """A scalar."""
        raise NotImplementedError

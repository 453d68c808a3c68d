"""What every loss term sees: one batch and one shared forward pass."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

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


@dataclass(frozen=True, eq=False)
class Step:
    """A batch, the embeddings of all nodes, and the set of training positives."""

    batch: Batch
    embeddings: Embeddings
    space: NodeSpace
    positives: Positives

    @property
    def users(self) -> Tensor:
        """Embeddings of the batch's users [B, d]."""
        return self.embeddings.users.index_select(0, self.batch.users)

    @property
    def items(self) -> Tensor:
        """Embeddings of the batch's positives [B, d]."""
        return self.embeddings.items.index_select(0, self.batch.items)

    @property
    def negatives(self) -> Tensor:
        """Embeddings of the batch's negatives [B, per_positive, d]."""
        flat = self.embeddings.items.index_select(0, self.batch.negatives.reshape(-1))
        return flat.view(*self.batch.negatives.shape, flat.shape[-1])


class Term(Protocol):
    """A part of the loss. ``negatives`` is the kind that it needs: ``per_positive``, ``shared`` or none."""

    negatives: ClassVar[str | None]

    def __call__(self, step: Step) -> Tensor:
        """A scalar."""
        ...

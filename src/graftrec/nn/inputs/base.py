"""What an input is, and what it knows of the nodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from graftrec.errors import InputError
from graftrec.features.nodes import NodeFeatures
from graftrec.graph.node_space import NodeSpace


@dataclass(frozen=True, eq=False)
class Nodes:
    """The nodes of a graph, how often training has them, and their features."""

    space: NodeSpace
    degree: Tensor  # int64 [N], training interactions
    features: NodeFeatures

    @cached_property
    def has_text(self) -> np.ndarray:
        """Which nodes have features of their own, boolean [N]: users above items."""
        features, space = self.features, self.space
        blocks = (
            (features.user, features.user_present, space.num_users),
            (features.item, features.item_present, space.num_items),
        )
        parts = [
            np.full(size, vectors is not None) if present is None else present for vectors, present, size in blocks
        ]
        return np.concatenate(parts)

    @cached_property
    def cold(self) -> np.ndarray:
        """Nodes that training never sees, boolean [N]."""
        return self.degree.numpy() == 0

    def text(self, std: float = 0.0) -> Tensor:
        """Feature rows float32 [N, F], zero for a node without.

        ``std`` > 0 multiplies them by one number, so that their entries have that standard deviation over the nodes
        that have them.
        """
        features = self.features
        if features.item is None:
            raise InputError("This input reads text, but items have no features; choose features=minilm, or input=id.")
        width = features.item.shape[1]
        if features.user is not None and features.user.shape[1] != width:
            raise InputError(
                f"User features are {features.user.shape[1]} wide, item features {width}; "
                f"users and items share one projector: give both the same width."
            )
        rows = torch.zeros(self.space.num_nodes, width)
        for block, vectors in zip(self.space.split(rows), (features.user, features.item), strict=True):
            if vectors is not None:
                block.copy_(torch.from_numpy(vectors))
        if std > 0:
            own = rows if self.has_text.all() else rows[indices(self.has_text)]
            rows *= std / own.std().clamp(min=1e-12)
        return rows


class Input(nn.Module):
    """Base of all inputs: calling one without arguments gives x0 [N, d]."""

    node_tables: int = 0  # [N, d] kept for the gradient besides x0, for the estimate of memory

    def frozen(self, epoch: int) -> Sequence[nn.Parameter]:
        """The parameters that ``epoch`` (from 0) leaves as they are."""
        return ()


class FreeRows(nn.Module):
    """Trained vectors, drawn from normal(0, ``std``), in the place of some rows."""

    def __init__(self, replaced: np.ndarray, dim: int, std: float) -> None:
        super().__init__()
        rows = indices(replaced)
        self.register_buffer("rows", rows, persistent=False)
        self.rows: Tensor
        self.weight = nn.Parameter(torch.empty(len(rows), dim))
        self.std = std
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=self.std)

    def forward(self, x: Tensor) -> Tensor:
        """``x`` [N, d] with these rows in it."""
        return x.index_copy(0, self.rows, self.weight)


def free_rows(replaced: np.ndarray, dim: int, std: float) -> nn.Module:
    """``FreeRows`` where any node needs one, else nothing: no parameters, no random draw."""
    return FreeRows(replaced, dim, std) if replaced.any() else nn.Identity()


def indices(mask: np.ndarray) -> Tensor:
    """Where ``mask`` is true, int64."""
    return torch.from_numpy(np.flatnonzero(mask))

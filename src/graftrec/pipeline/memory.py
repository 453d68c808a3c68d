"""How much memory a training takes, told before it starts, and refused where there is less."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch.optim import SGD

from graftrec.errors import InputError

GIB: Final = 2**30


@dataclass(frozen=True)
class Layer:
    """What one layer of an encoder keeps for its gradient."""

    node_tables: int  # [N, d], besides its result
    edge_values: int = 0  # [E] for each head
    edge_tables: int = 0  # [E, d]


LAYERS: Final = {
    "Identity": Layer(0),
    "LightGCN": Layer(0),
    "GCN": Layer(3),
    "GIN": Layer(5),
    "GAT": Layer(5, edge_values=4),
    "GatedGCN": Layer(8, edge_tables=6),
}
UNKNOWN_LAYER: Final = Layer(5)


@dataclass(frozen=True)
class Sizes:
    """The numbers that decide a training's memory."""

    num_users: int
    num_items: int
    num_edges: int  # directed: two for each training pair
    dim: int
    num_layers: int
    encoder: str  # class name, a key of ``LAYERS``
    parameters: int
    optimizer_copies: int  # numbers that the optimizer keeps for each parameter: Adam 2
    batch_size: int
    negatives: int  # for each positive
    shared_negatives: int  # for each batch
    block_size: int  # users scored at once
    heads: int = 1
    feature_width: int = 0  # numbers in a text's vector; 0: no texts
    value_bytes: int = 4  # of parameters and activations
    propagated_bytes: int = 4  # of the layers after the input


@dataclass(frozen=True)
class Estimate:
    """GiB by name. ``kept`` lives throughout, of ``phases`` one at a time."""

    sizes: Sizes
    kept: dict[str, float]
    phases: dict[str, float]

    @property
    def total(self) -> float:
        """GiB that the training needs beyond what the process held before."""
        return sum(self.kept.values()) + max(self.phases.values())

    @property
    def largest(self) -> str:
        """The name of the largest part."""
        parts = {**self.kept, **self.phases}
        return max(parts, key=lambda name: parts[name])

    def __str__(self) -> str:
        kept, phases = (", ".join(f"{n} {gib:.2f}" for n, gib in part.items()) for part in (self.kept, self.phases))
        return f"about {self.total:.2f} GiB more for training ({kept}; one at a time: {phases})"


def estimate(sizes: Sizes) -> Estimate:
    """The memory of a training, from its sizes alone.

    Parameters, their gradient and the optimizer's copies; the graph in int64 and float32; text features and
    a copy; the pairs of an epoch. On top the largest of: a step (layers, their gradients, the batch's vectors),
    the ranking of a block of users, and the checkpoint that Lightning writes to memory first.
    """
    parameters = sizes.parameters * sizes.value_bytes
    kept = {
        "model and optimizer": parameters * (2 + sizes.optimizer_copies),
        "graph": sizes.num_edges * 32,
        "text features": 2 * (sizes.num_users + sizes.num_items) * sizes.feature_width * 4,
        "epoch": sizes.num_edges // 2 * 8,
    }
    phases = {
        "step": _step(sizes),
        "evaluation": _evaluation(sizes),
        "checkpoint": parameters * (1 + sizes.optimizer_copies),
    }
    return Estimate(sizes, *({name: size / GIB for name, size in part.items()} for part in (kept, phases)))


def _step(sizes: Sizes) -> int:
    """Bytes of layers, gradients and batch."""
    layer, numbers = LAYERS.get(sizes.encoder, UNKNOWN_LAYER), (sizes.num_users + sizes.num_items) * sizes.dim
    nodes = 5 * numbers * sizes.value_bytes  # the mixed layers, and gradients of nodes
    nodes += sizes.num_layers * numbers * (layer.node_tables * sizes.value_bytes + sizes.propagated_bytes)
    edges = layer.edge_values * sizes.heads * 4 + layer.edge_tables * sizes.dim * sizes.value_bytes
    rows = sizes.batch_size * (2 + sizes.negatives) + sizes.shared_negatives
    candidates = sizes.batch_size * sizes.shared_negatives  # one byte each: which are hidden
    return nodes + sizes.num_layers * sizes.num_edges * edges + 6 * rows * sizes.dim * sizes.value_bytes + candidates


def _evaluation(sizes: Sizes) -> int:
    """Bytes of the layers without gradients, of a block's scores and of the copy that is searched."""
    nodes = (sizes.num_layers + 2) * (sizes.num_users + sizes.num_items) * sizes.dim * sizes.value_bytes
    return nodes + 2 * sizes.block_size * sizes.num_items * 4

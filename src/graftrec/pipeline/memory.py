"""How much memory a training takes, told before it starts, and refused where there is less."""

import warnings
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from omegaconf import DictConfig

from graftrec.errors import InfeasibleError
from graftrec.features.adapt.memory import AdaptedSizes
from graftrec.pipeline import build
from graftrec.pipeline.available_memory import GIB
from graftrec.recommend.lists import CACHED, ON_DEVICE, users_at_once
from graftrec.training.datamodule import GraphDataModule

VALUE_BYTES: Final = {"bf16-true": 2, "64-true": 8}  # by trainer.precision
OPTIMIZER_COPIES: Final = {"SGD": 1, "Adagrad": 1, "RMSprop": 1}  # Adam and others: 2
ADVICE: Final = {
    "model and optimizer": "dim",
    "graph": "the data by filter.min_user and filter.min_item",
    "text features": "the vectors of the texts (another features.encoder), or take input=id features=none",
    "epoch": "the data by filter.min_user and filter.min_item",
    "step": "dim, encoder.num_layers or batch_size, or take encoder=lightgcn encoder.propagation_dtype=bfloat16",
    "evaluation": "dim or encoder.num_layers",
    "checkpoint": "dim",
    "adapting the language model": "adapt.batch_size or features.encoder.max_tokens, or take adapt=lora or adapt=none",
}


@dataclass(frozen=True)
class Sizes:
    """The numbers that decide a training's memory."""

    num_users: int
    num_items: int
    num_edges: int  # directed: two for each training pair
    dim: int
    num_layers: int
    encoder: str  # class name
    parameters: int
    optimizer_copies: int  # numbers that the optimizer keeps for each parameter: Adam 2
    batch_size: int
    negatives: int  # for each positive
    shared_negatives: int  # for each batch
    scored_users: int  # at once
    node_tables: int = 0  # [N, d] that a layer keeps for its gradient, besides its result
    edge_values: int = 0  # [E] that a layer keeps for its gradient, for each head
    heads: int = 1
    feature_width: int = 0  # numbers in a text's vector; 0: no texts
    text_width: int = 0  # numbers in a text's vector before conditioning; 0: they are not changed
    input_tables: int = 0  # [N, d] that the input keeps for its gradient, besides its result
    projector_width: int = 0  # numbers in the hidden layer between a text's vector and the node's; 0: none
    value_bytes: int = 4  # of parameters and activations
    propagated_bytes: int = 4  # of the layers after the input
    passes: int = 1  # forward passes in a step
    graphs: int = 1  # the whole one and those of views
    in_batch: bool = False  # whether the batch's items are candidates for each of its pairs


@dataclass(frozen=True)
class Estimate:
    """GiB by name. ``kept`` lives throughout, of ``phases`` one at a time; ``before`` is over when these begin."""

    sizes: Sizes
    kept: dict[str, float]
    phases: dict[str, float]
    before: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """GiB that the training needs beyond what the process held before."""
        return max(sum(self.before.values()), self._training)

    @property
    def _training(self) -> float:
        return sum(self.kept.values()) + max(self.phases.values())

    @property
    def largest(self) -> str:
        """The name of the largest part."""
        parts = self.before if sum(self.before.values()) > self._training else {**self.kept, **self.phases}
        return max(parts, key=lambda name: parts[name])

    def __str__(self) -> str:
        before, kept, phases = (
            ", ".join(f"{name} {gib:.2f}" for name, gib in part.items() if gib >= 0.005)
            for part in (self.before, self.kept, self.phases)
        )
        parts = "; and one at a time: ".join(filter(None, (kept, phases)))
        parts = "; then ".join(filter(None, (before, parts)))
        return f"about {self.total:.2f} GiB more" + (f" ({parts})" if parts else "")


def estimate(sizes: Sizes, adapted: AdaptedSizes | None = None) -> Estimate:
    """The memory of a training, and of adapting the language model before it, from their sizes alone.

    Parameters, their gradient and the optimizer's copies; the graph in int64 and float32; text features and
    a copy, and those of items before conditioning; the pairs of an epoch. On top the largest of: a step (layers,
    their gradients, the batch's vectors), the ranking of a block of users, and the checkpoint that Lightning writes
    to memory first.

    Together with what the process holds before, this is within a factor of 1.5 of the process's peak on a CPU: 0.88 to
    1.33 on movielens_small, gowalla, synthetic graphs of 0.6 to 4 million edges (all encoders, with and without
    texts) and one of 28 million. Freed memory that is reused makes small trainings cheaper than estimated.
    """
    parameters = sizes.parameters * sizes.value_bytes
    num_nodes = sizes.num_users + sizes.num_items
    kept = {
        "model and optimizer": parameters * (2 + sizes.optimizer_copies),
        "graph": sizes.graphs * sizes.num_edges * 32,
        "text features": 4 * (2 * num_nodes * sizes.feature_width + sizes.num_items * sizes.text_width),
        "epoch": sizes.num_edges // 2 * 8,
    }
    phases = {
        "step": _step(sizes),
        "evaluation": _evaluation(sizes),
        "checkpoint": parameters * (1 + sizes.optimizer_copies),
    }
    before = {} if adapted is None else {"adapting the language model": adapted.bytes}
    return Estimate(sizes, *({name: size / GIB for name, size in part.items()} for part in (kept, phases, before)))


def _step(sizes: Sizes) -> int:
    """Bytes of layers, gradients and batch."""
    numbers = (sizes.num_users + sizes.num_items) * sizes.dim
    tables = 7 + sizes.input_tables  # the mixed layers, gradients of nodes, and gaps between freed tensors
    nodes = tables * numbers * sizes.value_bytes
    layer = numbers * (sizes.node_tables * sizes.value_bytes + sizes.propagated_bytes)
    nodes += sizes.passes * sizes.num_layers * layer + (sizes.passes - 1) * numbers * sizes.value_bytes
    edges = sizes.edge_values * sizes.heads * 4
    rows = sizes.batch_size * (2 + sizes.negatives) + sizes.shared_negatives
    nodes += 3 * (sizes.num_users + sizes.num_items) * sizes.projector_width * sizes.value_bytes
    candidates = sizes.shared_negatives + sizes.batch_size * sizes.in_batch  # one byte a pair: which are hidden
    edges *= sizes.passes * sizes.num_layers * sizes.num_edges
    return nodes + edges + 6 * rows * sizes.dim * sizes.value_bytes + sizes.batch_size * candidates


def _evaluation(sizes: Sizes) -> int:
    """Bytes of the layers without gradients, of a block's scores and of the copy that is searched."""
    nodes = (sizes.num_layers + 2) * (sizes.num_users + sizes.num_items) * sizes.dim * sizes.value_bytes
    return nodes + 2 * sizes.scored_users * sizes.num_items * 4


def on_gpu(config: DictConfig) -> bool:
    """Whether Lightning's Trainer will take an NVIDIA GPU."""
    return config.trainer.accelerator in ("gpu", "cuda", "auto") and torch.cuda.is_available()


def check_memory(
    config: DictConfig, data: GraphDataModule[Any], available: float | None, adapted: AdaptedSizes | None = None
) -> None:
    """Print what the training will take of the ``available`` GiB (None: unknown); refuse what does not fit.

    ``memory_check=false`` lets it go on.
    """
    needed = estimate(sizes_of(config, data), adapted)
    there_is = "an unknown amount is" if available is None else f"{available:.2f} GiB are"
    print(f"memory: training takes {needed}; {there_is} available", flush=True)
    if config.get("memory_check", True):  # runs of earlier versions have no such setting
        refuse_too_large(needed, available)


def refuse_too_large(needed: Estimate, available: float | None) -> None:
    """Refuse an estimate above the ``available`` GiB; None: nobody knows."""
    if available is None or needed.total <= available:
        return
    sizes = needed.sizes
    raise InfeasibleError(
        f"This training takes {needed}: {sizes.num_users:,} users and {sizes.num_items:,} items of dim {sizes.dim:,}, "
        f"{sizes.num_edges:,} edges, layers of {sizes.encoder}: {sizes.num_layers}, {sizes.parameters:,} parameters. "
        f"Only {available:.2f} GiB are available. The largest part is {needed.largest!r}: make smaller "
        f"{ADVICE[needed.largest]}. To go on anyway: memory_check=false."
    )


def sizes_of(config: DictConfig, data: GraphDataModule[Any]) -> Sizes:
    """What the configuration makes of the data, counted on a model without memory."""
    with torch.device("meta"), warnings.catch_warnings(action="ignore"):
        module = build.build_module(config, data)
    value_bytes = VALUE_BYTES.get(str(config.trainer.precision), 4)
    scores = ON_DEVICE if on_gpu(config) else CACHED
    encoded = getattr(data.test, "features", None)
    encoder, space, sampler = module.recommender.encoder, data.graph.space, data.batches.sampler
    return Sizes(
        space.num_users,
        space.num_items,
        data.graph.num_edges,
        dim=config.dim,
        num_layers=encoder.num_layers,
        encoder=type(encoder).__name__,
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        optimizer_copies=OPTIMIZER_COPIES.get(config.optimizer._target_.split(".")[-1], 2),
        batch_size=min(config.batch_size, len(data.batches.positives)),
        negatives=sampler.per_positive,
        shared_negatives=sampler.shared,
        scored_users=min(users_at_once(space.num_items, scores), space.num_users),
        node_tables=encoder.node_tables,
        edge_values=encoder.edge_values,
        heads=config.encoder.get("heads", 1),
        feature_width=_width(data.features.item),
        text_width=_width(encoded) if config.get("conditioning") else 0,
        input_tables=module.recommender.input.node_tables,
        projector_width=config.input.get("hidden", 0) if config.input.get("projector") == "mlp" else 0,
        value_bytes=value_bytes,
        passes=module.passes,
        graphs=module.graphs,
        in_batch=any(term.get("in_batch", False) for term in config.objective.terms.values()),
        propagated_bytes=2 if config.encoder.get("propagation_dtype") == "bfloat16" else value_bytes,
    )


def _width(vectors: np.ndarray | None) -> int:
    return 0 if vectors is None else vectors.shape[1]

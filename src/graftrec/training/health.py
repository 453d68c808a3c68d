"""Health of a recommender's vectors while it learns."""

from typing import Final

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from graftrec.errors import InputError
from graftrec.features.geometry import effective_rank
from graftrec.metrics.representation import alignment, co_neighbours, drift, smoothness, uniformity
from graftrec.nn.inputs.initialised import InitialisedInput
from graftrec.training.base import GraphModule

SAMPLE: Final = 1024  # nodes of a kind, pairs
SMOOTHED: Final = 4096  # pairs of neighbours


class Health(Callback):
    """Measures every ``every_n_epochs``-th validated epoch on a sample that is the same in every epoch and run.

    ``health/alignment`` of training pairs; ``health/uniformity``, the mean of users' and items' (DirectAU, KDD 2022,
    equation 5); ``health/user_rank`` and ``item_rank``, effective ranks; ``health/smoothness/<layer>`` of nodes with a
    neighbour in common, layer 0 being the input; with input=init ``health/drift`` from the language model's vectors.
    """

    def __init__(self, every_n_epochs: int = 1) -> None:
        if every_n_epochs < 1:
            raise InputError(f"callbacks.health.every_n_epochs={every_n_epochs} must be 1 or more.")
        self.every_n_epochs = every_n_epochs

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, GraphModule)
        generator, positives = np.random.default_rng(0), pl_module.batches.positives
        rows = torch.from_numpy(np.sort(generator.choice(len(positives), min(SAMPLE, len(positives)), replace=False)))
        self.pairs = positives.users[rows], positives.items[rows]
        space = pl_module.graph.space
        self.users, self.items = (_some(size, generator) for size in (space.num_users, space.num_items))
        self.neighbours = co_neighbours(pl_module.graph.adjacency, SMOOTHED, generator)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The module is in evaluation mode, without gradients."""
        due = (trainer.current_epoch + 1) % self.every_n_epochs == 0
        if due and trainer.is_global_zero and not trainer.sanity_checking:
            assert isinstance(pl_module, GraphModule)
            values = self.measure(pl_module)
            pl_module.log_dict({f"health/{name}": value for name, value in values.items()}, batch_size=1)

    def measure(self, module: GraphModule) -> dict[str, float]:
        """All values by name."""
        embeddings = module.recommender(module.graph)
        users, items = (block.float() for block in module.graph.space.split(embeddings.nodes))
        some = users[self.users], items[self.items]
        values = {
            "alignment": alignment(users[self.pairs[0]], items[self.pairs[1]]),
            "uniformity": sum(map(uniformity, some)) / 2,
            "user_rank": effective_rank(_array(some[0])),
            "item_rank": effective_rank(_array(some[1])),
        }
        for index, layer in enumerate(embeddings.layers):
            values[f"smoothness/{index}"] = smoothness(layer, self.neighbours)
        if isinstance(module.recommender.input, InitialisedInput):
            values["drift"] = drift(embeddings.layers[0], module.recommender.input.start)
        return values


def _some(size: int, generator: np.random.Generator) -> Tensor:
    return torch.from_numpy(np.sort(generator.choice(size, min(SAMPLE, size), replace=False)))


def _array(rows: Tensor) -> np.ndarray:
    return rows.double().cpu().numpy()

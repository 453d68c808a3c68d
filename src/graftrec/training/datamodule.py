"""Training pairs in shuffled batches, and held-out parts in blocks."""

from collections.abc import Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from graftrec.data.sampling import NegativeSampler, Positives
from graftrec.features.nodes import NodeFeatures
from graftrec.graph.graph import Graph
from graftrec.nn.inputs.base import Nodes
from graftrec.objectives.step import Batch


class HeldOut(Protocol):
    """What a trained model is judged by: a validation or test part."""

    def blocks(self) -> Sequence[Any]:
        """What the module judges at once, such as users."""
        ...


Part = TypeVar("Part", bound=HeldOut)


class EpochBatches:
    """The batches of one epoch, a function of (seed, epoch) alone, so that a resumed run sees the same.

    Batches are slices of index tensors: no worker processes, no per-example Python.
    """

    def __init__(self, positives: Positives, sampler: NegativeSampler, batch_size: int, seed: int) -> None:
        self.positives = positives
        self.sampler = sampler
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return -(-len(self.positives) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        state = np.random.SeedSequence([self.seed, self.epoch]).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(state >> np.uint64(1)))
        for rows in self.positives.epoch(generator).split(self.batch_size):
            users, items = self.positives.users[rows], self.positives.items[rows]
            yield Batch(
                users,
                items,
                self.sampler.for_pairs(self.positives, users, generator),
                self.sampler.draw(self.positives, (self.sampler.shared,), generator),
            )


class GraphDataModule(pl.LightningDataModule, Generic[Part]):
    """Wraps the sparse bipartite graph, its node features, the training positives and the held-out parts."""

    def __init__(
        self,
        graph: Graph,
        features: NodeFeatures,
        batches: EpochBatches,
        validation: Part,
        test: Part,
    ) -> None:
        super().__init__()
        self.graph = graph
        self.features = features
        self.batches = batches
        self.validation = validation
        self.test = test

    @property
    def nodes(self) -> Nodes:
        """What an input knows of the nodes."""
        positives = self.batches.positives
        return Nodes(self.graph.space, torch.cat([positives.user_degree, positives.item_degree]), self.features)

    def train_dataloader(self) -> EpochBatches:
        return self.batches

    def val_dataloader(self) -> DataLoader[Any]:
        return _blocks(self.validation)

    def test_dataloader(self) -> DataLoader[Any]:
        return _blocks(self.test)

    def transfer_batch_to_device(self, batch: object, device: torch.device, dataloader_idx: int) -> object:
        if isinstance(batch, Batch):
            return Batch(*(tensor.to(device) for tensor in vars(batch).values()))
        return super().transfer_batch_to_device(batch, device, dataloader_idx)


def _blocks(part: HeldOut) -> DataLoader[Any]:
    """One loader over the blocks (Lightning takes a bare list for several loaders)."""
    return DataLoader(part.blocks(), batch_size=None)  # type: ignore[arg-type]

"""What every training of a recommender shares."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from graftrec.nn.recommender import Recommender
from graftrec.objectives.step import Batch
from graftrec.training.datamodule import GraphDataModule

OptimizerFactory = Callable[..., torch.optim.Optimizer]
SchedulerFactory = Callable[..., torch.optim.lr_scheduler.LRScheduler]


class GraphModule(pl.LightningModule):
    """A recommender over one graph, its optimizer, and random numbers that a resumed run draws again.

    ``optimizer`` and ``scheduler`` are factories; the scheduler gets ``total_steps`` and is stepped after
    every batch. ``seed`` and the step's number (with accumulated gradients the batch's, too) seed dropout and views.
    """

    passes: int = 1  # forward passes in a step
    graphs: int = 1  # in memory: the whole one and those of views

    def __init__(
        self,
        recommender: Recommender,
        data: GraphDataModule[Any],
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory,
        seed: int,
    ) -> None:
        super().__init__()
        self.recommender = recommender
        self.graph = data.graph
        self.batches = data.batches
        self.make_optimizer = optimizer
        self.make_scheduler = scheduler
        self.seed = seed
        self._losses: dict[str, Tensor] = {}  # sums over the epoch's pairs
        self._num_pairs = 0

    def configure_optimizers(self) -> Any:
        optimizer = self.make_optimizer(self.parameters())
        total_steps = int(self.trainer.estimated_stepping_batches)
        scheduler = self.make_scheduler(optimizer, total_steps=total_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Without a gradient, the optimizer leaves a frozen parameter alone: no momentum, no weight decay."""
        for parameter in self.recommender.input.frozen(self.current_epoch):
            parameter.grad = None

    def warn_of_nothing_to_train(self) -> None:
        """Say so where all parameters are frozen in the first epoch."""
        frozen = set(self.recommender.input.frozen(epoch=0))
        if frozen.issuperset(self.parameters()):
            warnings.warn(
                "Nothing is trained while the input is frozen: the encoder has no weights of its own.", stacklevel=2
            )

    def on_train_epoch_start(self) -> None:
        self.batches.epoch = self.current_epoch
        self._losses, self._num_pairs = {}, 0

    def add_losses(self, losses: Mapping[str, Tensor], num_pairs: int) -> None:
        """Count means over ``num_pairs`` into the epoch's means (cheaper than Lightning's log at every step)."""
        for name, value in losses.items():
            wide = value.detach().to(torch.promote_types(value.dtype, torch.float32))  # 16 bits cannot sum an epoch
            self._losses[name] = self._losses.get(name, 0) + wide * num_pairs
        self._num_pairs += num_pairs

    def on_train_epoch_end(self) -> None:
        num_pairs = self._of_all_processes(torch.tensor(self._num_pairs, device=self.device))
        self.log_dict({name: self._of_all_processes(total) / num_pairs for name, total in self._losses.items()})

    def _of_all_processes(self, value: Tensor) -> Tensor:
        return self.trainer.strategy.reduce(value, reduce_op="sum")

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        batches = self.trainer.accumulate_grad_batches > 1  # then several share a step
        key = [self.seed, self.global_step, *([batch_idx] if batches else [])]
        seed = int(np.random.SeedSequence(key).generate_state(1)[0])
        torch.default_generator.manual_seed(seed)  # torch.manual_seed takes 1 ms a step where there is no GPU
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

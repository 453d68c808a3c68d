"""What every epoch of a training takes."""

import time
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from graftrec.training.peak_memory import peak_memory_gib


class EpochCosts(Callback):
    """Logged once an epoch: ``train/lr`` at its first step; ``cost/epoch_seconds`` with validation.

    ``cost/examples_per_second``: training pairs by the seconds of the steps alone. ``cost/peak_gib``: largest resident
    memory of training until now, and where there is an NVIDIA GPU ``cost/gpu_peak_gib`` that tensors took there.
    """

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.lr = trainer.optimizers[0].param_groups[0]["lr"]
        self.examples = 0
        self.start = self.trained = time.perf_counter()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, n: int
    ) -> None:
        self.examples += len(batch.users)
        if trainer.is_last_batch and pl_module.device.type == "cuda":
            torch.cuda.synchronize(pl_module.device)
        self.trained = time.perf_counter()  # of every batch: max_time may end an epoch before its last

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        values = {
            "train/lr": self.lr,
            "cost/epoch_seconds": time.perf_counter() - self.start,
            "cost/examples_per_second": self.examples / (self.trained - self.start),
            "cost/peak_gib": peak_memory_gib(),
        }
        if pl_module.device.type == "cuda":
            values["cost/gpu_peak_gib"] = torch.cuda.max_memory_allocated(pl_module.device) / 2**30
        pl_module.log_dict(values, batch_size=1)

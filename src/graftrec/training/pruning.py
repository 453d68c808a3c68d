"""Ending a hopeless training early."""

import math
from typing import Protocol

from pytorch_lightning import Callback, LightningModule, Trainer


class Pruned(Exception):
    """The run is no better than others were at this epoch."""


class Judge(Protocol):
    """Compares a value with those of other runs; Optuna's trials do."""

    def report(self, value: float, step: int) -> None: ...

    def should_prune(self) -> bool: ...


class Pruning(Callback):
    """Tells ``judge`` the ``monitor`` after every validation, and raises ``Pruned`` where it says so."""

    def __init__(self, judge: Judge, monitor: str) -> None:
        self.judge = judge
        self.monitor = monitor

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        value = float(trainer.callback_metrics[self.monitor])
        if trainer.sanity_checking or not math.isfinite(value):
            return
        self.judge.report(value, trainer.current_epoch + 1)
        if self.judge.should_prune():
            raise Pruned(f"pruned after epoch {trainer.current_epoch + 1}: {self.monitor} is {value:.4f}")

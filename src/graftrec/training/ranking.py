"""Training by ranking losses, judged by full ranking."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from graftrec.metrics.ranking import RankingMetrics, RankingResult
from graftrec.nn.recommender import Recommender
from graftrec.objectives.objective import Objective
from graftrec.objectives.step import Batch, Step
from graftrec.recommend.evaluation import RankingTask
from graftrec.recommend.scoring import FactorScorer
from graftrec.training.datamodule import GraphDataModule

OptimizerFactory = Callable[..., torch.optim.Optimizer]
SchedulerFactory = Callable[..., torch.optim.lr_scheduler.LRScheduler]


class RankingModule(pl.LightningModule):
    """One propagation a step, shared by all loss terms; one encoding a validation, shared by all users.

    ``optimizer`` and ``scheduler`` are factories; the scheduler gets ``total_steps`` and is stepped after
    every batch. ``seed`` and the step's number seed dropout, so that a resumed run draws the same.
    """

    def __init__(
        self,
        recommender: Recommender,
        objective: Objective,
        data: GraphDataModule,
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory,
        seed: int,
    ) -> None:
        super().__init__()
        self.recommender = recommender
        self.objective = objective
        self.graph = data.graph
        self.positives = data.batches.positives
        self.batches = data.batches
        self.tasks = {"valid": data.validation, "test": data.test}
        self.make_optimizer = optimizer
        self.make_scheduler = scheduler
        self.seed = seed
        self.results: dict[str, RankingResult] = {}
        self._scorer: FactorScorer | None = None
        self._metrics: RankingMetrics | None = None

    def configure_optimizers(self) -> Any:
        optimizer = self.make_optimizer(self.parameters())
        total_steps = int(self.trainer.estimated_stepping_batches)
        scheduler = self.make_scheduler(optimizer, total_steps=total_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_fit_start(self) -> None:
        self.positives = self.positives.to(self.device)

    def on_train_epoch_start(self) -> None:
        self.batches.epoch = self.current_epoch

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        torch.manual_seed(int(np.random.SeedSequence([self.seed, self.global_step]).generate_state(1)[0]))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        step = Step(batch, self.recommender(self.graph), self.graph.space, self.positives)
        loss, terms = self.objective(step)
        logged = {"train/loss": loss, **{f"train/loss/{name}": value for name, value in terms.items()}}
        self.log_dict(
            {name: value.detach() for name, value in logged.items()},
            on_step=False,
            on_epoch=True,
            batch_size=len(batch.users),
        )
        return loss

    def on_validation_epoch_start(self) -> None:
        self._start("valid")

    def validation_step(self, users: Tensor, batch_idx: int) -> None:
        self._rank(self.tasks["valid"], users)

    def on_validation_epoch_end(self) -> None:
        self._finish("valid")

    def on_test_epoch_start(self) -> None:
        self._start("test")

    def test_step(self, users: Tensor, batch_idx: int) -> None:
        self._rank(self.tasks["test"], users)

    def on_test_epoch_end(self) -> None:
        self._finish("test")

    def _start(self, part: str) -> None:
        self._scorer = FactorScorer(*self.recommender.factors(self.graph))
        self._metrics = self.tasks[part].metrics()

    def _rank(self, task: RankingTask, users: Tensor) -> None:
        assert self._scorer is not None
        assert self._metrics is not None
        self._metrics.update(users, task.lists(self._scorer, users))

    def _finish(self, part: str) -> None:
        assert self._metrics is not None
        self.results[part] = self._metrics.compute()
        self.log_dict({f"{part}/{name}": value for name, value in self.results[part].values.items()})
        self._scorer = self._metrics = None

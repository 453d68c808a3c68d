"""Training by binary cross-entropy, judged by classification."""

import torch
import torch.nn.functional as F
from torch import Tensor

from graftrec.errors import InputError
from graftrec.nn.heads import Head
from graftrec.nn.recommender import Recommender
from graftrec.objectives.step import Batch
from graftrec.recommend.interest import InterestTask, PairScorer
from graftrec.training.base import GraphModule, OptimizerFactory, SchedulerFactory
from graftrec.training.datamodule import GraphDataModule
from graftrec.training.processes import part_of


class InterestModule(GraphModule):
    """P(interest) = sigmoid(head(u, i)) over the recommender's user and item vectors.

    loss = mean binary cross-entropy over the batch's positives and their ``per_positive`` negatives.
    """

    def __init__(
        self,
        recommender: Recommender,
        head: Head,
        data: GraphDataModule[InterestTask],
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory,
        seed: int,
    ) -> None:
        super().__init__(recommender, data, optimizer, scheduler, seed)
        if data.batches.sampler.per_positive < 1:
            raise InputError("task=interest learns from negatives, and negatives.per_positive=0: set it to 1 or more.")
        self.head = head
        self.tasks = {"valid": data.validation, "test": data.test}
        self._scorer: PairScorer | None = None

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        part = part_of(batch, self.trainer)
        loss = self.loss(part.batch, (batch.users, batch.items))
        self.add_losses({"train/loss": loss}, part.num_pairs)
        return part.weight * loss

    def loss(self, batch: Batch, pairs: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Mean cross-entropy over the pairs of ``batch`` and their negatives; ``pairs`` are those of all processes."""
        users, items = self.recommender.factors(self.graph, pairs)
        wanted = torch.cat([batch.items[:, None], batch.negatives], dim=1)  # [B, 1 + per_positive]
        owners = batch.users.repeat_interleave(wanted.shape[1])
        logits = self.head(users.index_select(0, owners), items.index_select(0, wanted.flatten())).view_as(wanted)
        labels = torch.zeros_like(logits)
        labels[:, 0] = 1
        return F.binary_cross_entropy_with_logits(logits, labels)

    def on_validation_epoch_start(self) -> None:
        self._encode()

    def validation_step(self, kind: str, batch_idx: int) -> None:
        values = self.tasks["valid"].judge(self._encoded, kind) if self.trainer.is_global_zero else {}
        self._log("valid", kind, self.trainer.strategy.broadcast(values))

    def on_test_epoch_start(self) -> None:
        self._encode()

    def test_step(self, kind: str, batch_idx: int) -> None:
        threshold = self.tasks["valid"].judge(self._encoded, kind)["threshold"]
        self._log("test", kind, self.tasks["test"].judge(self._encoded, kind, threshold))

    @property
    def _encoded(self) -> PairScorer:
        assert self._scorer is not None
        return self._scorer

    def _encode(self) -> None:
        self._scorer = PairScorer(self.head, *self.recommender.factors(self.graph))

    def _log(self, part: str, kind: str, values: dict[str, float]) -> None:
        self.log_dict({f"{part}/{kind}/{name}": value for name, value in values.items()}, batch_size=1)

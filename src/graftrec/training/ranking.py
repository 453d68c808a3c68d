"""Training by ranking losses, judged by full ranking."""

from torch import Tensor

from graftrec.graph.views import Pass
from graftrec.metrics.ranking import CandidateMetrics, RankingMetrics, RankingResult
from graftrec.nn.recommender import Recommender
from graftrec.objectives.objective import Objective
from graftrec.objectives.step import Batch, Step
from graftrec.recommend.evaluation import RankingTask
from graftrec.scoring import FactorScorer
from graftrec.training.base import GraphModule, OptimizerFactory, SchedulerFactory
from graftrec.training.datamodule import GraphDataModule
from graftrec.training.processes import of_all, own_users, part_of


class RankingModule(GraphModule):
    """One propagation a step, shared by all loss terms, and those of their views.

    One encoding a validation, shared by all users, without views.
    """

    def __init__(
        self,
        recommender: Recommender,
        objective: Objective,
        data: GraphDataModule[RankingTask],
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory,
        seed: int,
    ) -> None:
        super().__init__(recommender, data, optimizer, scheduler, seed)
        self.objective = objective
        self.passes, self.graphs = objective.passes, objective.graphs
        self.positives = data.batches.positives
        self.tasks = {"valid": data.validation, "test": data.test}
        self.results: dict[str, RankingResult] = {}
        self._scorer: FactorScorer | None = None
        self._metrics: RankingMetrics | CandidateMetrics | None = None

    def on_fit_start(self) -> None:
        self.positives = self.positives.to(self.device)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        part = part_of(batch, self.trainer)
        graph = self.recommender.weighed(self.graph, (batch.users, batch.items))
        start = Pass(graph, self.recommender.input(), (self.seed, self.current_epoch))
        shared = self.recommender.encode(self.objective.view(start), self.objective.whole)
        step = Step(part.batch, start, shared, self.positives, self.recommender.encode)
        loss, terms = self.objective(step)
        named = {"train/loss": loss, **{f"train/loss/{name}": value for name, value in terms.items()}}
        self.add_losses(named, part.num_pairs)
        return part.weight * loss

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
        lists = task.lists(self._scorer, own_users(users, self.trainer))
        self._metrics.update(users, of_all(lists, self.trainer))

    def _finish(self, part: str) -> None:
        assert self._metrics is not None
        self.results[part] = self._metrics.compute()
        self.log_dict({f"{part}/{name}": value for name, value in self.results[part].values.items()})
        self._scorer = self._metrics = None

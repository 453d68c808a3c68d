"""``task=ranking``: the whole catalogue in order for every user."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from omegaconf import DictConfig
from torch import Tensor

from graftrec.data.dataset import Dataset
from graftrec.data.files import check_writable, written
from graftrec.errors import check_choice
from graftrec.graph.views import Pass
from graftrec.metrics.ranking import RankingResult
from graftrec.nn.recommender import Embeddings
from graftrec.objectives.step import Step
from graftrec.pipeline import build
from graftrec.pipeline.available_memory import available_memory_gib
from graftrec.pipeline.baselines import Baselines
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.task import Factors, Prepared
from graftrec.recommend.evaluation import RankingProtocol, RankingTask, evaluate
from graftrec.recommend.examples import examples
from graftrec.scoring import FactorScorer, Scorer
from graftrec.training.datamodule import GraphDataModule
from graftrec.training.ranking import RankingModule

if TYPE_CHECKING:
    from graftrec.pipeline.run import Run


class Ranking:
    """Trained by ``objective``, judged by ``evaluation``, beside ``baselines``."""

    name = "ranking"
    choices = ("encoder", "input", "features", "objective")
    ignores = ("head",)
    files = ()

    def negatives(self, config: DictConfig) -> set[str]:
        terms = build.instantiate(config.objective.terms)
        used = [term for name, term in terms.items() if config.objective.weights.get(name)]
        kinds = [getattr(term, "func", term).negatives for term in used]  # of a partial term: its class's
        return {kind for kind in kinds if kind}

    def held_out(
        self, config: DictConfig, dataset: Dataset, features: np.ndarray | None
    ) -> tuple[RankingTask, RankingTask]:
        protocol: RankingProtocol = build.instantiate(config.evaluation)
        return protocol.validation(dataset, features), protocol.test(dataset, features)

    def module(self, config: DictConfig, data: GraphDataModule[RankingTask]) -> RankingModule:
        return RankingModule(
            build.build_recommender(config, data),
            build.build_objective(config, data.features),
            data,
            build.instantiate(config.optimizer),
            build.instantiate(config.scheduler),
            config.seed,
        )

    def rehearse(self, config: DictConfig, module: RankingModule, data: GraphDataModule[RankingTask]) -> list[str]:
        if build.num_processes(config) > 1:
            module.objective.check_shareable()
        with torch.no_grad():
            x0 = module.recommender.input()
            module.objective(_outline_of_a_step(module, x0, data))
        user = data.validation.blocks()[0][:1]
        metrics = data.validation.metrics()
        metrics.update(user, data.validation.lists(FactorScorer(*data.graph.space.split(x0)), user))
        names = list(metrics.compute().values)
        if config.baselines:
            baselines: Baselines = build.instantiate(config.baselines)
            known = sorted({name.split("@")[0] for name in names if "@" in name})
            check_choice("baselines.metric", baselines.metric, known)
            if config.get("memory_check", True):
                positives = data.batches.positives
                degrees = (positives.user_degree.numpy(), positives.item_degree.numpy())
                for tuned in baselines.models.values():
                    tuned.check_memory(*degrees, available_memory_gib())
            check_writable(_cache(config), "paths.cache")
        return names

    def write(
        self, module: RankingModule, factors: Factors, prepared: Prepared, run: RunFolder
    ) -> dict[str, RankingResult]:
        test, scorer = module.results["test"], FactorScorer(*factors)
        write_test(test, scorer, prepared.data.test, prepared.dataset, run)
        return {"test": test, "valid": evaluate(scorer, prepared.data.validation)}

    def baselines(self, config: DictConfig, prepared: Prepared) -> dict[str, Any]:
        return baselines_beside(config, prepared.dataset, prepared.data.test.features)

    def scorer(self, run: "Run", factors: Factors) -> FactorScorer:
        return FactorScorer(*factors)

    def evaluate(self, run: "Run", **changes: Any) -> dict[str, RankingResult]:
        return {part: evaluate(run.scorer, task) for part, task in held_out_tasks(run, **changes).items()}


def held_out_tasks(run: "Run", **changes: Any) -> dict[str, RankingTask]:
    """What a finished run is judged by; ``changes`` of its evaluation's settings."""
    protocol: RankingProtocol = build.instantiate(run.config.evaluation, **changes)
    data = (run.dataset, run.item_features)
    return {"test": protocol.test(*data), "valid": protocol.validation(*data)}


def write_test(result: RankingResult, scorer: Scorer, task: RankingTask, dataset: Dataset, run: RunFolder) -> None:
    """Metrics by degree, and of every user; lists of a few users."""
    ids = dataset.users.take(result.per_user["user"].to_numpy())
    with written(run.strata, "hydra.run.dir") as partial:
        task.strata(result).write_csv(partial)
    with written(run.per_user, "hydra.run.dir") as partial:
        result.per_user.with_columns(ids.alias("user")).write_parquet(partial)
    with written(run.examples, "hydra.run.dir") as partial:
        examples(scorer, task, dataset).write_parquet(partial)


def baselines_beside(config: DictConfig, dataset: Dataset, features: np.ndarray | None) -> dict[str, Any]:
    """Results of the simple recommenders by name; none where ``baselines=none``."""
    if not config.baselines:
        return {}
    return build.instantiate(config.baselines)(dataset, build.instantiate(config.evaluation), features, _cache(config))


def _outline_of_a_step(module: RankingModule, x0: Tensor, data: GraphDataModule[RankingTask]) -> Step:
    """The first step with the input in the place of every layer."""

    def encode(start: Pass) -> Embeddings:
        encoder = module.recommender.encoder
        return Embeddings(start.x0, lambda: [start.x0] * (encoder.num_layers + 1), encoder.mixed, start.masked)

    start = Pass(data.graph, x0, (module.seed, 0))
    return Step(next(iter(data.batches)), start, encode(module.objective.view(start)), data.batches.positives, encode)


def _cache(config: DictConfig) -> Path:
    """Where results of baselines are kept."""
    return Path(config.paths.cache).expanduser() / "baselines"

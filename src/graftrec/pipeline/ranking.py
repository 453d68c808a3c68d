"""``task=ranking``: the whole catalogue in order for every user."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from omegaconf import DictConfig

from graftrec.data.dataset import Dataset
from graftrec.data.files import check_writable
from graftrec.errors import check_choice
from graftrec.metrics.ranking import RankingResult
from graftrec.nn.recommender import Embeddings
from graftrec.objectives.objective import Objective
from graftrec.objectives.step import Step
from graftrec.pipeline import build
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.task import Factors, Prepared
from graftrec.recommend.evaluation import RankingProtocol, RankingTask, evaluate
from graftrec.recommend.scoring import FactorScorer
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
        objective: Objective = build.instantiate(config.objective)
        return objective.negatives

    def held_out(
        self, config: DictConfig, dataset: Dataset, features: np.ndarray | None
    ) -> tuple[RankingTask, RankingTask]:
        protocol: RankingProtocol = build.instantiate(config.evaluation)
        return protocol.validation(dataset, features), protocol.test(dataset, features)

    def module(self, config: DictConfig, data: GraphDataModule[RankingTask]) -> RankingModule:
        return RankingModule(
            build.build_recommender(config, data),
            build.instantiate(config.objective),
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
            module.objective(
                Step(next(iter(data.batches)), Embeddings(x0, x0), data.graph.space, data.batches.positives)
            )
        user = data.validation.blocks()[0][:1]
        metrics = data.validation.metrics()
        metrics.update(user, data.validation.lists(FactorScorer(*data.graph.space.split(x0)), user))
        names = list(metrics.compute().values)
        if config.baselines:
            metric = build.instantiate(config.baselines).metric
            check_choice("baselines.metric", metric, sorted({name.split("@")[0] for name in names if "@" in name}))
            check_writable(_cache(config), "paths.cache")
        return names

    def write(
        self, module: RankingModule, factors: Factors, prepared: Prepared, run: RunFolder
    ) -> dict[str, RankingResult]:
        test = module.results["test"]
        prepared.data.test.strata(test).write_csv(run.strata)
        ids = prepared.dataset.users.take(test.per_user["user"].to_numpy())
        test.per_user.with_columns(ids.alias("user")).write_parquet(run.per_user)
        return {"test": test, "valid": evaluate(FactorScorer(*factors), prepared.data.validation)}

    def baselines(self, config: DictConfig, prepared: Prepared) -> dict[str, Any]:
        if not config.baselines:
            return {}
        protocol, features = build.instantiate(config.evaluation), prepared.data.test.features
        return build.instantiate(config.baselines)(prepared.dataset, protocol, features, _cache(config))

    def scorer(self, run: "Run", factors: Factors) -> FactorScorer:
        return FactorScorer(*factors)

    def evaluate(self, run: "Run", **changes: Any) -> dict[str, RankingResult]:
        protocol: RankingProtocol = build.instantiate(run.config.evaluation, **changes)
        data = (run.dataset, run.item_features)
        tasks = {"test": protocol.test(*data), "valid": protocol.validation(*data)}
        return {part: evaluate(run.scorer, task) for part, task in tasks.items()}


def _cache(config: DictConfig) -> Path:
    """Where results of baselines are kept."""
    return Path(config.paths.cache).expanduser() / "baselines"

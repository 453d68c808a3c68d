"""The story of one run of a recommender without training: the same folder, less checkpoints and embeddings."""

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
from omegaconf import DictConfig, OmegaConf

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.baselines.popularity import Popularity
from graftrec.data.dataset import Dataset
from graftrec.data.storage import save_dataset
from graftrec.errors import InputError, check_choice
from graftrec.metrics.ranking import RankingResult
from graftrec.pipeline import build
from graftrec.pipeline.available_memory import available_memory_gib
from graftrec.pipeline.baselines import Tuned, choose
from graftrec.pipeline.environment import environment
from graftrec.pipeline.facts import facts_of, judged_users, run_info
from graftrec.pipeline.prepare import prepare
from graftrec.pipeline.ranking import baselines_beside, write_test
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.task import Prepared
from graftrec.pipeline.tracking import tracked
from graftrec.recommend.evaluation import evaluate
from graftrec.scoring import Scorer

if TYPE_CHECKING:
    from graftrec.pipeline.run import Run

UNUSED = (
    "encoder", "input", "conditioning", "head", "objective", "positives", "negatives", "optimizer", "scheduler",
    "scorer", "trainer",
)  # fmt: skip


def fit(config: DictConfig, run: RunFolder) -> dict[str, float]:
    """Choose settings on validation by ``monitor``, fit, test, write the run folder; returns the flat metrics."""
    tuned = _checked(config)
    RunFolder.write_text(run.config, OmegaConf.to_yaml(config, resolve=True))
    RunFolder.write_json(run.environment, environment())
    prepared = prepare(config, with_features=False)
    dataset, stages = prepared.dataset, prepared.stages
    if config.get("memory_check", True):
        tuned.check_memory(dataset.train.user_degree, dataset.train.item_degree, available_memory_gib())
    with stages("features"):
        made = build.build_features(config, dataset)
    features = made.item
    tuned.check_features(features)
    metric = _monitored(config, dataset)
    save_dataset(dataset, run.dataset)
    chooses = len(tuned.candidates()) > 1 or config.get("trial") is not None
    made_of = {"adaptation": made.adaptation, "store_key": made.store_key}
    facts = {**facts_of(config, prepared, chooses), **made_of}
    RunFolder.write_json(run.facts, {"status": "running", **facts})
    with tracked(build.instantiate(config.get("logger")) or {}, run_info(config, run, facts)) as tracking:
        fitted, model, results = _judged(tuned, metric, config, prepared, features)
        metrics = {f"{part}/{name}": value for part, result in results.items() for name, value in result.values.items()}
        for logger in tracking.loggers:
            logger.log_metrics(metrics)
        write_test(results["test"], fitted, build.instantiate(config.evaluation).test(dataset), dataset, run)
        with stages("baselines"):
            beside = baselines_beside(config, dataset, features)
        outcome = {"stages": stages.to_dict(), "model": {"name": tuned.name, "settings": asdict(model)}}
        judged = {"judged_users": judged_users(results), "baselines": beside}
        run.finish({**facts, **outcome, **judged}, metrics)
        tracking.report(run)
    return metrics


def _checked(config: DictConfig) -> Tuned:
    """The recommender; refuses settings that do not go with it."""
    name = config.choices.baseline
    if build.instantiate(config.task).name != "ranking":
        raise InputError(f"baseline={name} ranks items; leave out task={config.choices.task}.")
    build.warn_of_unused(config, f"baseline={name}", UNUSED)
    return build.instantiate(config.baseline)


def _judged(
    tuned: Tuned, metric: str, config: DictConfig, prepared: Prepared, features: np.ndarray | None
) -> tuple[Scorer, Baseline, dict[str, RankingResult]]:
    """The recommender, the chosen settings, and results by part."""
    dataset, protocol = prepared.dataset, build.instantiate(config.evaluation)
    tasks = {"test": protocol.test(dataset, features), "valid": protocol.validation(dataset, features)}
    with prepared.stages("train"):
        data = TrainingData(dataset.train, features)
        model = choose(tuned, data, tasks["valid"], metric)
        fitted = model.fit(data)
    with prepared.stages("test"):
        test = evaluate(fitted, tasks["test"])
        valid = test if dataset.leaky else evaluate(fitted, tasks["valid"])  # leaky: the same users and items
    return fitted, model, {"test": test, "valid": valid}


def _monitored(config: DictConfig, dataset: Dataset) -> str:
    """The metric by which settings are chosen, such as ndcg@20; refused before any is fitted if it is unknown."""
    validation = build.instantiate(config.evaluation).validation(dataset)
    known = evaluate(Popularity().fit(TrainingData(dataset.train)), validation, max_users=1).values
    check_choice("monitor", config.monitor, [f"valid/{name}" for name in known])
    return config.monitor.removeprefix("valid/")


def refit(run: "Run") -> Scorer:
    """The recommender of a finished run, fitted again with the settings that were chosen."""
    tuned: Tuned = build.instantiate(run.config.baseline)
    model = replace(tuned.model, **run.facts["model"]["settings"])
    features = run.item_features if model.needs_features else None
    if run.config.get("memory_check", True):
        tuned.check_memory(run.dataset.train.user_degree, run.dataset.train.item_degree, available_memory_gib())
    return model.fit(TrainingData(run.dataset.train, features))

"""The story of one run of a recommender without training: the same folder, less checkpoints and embeddings."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from omegaconf import DictConfig, OmegaConf

from graftrec.baselines.base import Fitted, TrainingData
from graftrec.baselines.popularity import Popularity
from graftrec.data.storage import save_dataset
from graftrec.errors import InputError, check_choice
from graftrec.metrics.ranking import RankingResult
from graftrec.pipeline import build
from graftrec.pipeline.available_memory import available_memory_gib
from graftrec.pipeline.baselines import Baselines, Tuned, choose
from graftrec.pipeline.environment import environment
from graftrec.pipeline.facts import facts_of, run_info
from graftrec.pipeline.prepare import prepare
from graftrec.pipeline.ranking import baselines_beside, write_test
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.tracking import tracked
from graftrec.recommend.evaluation import RankingProtocol, RankingTask, evaluate

if TYPE_CHECKING:
    from graftrec.pipeline.run import Run

UNUSED = ("encoder", "input", "head", "objective", "negatives", "optimizer", "scheduler", "scorer", "trainer")


def fit(config: DictConfig, run: RunFolder) -> dict[str, float]:
    """Choose settings on validation by ``monitor``, fit, test, write the run folder; returns the flat metrics."""
    if build.instantiate(config.task).name != "ranking":
        raise InputError(f"baseline={config.choices.baseline} ranks items; leave out task={config.choices.task}.")
    build.warn_of_unused(config, f"baseline={config.choices.baseline}", UNUSED)
    tuned: Tuned = build.instantiate(config.baseline)
    RunFolder.write_text(run.config, OmegaConf.to_yaml(config, resolve=True))
    RunFolder.write_json(run.environment, environment())
    prepared = prepare(config, with_features=False)
    dataset, stages = prepared.dataset, prepared.stages
    Baselines({"": tuned}).check_memory(dataset.num_users, dataset.num_items, available_memory_gib())
    with stages("features"):
        features = build.build_features(config, dataset).item
    save_dataset(dataset, run.dataset)
    facts = facts_of(config, prepared)
    RunFolder.write_json(run.facts, {"status": "running", **facts})
    data = TrainingData(dataset.train, features)
    protocol: RankingProtocol = build.instantiate(config.evaluation)
    validation, test = protocol.validation(dataset, features), protocol.test(dataset, features)
    with tracked(build.instantiate(config.get("logger")) or {}, run_info(config, run, facts)) as loggers:
        with stages("train"):
            model = choose(tuned, data, validation, _monitored(config, data, validation))
            fitted = model.fit(data)
        with stages("test"):
            results = {"test": evaluate(fitted, test), "valid": evaluate(fitted, validation)}
            write_test(results["test"], test, dataset, run)
        metrics = _flat(results)
        for logger in loggers:
            logger.log_metrics(metrics)
    with stages("baselines"):
        beside = baselines_beside(config, dataset, features)
    outcome = {"stages": stages.to_dict(), "model": {"name": tuned.name, "settings": asdict(model)}}
    RunFolder.write_json(run.facts, {"status": "finished", **facts, **outcome, "baselines": beside})
    RunFolder.write_json(run.metrics, metrics)  # last: its presence means that the run is complete
    return metrics


def _monitored(config: DictConfig, data: TrainingData, validation: RankingTask) -> str:
    """The metric by which settings are chosen, such as ndcg@20; refused before any is fitted if it is unknown."""
    known = evaluate(Popularity().fit(data), validation, max_users=1).values
    check_choice("monitor", config.monitor, [f"valid/{name}" for name in known])
    return config.monitor.removeprefix("valid/")


def _flat(results: Mapping[str, RankingResult]) -> dict[str, float]:
    return {f"{part}/{name}": value for part, result in results.items() for name, value in result.values.items()}


def refit(run: "Run") -> Fitted:
    """The recommender of a finished run, fitted again with the settings that were chosen."""
    tuned: Tuned = build.instantiate(run.config.baseline)
    model = replace(tuned.model, **run.facts["model"]["settings"])
    features = run.item_features if model.needs_features else None
    return model.fit(TrainingData(run.dataset.train, features))

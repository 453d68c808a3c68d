"""The composition root: from a configuration to objects. The only module that calls ``instantiate``."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.utils import instantiate as hydra_instantiate
from omegaconf import DictConfig, MissingMandatoryValue, OmegaConf
from pytorch_lightning import Trainer
from pytorch_lightning.loggers import Logger

from graftrec.data.dataset import Dataset
from graftrec.data.prepare import split_dataset
from graftrec.data.sampling import NegativeSampler, Positives
from graftrec.data.sources.base import RawData
from graftrec.errors import InputError, check_choice, check_number
from graftrec.features.adapt.memory import AdaptedSizes
from graftrec.features.conditioning.apply import conditioned, conditioned_outline
from graftrec.features.nodes import NodeFeatures
from graftrec.features.profiles.profiles import Profiles
from graftrec.features.store import FeatureStore
from graftrec.graph.graph import Graph
from graftrec.metrics.direction import COSTS, is_lower_better
from graftrec.nn.recommender import Recommender, behaviour_mix, warn_of_unused_weights
from graftrec.objectives.objective import Objective
from graftrec.training.base import GraphModule
from graftrec.training.datamodule import EpochBatches, GraphDataModule
from graftrec.training.processes import OneMachine


def instantiate(node: Any, **arguments: Any) -> Any:
    """The object that ``node`` describes, with plain containers; bad input keeps its own message.

    ``arguments`` are run-time objects. They bypass Hydra, which would turn dataclasses into dictionaries.
    """
    try:
        if arguments:
            return hydra_instantiate(node, _convert_="all", _partial_=True)(**arguments)
        return hydra_instantiate(node, _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, InputError | MissingMandatoryValue):
            raise cause from None
        raise


def read(config: DictConfig) -> RawData:
    """The raw tables of ``data=``."""
    return instantiate(config.data).read()


def build_dataset(config: DictConfig, raw: RawData) -> Dataset:
    """Filtered, numbered and split."""
    source, filter, split = (instantiate(config[name]) for name in ("data", "filter", "split"))
    return split_dataset(raw, source, filter, split, config.protocol)


def build_graph(config: DictConfig, dataset: Dataset) -> Graph:
    """The graph of the training interactions."""
    return instantiate(config.graph, weighting=instantiate(config.weighting))(dataset)


def build_features(config: DictConfig, dataset: Dataset) -> NodeFeatures:
    """User and item features, from the cache where it has them."""
    # runs of an earlier version have no store=
    store = instantiate(config.store) if "store" in config else FeatureStore(f"{config.paths.cache}/features")
    source, dataset = instantiate(config.features), with_profiles(config, dataset)
    if not config.get("adapt"):  # none, or a run of an earlier version
        return source(dataset, store)
    adapted, facts = instantiate(config.adapt)(source, dataset, _adapted_models(config))
    return replace(adapted(dataset, store), adaptation=facts)


def with_profiles(config: DictConfig, dataset: Dataset, outline: bool = False) -> Dataset:
    """The data with the text column that ``profile=`` writes; ``outline``: with stand-ins, and no long work."""
    if not config.get("profile"):  # none, or a run of an earlier version
        return dataset
    if "encoder" not in config.features:
        raise InputError("profile= writes texts, but these features read none; choose features=minilm or profile=none.")
    if config.profile.of != "items" and config.features.users != "text":
        raise InputError(
            f"profile.of={config.profile.of}, but features.users={config.features.users} reads no text of users; "
            f"add features.users=text."
        )
    profiles: Profiles = instantiate(config.profile, prompts=instantiate(config.prompts))
    return profiles.outline(dataset) if outline else profiles(dataset)


def condition(config: DictConfig, dataset: Dataset, features: NodeFeatures, outline: bool = False) -> NodeFeatures:
    """What the input reads: ``features`` as ``conditioning`` changes them, and the columns of ``tabular`` beside."""
    if config.get("conditioning"):  # runs of earlier versions have no such groups
        make = conditioned_outline if outline else conditioned
        features = make(features, dataset.train, instantiate(config.conditioning))
    return instantiate(config.tabular)(dataset, features) if "tabular" in config else features


def build_data_module(
    config: DictConfig, dataset: Dataset, graph: Graph, features: NodeFeatures, conditioned: NodeFeatures
) -> GraphDataModule[Any]:
    """Batches, graph and ``conditioned`` features; the task's held-out parts, with ``features`` for their metrics."""
    task = instantiate(config.task)
    unused = {kind: 0 for kind in ("per_positive", "shared") if kind not in task.negatives(config)}
    sampler: NegativeSampler = replace(instantiate(config.negatives), **unused)
    positives = Positives(dataset.train, dataset.cold_items, instantiate(config.positives))
    sampler.check(positives)
    batches = EpochBatches(positives, sampler, config.batch_size, config.seed)
    held_out = task.held_out(config, dataset, features.item)
    return GraphDataModule(graph, conditioned, batches, *held_out)


def build_recommender(config: DictConfig, data: GraphDataModule[Any]) -> Recommender:
    """Input, encoder and scorer; numbers that the data decides are passed here."""
    if config.encoder.get("dim", config.dim) != config.dim:
        raise InputError(
            f"encoder.dim={config.encoder.dim}, but dim={config.dim}, the width of every layer; set dim alone."
        )
    input = instantiate(config.input, nodes=data.nodes)
    encoder = instantiate(config.encoder, weighted=data.graph.weighted)
    scorer, behaviours = instantiate(config.scorer), behaviour_mix(encoder, data.graph)
    recommender = Recommender(input, encoder, scorer, behaviours)
    warn_of_unused_weights(recommender.encoder, data.graph)
    return recommender


def build_objective(config: DictConfig, features: NodeFeatures) -> Objective:
    """The loss; a term whose YAML is partial reads the features."""
    terms = {name: instantiate(term) for name, term in config.objective.terms.items()}
    whole = {name: term(features=features) if isinstance(term, partial) else term for name, term in terms.items()}
    return instantiate(config.objective, terms=whole)


def outline(config: DictConfig, dataset: Dataset, graph: Graph) -> GraphDataModule[Any]:
    """The data module on stand-in features, before texts are encoded."""
    source, texts = instantiate(config.features), with_profiles(config, dataset, outline=True)
    features = source.outline(texts)
    if config.get("adapt"):
        instantiate(config.adapt).check(source, texts)
    return build_data_module(config, dataset, graph, features, condition(config, dataset, features, outline=True))


def adapted_sizes(config: DictConfig, dataset: Dataset) -> AdaptedSizes | None:
    """What decides the memory of adapting the language model; None where that is not to be done."""
    if not config.get("adapt"):
        return None
    texts = with_profiles(config, dataset, outline=True)
    return instantiate(config.adapt).sizes(instantiate(config.features), texts, _adapted_models(config))


def _adapted_models(config: DictConfig) -> Path:
    return Path(config.paths.cache) / "adapted"


def rehearse(config: DictConfig, data: GraphDataModule[Any]) -> None:
    """Refuse bad settings before long work: build all parts on an ``outline`` and try them once."""
    epochs = config.trainer.max_epochs
    if not isinstance(epochs, int) or epochs < 1:
        raise InputError(
            f"trainer.max_epochs={epochs} must be a whole number >= 1; callbacks.early_stopping ends a run before it."
        )
    if config.trainer.get("precision") == "16-true":
        raise InputError("trainer.precision=16-true ends in numbers that are not finite; take bf16-true or 32-true.")
    for name, least in {"dim": 1, "batch_size": 1, "seed": 0}.items():
        check_number(name, config[name], least)
    task = instantiate(config.task)
    module = build_module(config, data)
    module.warn_of_nothing_to_train()
    names = task.rehearse(config, module, data)
    known = [*(f"valid/{name}" for name in names), "train/loss"]
    check_choice("monitor", config.monitor, known)
    _check_mode(config)
    if config.get("trial") is not None:
        for objective in config.trial.objectives:
            check_choice("hydra.sweeper.objectives", objective, [*known[:-1], *COSTS])


def _check_mode(config: DictConfig) -> None:
    """Refuse callbacks that keep the largest value of a metric whose smallest is best."""
    nodes = {name: node for name, node in config.callbacks.items() if node and node.get("monitor") == config.monitor}
    wrong = [name for name, node in nodes.items() if is_lower_better(config.monitor) and node.get("mode") == "max"]
    if wrong:
        words = " ".join(f"callbacks.{name}.mode=min" for name in wrong)
        raise InputError(f"monitor={config.monitor} is better the smaller it is; add {words}.")


def build_module(config: DictConfig, data: GraphDataModule[Any]) -> GraphModule:
    """The LightningModule, initialised from ``seed``."""
    task = instantiate(config.task)
    warn_of_unused(config, f"task={task.name}", task.ignores)
    torch.manual_seed(config.seed)
    return task.module(config, data)


def warn_of_unused(config: DictConfig, chosen: str, groups: Sequence[str]) -> None:
    """Say where the command line sets something that ``chosen`` does not read."""
    words = {word.lstrip("+~").split("=")[0].split(".")[0] for word in config.get("overrides") or ()}
    for group in sorted(words & set(groups)):
        warnings.warn(f"{chosen} does not use {group}: what you set there has no effect.", stacklevel=3)


def num_processes(config: DictConfig) -> int:
    """How many processes train: ``trainer.devices`` under trainer=ddp, else one."""
    settings = config.trainer
    one_device = settings.devices == 1 or (OmegaConf.is_list(settings.devices) and len(settings.devices) == 1)
    together = OmegaConf.is_dict(settings.get("strategy"))
    if not together and (not one_device or settings.get("strategy") is not None):
        raise InputError(
            f"trainer.devices={settings.devices} and trainer.strategy={settings.get('strategy')}: "
            f"for more than one device choose trainer=ddp trainer.devices=2 trainer.accelerator=gpu, or cpu."
        )
    if together and not (isinstance(settings.devices, int) and settings.devices >= 1):
        raise InputError(f"trainer.devices={settings.devices} must be a whole number >= 1 under trainer=ddp.")
    if settings.get("num_nodes", 1) != 1:
        raise InputError(f"trainer.num_nodes={settings.num_nodes}, but a run stays on one machine; leave it out.")
    return settings.devices if together else 1


def build_trainer(
    config: DictConfig, checkpoints: Path, loggers: Sequence[Logger], machine: OneMachine | None = None
) -> Trainer:
    """Lightning's Trainer with its callbacks; ``checkpoints`` is their folder.

    It works alone, or as one of trainer=ddp's processes on ``machine``.
    """
    places = {name: {"dirpath": str(checkpoints)} for name in ("best", "last")}
    settings = config.trainer
    if settings.max_epochs > 0 and settings.check_val_every_n_epoch > settings.max_epochs:
        raise InputError(
            f"trainer.check_val_every_n_epoch={settings.check_val_every_n_epoch} is more than "
            f"trainer.max_epochs={settings.max_epochs}: no epoch would be validated."
        )
    chosen = {n: node for n, node in config.callbacks.items() if n != "progress" or settings.enable_progress_bar}
    callbacks = [instantiate(node, **places.get(name, {})) for name, node in chosen.items()]
    if _pruned(config) and (machine is None or machine.rank == 0):
        from graftrec.pipeline.sweep.pruning import pruning

        callbacks.append(pruning(config))
    alone = {"devices": 1, "strategy": "auto"} if OmegaConf.is_dict(settings.get("strategy")) else {}
    where = alone if machine is None else {"plugins": [machine]}
    return instantiate(settings, callbacks=callbacks, logger=list(loggers), **where)


def _pruned(config: DictConfig) -> bool:
    """Whether the run is a sweep's job that a pruner may end; one that is resumed by itself is none."""
    trial = config.get("trial")
    return trial is not None and trial.prune and HydraConfig.initialized()


def plain(config: DictConfig) -> dict[str, Any]:
    """The resolved configuration as plain dictionaries and lists."""
    return OmegaConf.to_container(config, resolve=True, throw_on_missing=True)  # type: ignore[return-value]

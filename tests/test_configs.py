"""Every option of every config group fits the code that it configures."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from graftrec.baselines.base import TrainingData
from graftrec.pipeline import build
from graftrec.pipeline.config import config_folder
from graftrec.pipeline.prepare import prepare
from graftrec.pipeline.reproduce import experiments, outlines

CONF = config_folder()
OPTIONS = sorted(  # those of hydra/ have tests in tests/sweep
    f"{path.parent.relative_to(CONF)}={path.stem}" for path in CONF.glob("*/*.yaml")
)
EXPERIMENTS = experiments()
OBJECTIVES = sorted(path.stem for path in (CONF / "objective").glob("*.yaml"))
RUN_TIME = {"nodes", "features", "weighted", "weighting", "params", "optimizer", "total_steps", "prompts"}  # by build
OF_SMALL_DATA = {
    "alpharec/games": ["~features.encoder.model"],  # hashing takes none
    "amazon_office": ["dim=8"],  # directions: fewer than there are items
}
PREFIXES = ("graftrec.", "torch.optim.", "pytorch_lightning.")


def composed(*overrides: str) -> DictConfig:
    """The configuration of ``graftrec train`` with ``overrides``."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", overrides=list(overrides))


def targets(node: Any) -> Iterator[dict[str, Any]]:
    """Every mapping with a ``_target_`` in a container."""
    if isinstance(node, dict):
        if "_target_" in node:
            yield node
        for value in node.values():
            yield from targets(value)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_key_is_a_parameter_of_its_target(option: str) -> None:
    container = OmegaConf.to_container(composed(option), resolve=False)
    for node in targets(container):
        parameters = inspect.signature(get_object(node["_target_"])).parameters
        keys = {key for key in node if not key.startswith("_")}
        open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        required = {name for name, p in parameters.items() if p.default is p.empty and p.kind not in variadic}
        assert open_ended or keys <= set(parameters), node
        assert required <= keys | RUN_TIME, node


@pytest.mark.parametrize("option", OPTIONS)
def test_targets_are_our_own_or_of_the_fixed_stack(option: str) -> None:
    for node in targets(OmegaConf.to_container(composed(option), resolve=False)):
        assert node["_target_"].startswith(PREFIXES)


def test_only_optimizer_and_scheduler_are_partial() -> None:
    container = OmegaConf.to_container(composed(), resolve=False)
    assert isinstance(container, dict)
    partial = {name for name, node in container.items() if any(n.get("_partial_") for n in targets(node))}
    assert partial == {"optimizer", "scheduler"}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_partial_term_reads_features(objective: str) -> None:
    container = OmegaConf.to_container(composed(f"objective={objective}").objective, resolve=False)
    for node in targets(container):
        parameters = inspect.signature(get_object(node["_target_"])).parameters
        assert node.get("_partial_", False) == ("features" in parameters)


def test_leaf_files_are_short() -> None:
    long = [path for path in CONF.rglob("*/*.yaml") if len(path.read_text().splitlines()) > 30]
    assert long == []


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_setting_of_an_experiment_is_composed(experiment: str) -> None:
    own = OmegaConf.load(CONF / "experiment" / f"{experiment}.yaml")
    del own["defaults"]
    config = composed(f"experiment={experiment}")
    assert OmegaConf.merge(config, own) == config


# What code bases disagree on: weight and form of the penalty, mask of a test, layers in the mix.
DEFINITIONS = {
    "lightgcn/gowalla": (1e-4, "input", True, "train", "mean"),
    "lightgcn/movielens_1m": (1e-4, "input", True, "train_and_valid", "mean"),
    "xsimgcl/movielens_1m": (1e-4, "input", True, "train_and_valid", "mean_without_input"),
    "simgcl/movielens_1m": (1e-4, "input", False, "train_and_valid", "mean_without_input"),
    "sgl/movielens_1m": (2.4e-8, "input", False, "train_and_valid", "mean"),
    "simgcl/yelp2018": (1e-4, "propagated", False, "train", "mean_without_input"),
    "xsimgcl/yelp2018": (1e-4, "propagated", False, "train", "mean_without_input"),
    "rlmrec/lightgcn": (2e-6, "all", True, "train", "sum"),
}


@pytest.mark.parametrize("experiment", DEFINITIONS)
def test_definitions_that_code_bases_disagree_on(experiment: str) -> None:
    config = composed(f"experiment={experiment}")
    weight, of, squared, mask, mix = DEFINITIONS[experiment]
    penalty = config.objective.terms.l2
    assert (config.objective.weights.l2, penalty.of, penalty.squared) == (weight, of, squared)
    assert (config.evaluation.mask, config.encoder.mix) == (mask, mix)


def test_targets_and_data_of_the_list_are_those_of_the_composed_recipes() -> None:
    listed = {outline.name: (dict(outline.paper.targets), outline.data) for outline in outlines()}
    for experiment in EXPERIMENTS:
        config = composed(f"experiment={experiment}")
        targets = {name: target for name, target in (config.paper or {}).get("targets", {}).items() if target}
        assert listed.get(experiment, ({}, config.data.name)) == (targets, config.data.name)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_runs_a_step_on_small_data(experiment: str, tmp_path: Path) -> None:
    split = "cold_item" if "cold" in experiment else "random"  # the small data brings no split of its own
    words = [
        f"experiment={experiment}",
        f"split={split}",
        "filter.min_rating=null",
        *OF_SMALL_DATA.get(experiment, []),
    ]
    if composed(words[0]).get("baseline"):
        fit_baseline(tmp_path, *words)
    else:
        run_a_step(tmp_path, *words)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_runs_a_step_on_small_data(objective: str, tmp_path: Path) -> None:
    run_a_step(tmp_path, f"objective={objective}", "input=id")


def fit_baseline(folder: Path, *words: str) -> None:
    """Fit every setting that the recipe tries, on small data."""
    config = on_small_data(folder, *words)
    prepared = prepare(config, with_features=False)
    for model in build.instantiate(config.baseline).candidates():
        scores = model.fit(TrainingData(prepared.dataset.train, None)).scores(torch.arange(5))
        assert scores.shape == (5, prepared.dataset.num_items)


def run_a_step(folder: Path, *words: str) -> None:
    """Train one batch as from the command line; every parameter is moved by it, and by no penalty."""
    config = on_small_data(folder, *words, "optimizer.weight_decay=0")
    if "l2" in config.objective.weights:
        config.objective.weights.l2 = 0
    del config.callbacks.progress
    prepared = prepare(config)
    module = build.build_module(config, prepared.data)
    before = {name: value.clone() for name, value in module.named_parameters()}
    trainer = build.build_trainer(config, folder / "checkpoints", [])
    trainer.fit(module, prepared.data)
    assert [name for name, value in module.named_parameters() if (value == before[name]).all()] == []


def on_small_data(folder: Path, *words: str) -> DictConfig:
    """The configuration of ``words`` on the synthetic data, one batch of training."""
    return composed(
        *words,
        "data=synthetic",
        "data.num_users=60",
        "data.num_items=40",
        "data.num_interactions=1200",
        "data.num_groups=4",
        "filter=5core",
        "features=hashing",
        f"paths.cache={folder}",
        "trainer.max_epochs=1",
        "trainer.check_val_every_n_epoch=1",
        "+trainer.limit_train_batches=1",
    )

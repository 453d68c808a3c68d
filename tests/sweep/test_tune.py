"""``sweep=tune/MODEL``: every model gets the same budget."""

import json
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from omegaconf import DictConfig, OmegaConf

from graftrec.pipeline.build import instantiate
from graftrec.pipeline.config import config_folder
from graftrec.pipeline.sweep.grammar import Space
from tests.e2e.conftest import Cli
from tests.e2e.test_baseline_run import WORDS

CONF = config_folder()
MODELS = sorted(path.stem for path in (CONF / "sweep" / "tune").glob("*.yaml"))


def composed(*words: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", overrides=list(words), return_hydra_config=True)


def budget_of(model: str) -> dict[str, Any]:
    """Everything about the search but its space."""
    sweeper = OmegaConf.to_container(composed(f"sweep=tune/{model}").hydra.sweeper)
    assert isinstance(sweeper, dict)
    return {str(name): value for name, value in sweeper.items() if name != "params"}


@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_the_same_budget(model: str) -> None:
    assert budget_of(model) == budget_of("lightgcn")


@pytest.mark.parametrize("model", MODELS)
def test_every_space_is_of_settings_that_exist(model: str) -> None:
    words = [f"sweep=tune/{model}", "data=gowalla"]  # data that chooses features and input, too
    loader = ConfigLoaderImpl(config_search_path=create_config_search_path(str(CONF)))
    space = Space.parse(composed(*words).hydra.sweeper.params, [], loader)
    for point in space.samples():
        config = composed(*words, *space.overrides(point))  # a setting that is unknown would be refused
        if config.get("baseline"):
            assert config.baseline.grid is None
            instantiate(config.baseline)


def test_a_tuned_baseline_leaves_its_budget(cli: Cli, tmp_path: Path) -> None:
    words = [word for word in WORDS if not word.startswith(("features", "baselines"))]
    cli("train", "-m", "sweep=tune/ease", *words, "hydra.sweeper.n_trials=2", f"hydra.sweep.dir={tmp_path / 'ease'}")
    budget = json.loads((tmp_path / "ease" / "budget.json").read_text())
    assert (budget["n_trials"], budget["finished"], budget["repeats"]) == (2, 2, 1)
    assert budget["objectives"] == ["valid/ndcg@20"]
    assert budget["sampler"] == "optuna.samplers.TPESampler"
    runs = [json.loads(path.read_text()) for path in tmp_path.glob("ease/*/run.json")]
    assert budget["train_seconds"] == pytest.approx(sum(run["stages"]["train"]["seconds"] for run in runs))
    assert len({run["model"]["settings"]["penalty"] for run in runs}) == 2


def test_a_repeated_proposal_is_counted_and_its_training_is_not(cli: Cli, tmp_path: Path) -> None:
    words = [word for word in WORDS if not word.startswith(("features", "baselines"))]
    space = "baseline.model.penalty=choice(10,1000)"
    sweeper = ["hydra.sweeper.n_trials=5", f"hydra.sweep.dir={tmp_path / 'ease'}"]
    cli("train", "-m", "sweep=tune/ease", space, *words, *sweeper)
    budget = json.loads((tmp_path / "ease" / "budget.json").read_text())
    runs = [json.loads(path.read_text()) for path in tmp_path.glob("ease/*/run.json")]
    assert (budget["finished"], budget["repeated"], len(runs)) == (5, 3, 2)
    assert budget["train_seconds"] == pytest.approx(sum(run["stages"]["train"]["seconds"] for run in runs), abs=1e-3)


def test_a_search_on_the_test_set_is_called_leaky_and_so_is_its_best_recipe(cli: Cli, tmp_path: Path) -> None:
    for part, first in (("train", 0), ("test", 5)):
        lines = [f"{user} {' '.join(str((user + first + item) % 30) for item in range(5))}" for user in range(30)]
        (tmp_path / f"{part}.txt").write_text("\n".join(lines) + "\n")
    files = ["data=lightgcn_text", *(f"data.{part}={tmp_path / part}.txt" for part in ("train", "test"))]
    paper = ["protocol=paper", "baselines=none", "hydra.sweeper.n_trials=2", f"hydra.sweep.dir={tmp_path / 'ease'}"]
    cli("train", "-m", "sweep=tune/ease", *files, *paper, "logger=csv", f"paths.cache={tmp_path / 'cache'}")
    tags = [json.loads(path.read_text())["tags"] for path in tmp_path.glob("ease/*/run.json")]
    assert tags == [["leaky"], ["leaky"]]
    assert OmegaConf.load(tmp_path / "ease" / "experiment" / "best.yaml").tags == ["leaky"]

"""Sweeps from the command line: real trainings on small data."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from optuna.trial import FrozenTrial, TrialState

from graftrec.pipeline.build import instantiate
from graftrec.pipeline.config import config_folder
from graftrec.pipeline.run import load_run
from graftrec.pipeline.sweep.grammar import Space
from graftrec.pipeline.sweep.ledger import FINISHED
from graftrec.pipeline.sweep.storage import open_storage
from tests.e2e.conftest import SMALL, Cli, Refused
from tests.offline_wandb import OfflineRun

ROOT = Path(__file__).parents[2]
TINY = [*SMALL, "dim=8", "trainer.max_epochs=2"]
LR = "optimizer.lr=tag(log,interval(1e-3,1e-1))"
SWEEP = ["-m", "hydra/sweeper=graftrec_optuna"]
BEST = "valid/ndcg@20"
PLUGGED = [(path.parent.name, path.stem) for path in (config_folder() / "hydra" / "sweeper").glob("*/*.yaml")]


def trials(folder: Path) -> list[FrozenTrial]:
    """All trials of the one study in a sweep folder's journal."""
    import optuna

    return optuna.load_study(study_name=folder.name, storage=open_storage(None, folder)).trials


def states(folder: Path) -> list[str]:
    return pl.read_csv(folder / "trials.csv")["state"].to_list()


@pytest.fixture(scope="module")
def sweep(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three trials of two settings, by the basic launcher."""
    folder = tmp_path_factory.mktemp("sweeps") / "plain"
    words = [*TINY, LR, "encoder=gcn,lightgcn", "hydra.sweeper.n_trials=3", f"hydra.sweep.dir={folder}"]
    cli("train", *SWEEP, *words)
    return folder


def test_every_trial_is_an_ordinary_run(sweep: Path) -> None:
    for trial in trials(sweep):
        (folder,) = sweep.glob(f"{trial.number}_*")
        run = load_run(folder)
        assert run.metrics[BEST] == trial.value
        assert run.config.optimizer.lr == trial.params["optimizer.lr"]
        assert run.config.choices.encoder == trial.params["encoder"]
        assert not any(word.startswith("trial") for word in run.config.overrides)
        tracked = OfflineRun(folder)
        assert (tracked.run["run_group"], tracked.run["job_type"]) == (sweep.name, "trial")
        assert (tracked.run["display_name"], tracked.exit_code) == (folder.name, 0)


def test_the_best_recipe_trains_to_the_stated_metric(cli: Cli, sweep: Path, tmp_path: Path) -> None:
    best = max(trials(sweep), key=lambda trial: trial.value or 0)
    assert f"{BEST} = {best.value:.6g}" in (sweep / "experiment" / "best.yaml").read_text()
    cli("train", "--config-dir", str(sweep), "experiment=best", f"hydra.run.dir={tmp_path}")
    assert json.loads((tmp_path / "metrics.json").read_text())[BEST] == best.value


def test_what_a_sweep_leaves(sweep: Path) -> None:
    frame = pl.read_csv(sweep / "trials.csv")
    assert {"trial", BEST, "param:encoder", "valid/recall@20", "latency_ms", "peak_gib"} <= set(frame.columns)
    assert not any(name.startswith("test/") for name in frame.columns)
    page = (sweep / "plots.html").read_text()
    assert page.count("plotly.js v") >= 1
    assert "<script src=" not in page
    assert page.count('class="plotly-graph-div"') == 4
    summary = OfflineRun(sweep).run
    assert (summary["run_group"], summary["job_type"]) == (sweep.name, "sweep")
    exported = yaml.safe_load((sweep / "wandb_sweep.yaml").read_text())
    assert exported["metric"] == {"name": BEST, "goal": "maximize"}
    assert exported["parameters"]["optimizer.lr"] == {
        "distribution": "log_uniform_values",
        "min": 1e-3,
        "max": 1e-1,
    }
    assert exported["parameters"]["encoder"] == {"values": ["gcn", "lightgcn"]}


def test_the_same_command_goes_on(cli: Cli, sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in sweep.glob("*/metrics.json")}
    words = [*TINY, LR, "encoder=gcn,lightgcn", "hydra.sweeper.n_trials=4", f"hydra.sweep.dir={sweep}"]
    cli("train", *SWEEP, *words)
    assert "3 of 4 trials are finished" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert states(sweep) == ["complete"] * 4


def test_without_a_folder_the_same_command_finds_its_own(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [*TINY, "logger=csv", "encoder=choice(identity,lightgcn)", "hydra/sweeper/sampler=grid"]
    cli("train", *SWEEP, *words)
    cli("train", *SWEEP, *words)
    (folder,) = (tmp_path / "outputs" / "synthetic").glob("sweep_*")
    assert states(folder) == ["complete"] * 2


def test_two_objectives_leave_a_front_of_recipes(cli: Cli, tmp_path: Path) -> None:
    words = [*TINY, "logger=csv", LR, "scorer=dot,cosine", "hydra.sweeper.n_trials=5", "hydra/sweeper/sampler=nsga2"]
    aims = "hydra.sweeper.objectives=[valid/recall@20,latency_ms,valid/novelty@20]"
    cli("train", *SWEEP, *words, aims, f"hydra.sweep.dir={tmp_path / 'front'}")
    folder = tmp_path / "front"
    points = {trial.number: (trial.values[0], -trial.values[1], trial.values[2]) for trial in trials(folder)}
    beaten = {
        number
        for number, point in points.items()
        if any(q != point and all(x >= y for x, y in zip(q, point, strict=True)) for q in points.values())
    }
    recipes = {path.stem for path in (folder / "experiment").glob("trial_*")}
    assert len(points) - len(beaten) > 1  # recall against novelty alone leaves several
    assert recipes == {f"trial_{number}" for number in points.keys() - beaten}
    assert (folder / "experiment" / "best.yaml").is_file()
    assert "Pareto front" in (folder / "plots.html").read_text()


def test_a_pruned_run_is_ended_early_and_counts(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "pruned"
    words = [*TINY, "trainer.max_epochs=6", "optimizer.lr=choice(1e-6,0.05)", "hydra/sweeper/sampler=grid"]
    prune = ["hydra/sweeper/pruner=median", "hydra.sweeper.pruner.n_startup_trials=1"]
    cli("train", *SWEEP, *words, *prune, "hydra.sweeper.pruner.n_warmup_steps=2", f"hydra.sweep.dir={folder}")
    by_rate = {trial.params["optimizer.lr"]: trial for trial in trials(folder)}
    assert by_rate[0.05].number == 0  # the seed of the grid says so
    assert by_rate[0.05].state == TrialState.COMPLETE
    assert by_rate[1e-6].state == TrialState.PRUNED
    assert by_rate[1e-6].last_step == 2
    (pruned,) = folder.glob("1_*")
    assert json.loads((pruned / "run.json").read_text())["status"] == "pruned"
    tracked = OfflineRun(pruned)
    assert (tracked.exit_code, tracked.summary["status"]) == (0, "pruned")
    assert not (pruned / "metrics.json").exists()
    curve = pl.read_csv(next(folder.glob(f"{by_rate[0.05].number}_*")) / "metrics.csv")[BEST].to_list()
    assert list(by_rate[0.05].intermediate_values.values()) == pytest.approx(curve)


def test_what_takes_too_much_memory_is_infeasible_and_what_fails_is_recorded(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "limits"
    words = [*TINY, "logger=csv", "dim=choice(8,9,1000000000)", "encoder=gat", "encoder.heads=2"]
    cli("train", *SWEEP, *words, "hydra/sweeper/sampler=grid", f"hydra.sweep.dir={folder}")
    frame = pl.read_csv(folder / "trials.csv")
    assert dict(zip(frame["param:dim"], frame["state"], strict=True)) == {
        8: "complete",
        9: "failed",
        1000000000: "infeasible",
    }
    errors = dict(zip(frame["param:dim"], frame["error"], strict=True))
    assert "GiB are available" in errors[1000000000]
    assert "dim" in errors[9]


def test_seeds_are_runs_of_their_own(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "seeds"
    words = [*TINY, "logger=csv", "seed=3", LR, "hydra.sweeper.n_trials=1", "hydra.sweeper.repeats=2"]
    cli("train", *SWEEP, *words, f"hydra.sweep.dir={folder}")
    runs = [load_run(path) for path in sorted(folder.glob("0_*"))]
    assert [run.config.seed for run in runs] == [3, 4]
    assert trials(folder)[0].value == pytest.approx(sum(run.metrics[BEST] for run in runs) / 2)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["hydra.sweeper.objectives=[test/recall@20]"], "measured on the test set"),
        (["hydra.sweeper.objectives=[recall@20]"], "name validation metrics"),
        (["hydra.sweeper.objectives=[valid/recal@20]"], "choose one of valid/recall@10"),
        (["hydra.sweeper.objectives=[valid/f1@20,latency_ms]", "hydra/sweeper/pruner=median"], "one objective only"),
        (["hydra.sweeper.objectives=[latency_ms]", "hydra/sweeper/pruner=median"], "only at the end of a run"),
        (["encoder=choice(gcn,gnc)"], "Did you mean encoder=gcn?"),
        (["hydra/sweeper/sampler=grid"], "continuous"),
        (["hydra.sweeper.n_trials=0"], "n_trials=0"),
        (["hydra.sweeper.repeats=2", "seed=1,2"], "leave one of them out"),
        (["hydra.sweeper.aggregate=median"], "choose one of mean, lower_bound"),
    ],
)
def test_what_cannot_be_swept_is_refused(refused: Refused, tmp_path: Path, words: list[str], told: str) -> None:
    rest = ["logger=csv", LR, *words, f"hydra.sweep.dir={tmp_path / 'sweep'}", f"paths.cache={tmp_path}"]
    assert told in refused("train", *SWEEP, *TINY, *rest)


def test_a_search_without_m_is_refused(refused: Refused, tmp_path: Path) -> None:
    assert "needs -m: graftrec train -m" in refused("train", *TINY, "sweep=lightgcn", f"hydra.run.dir={tmp_path}/run")


def test_killed_it_goes_on_to_the_exact_number(cli: Cli, tmp_path: Path) -> None:
    """The acceptance test at small size: two processes of joblib, SIGKILL, the same command."""
    folder, cache = tmp_path / "killed", tmp_path / "cache"
    launcher = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    words = [*TINY, "logger=csv", LR, "hydra.sweeper.n_trials=5", f"hydra.sweep.dir={folder}", f"paths.cache={cache}"]
    start = "import sys; sys.argv[0] = 'graftrec'; from graftrec.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", start, "train", *SWEEP, *words, *launcher],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    wait(lambda: list(folder.glob("*/run.json")), process)  # a training has begun
    process.kill()
    process.wait()
    left = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    cli("train", *SWEEP, *words[:-1], cache=cache)
    found = trials(folder)
    assert sum(trial.state in FINISHED for trial in found) == 5
    params = [trial.params["optimizer.lr"] for trial in found if trial.state in FINISHED]
    assert len(set(params)) == 5
    killed = [trial for trial in found if trial.user_attrs.get("failure") == "killed"]
    assert all(trial.params["optimizer.lr"] in params for trial in killed)
    dead = [path for trial in killed for path in folder.glob(f"{trial.number}_*/**/*")]
    assert {path: path.stat().st_mtime_ns for path in dead} == {path: left.get(path) for path in dead}  # workers died


def wait(ready: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while not ready() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.02)


def searches() -> list[str]:
    names = {path.stem for path in (config_folder() / "sweep").glob("*.yaml")}
    return sorted(names - {"equal_budget"})  # which the searches of tune/ build on


def composed(*words: str) -> Any:
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        return compose("train", overrides=list(words), return_hydra_config=True)


@pytest.mark.parametrize("name", searches())
def test_every_setting_that_a_search_varies_exists(name: str) -> None:
    config = composed(f"sweep={name}")
    loader = ConfigLoaderImpl(config_search_path=create_config_search_path(str(config_folder())))
    space = Space.parse(config.hydra.sweeper.params, [f"sweep={name}"], loader)
    for params in space.samples():
        composed(*space.overrides(params))


@pytest.mark.parametrize(("kind", "name"), PLUGGED)
def test_samplers_and_pruners_can_be_made(kind: str, name: str) -> None:
    node = composed("hydra/sweeper=graftrec_optuna", f"hydra/sweeper/{kind}={name}").hydra.sweeper[kind]
    own = {"search_space": {"a": [1, 2]}} if name == "grid" else {}
    made = instantiate(node, **own)
    assert node._target_ == f"optuna.{kind}s.{type(made).__name__}"

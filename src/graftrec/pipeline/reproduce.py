"""The story of ``graftrec reproduce``: a recipe's runs, and whether they give the published numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Final

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf, open_dict

from graftrec.errors import InputError
from graftrec.pipeline import build
from graftrec.pipeline.config import config_folder
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.train import train

FREE: Final = ("paper", "overrides", "paths", "store", "logger", "tags", "threads", "data.folder")  # change no number
SLACK: Final = 1e-9  # of floating point


@dataclass(frozen=True)
class Paper:
    """The published numbers of a recipe: ``title``, and ``row`` of the table where they stand.

    A metric without a target (null) is left out, such as one of a base that another row has not. One passes within ``tolerance`` of its target, and anywhere above where ``or_above``. ``time`` is what a run
    takes, in words.
    """

    title: str
    row: str
    targets: Mapping[str, float]
    tolerance: float
    or_above: bool = False
    seeds: Sequence[int] = (0,)
    time: str = ""


@dataclass(frozen=True)
class Recipe:
    """A file of ``conf/experiment`` that names targets, composed with the words of a command line."""

    name: str
    words: tuple[str, ...]
    config: DictConfig
    paper: Paper


@dataclass(frozen=True)
class Verdict:
    """One metric: mean and sample standard deviation over seeds beside its target."""

    metric: str
    target: float
    got: float
    std: float | None  # None: one seed
    difference: float
    tolerance: float
    or_above: bool
    passed: bool


@dataclass(frozen=True)
class Reproduction:
    """What came out, as ``reproduce.json`` keeps it. ``changed``: settings of the command line."""

    recipe: str
    title: str
    row: str
    changed: list[str]
    data: str
    leaky: bool
    seeds: list[int]
    seconds: float
    folder: str
    metrics: list[Verdict]

    @property
    def passed(self) -> bool:
        return all(verdict.passed for verdict in self.metrics)


def experiments() -> list[str]:
    """Names of all files of ``conf/experiment``."""
    root = config_folder() / "experiment"
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.yaml"))


def recipes() -> Iterator[Recipe]:
    """Those of ``experiments`` that name targets."""
    for name in experiments():
        config = _composed([f"experiment={name}"])
        if config.paper is not None:
            yield _recipe(name, (), config)


def recipe(name: str, words: Sequence[str] = ()) -> Recipe:
    """The recipe ``name`` under the settings ``words``; refuses one without targets."""
    config = _composed([f"experiment={name}", *words])
    if config.paper is None:
        raise InputError(
            f"experiment={name} names no published numbers; graftrec reproduce --list shows those that do."
        )
    return _recipe(name, tuple(words), config)


def reproduce(recipe: Recipe, seeds: Sequence[int], folder: Path) -> Reproduction:
    """A run for each of ``seeds`` under ``folder``, which keeps finished ones and continues others, and the verdict."""
    configs = {seed: _composed([f"experiment={recipe.name}", *recipe.words, f"seed={seed}"]) for seed in seeds}
    runs = {seed: RunFolder(folder / f"seed{seed}") for seed in seeds}
    for seed, run in runs.items():  # before any is trained
        _check_same(run, configs[seed])
    for seed, run in runs.items():
        if not run.metrics.is_file():
            train(configs[seed], run.path)
    result = judge(recipe, list(runs.values()), folder)
    content = {"passed": result.passed, **asdict(result)}
    RunFolder.write_json(folder / "reproduce.json", content, "folder")
    return result


def judge(recipe: Recipe, runs: Sequence[RunFolder], folder: Path) -> Reproduction:
    """Compare finished ``runs`` with the targets."""
    metrics, facts = ([RunFolder.read_json(getattr(r, name)) for r in runs] for name in ("metrics", "facts"))
    for name in recipe.paper.targets:
        if name not in metrics[0]:
            raise InputError(f"paper.targets of {recipe.name} has {name}; a run has {', '.join(sorted(metrics[0]))}.")
    return Reproduction(
        recipe=recipe.name,
        title=recipe.paper.title,
        row=recipe.paper.row,
        changed=list(recipe.words),
        data=facts[0]["data"]["id"],
        leaky="leaky" in facts[0]["tags"],
        seeds=[int(run.read_config().seed) for run in runs],
        seconds=round(sum(stage["seconds"] for fact in facts for stage in fact["stages"].values()), 1),
        folder=str(folder),
        metrics=[verdict(recipe.paper, name, [values[name] for values in metrics]) for name in recipe.paper.targets],
    )


def verdict(paper: Paper, metric: str, values: Sequence[float]) -> Verdict:
    """Whether the mean of ``values``, one a seed, is as published."""
    target, got = paper.targets[metric], mean(values)
    passed = abs(got - target) <= paper.tolerance + SLACK or (paper.or_above and got > target)
    std = stdev(values) if len(values) > 1 else None
    return Verdict(metric, target, got, std, got - target, paper.tolerance, paper.or_above, passed)


def _recipe(name: str, words: tuple[str, ...], config: DictConfig) -> Recipe:
    told: dict[str, Any] = OmegaConf.to_container(config.paper)  # type: ignore[assignment]
    told["targets"] = {metric: target for metric, target in told.get("targets", {}).items() if target is not None}
    try:
        return Recipe(name, words, config, Paper(**told))
    except TypeError as error:
        raise InputError(f"paper of experiment={name}: {error}") from error


def _composed(words: Sequence[str]) -> DictConfig:
    """What ``graftrec train`` makes of ``words``."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        config = compose("train", overrides=list(words), return_hydra_config=True)
    choices = config.hydra.runtime.choices
    with open_dict(config):
        del config["hydra"]
        config.choices = {group: chosen for group, chosen in choices.items() if not group.startswith("hydra/")}
        config.overrides = list(words)
    return config


def _check_same(run: RunFolder, config: DictConfig) -> None:
    """Refuse a folder whose run has other settings."""
    if not run.config.is_file():
        return
    there, here = (dict(_flat(content)) for content in (build.plain(run.read_config()), build.plain(config)))
    other = [key for key in sorted({*there, *here}) if there.get(key) != here.get(key) and not key.startswith(FREE)]
    if other:
        raise InputError(
            f"{run.path} holds a run with {other[0]}={there.get(other[0])}, and this command has {here.get(other[0])}; "
            f"give the same settings, another folder=..., or delete it."
        )


def _flat(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names of all values in nested dictionaries."""
    for name, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value

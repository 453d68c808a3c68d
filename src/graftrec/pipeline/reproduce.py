"""The story of ``graftrec reproduce``: a recipe's runs, and whether they give the published numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Final

from omegaconf import DictConfig, OmegaConf

from graftrec.errors import InputError
from graftrec.pipeline import build
from graftrec.pipeline.composed import composed
from graftrec.pipeline.config import config_folder, flat
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.train import train

HARMLESS: Final = ("paths", "store", "logger", "tags", "threads", "memory_check", "trainer.enable_progress_bar")
FREE: Final = (*HARMLESS, "paper", "overrides", "data.folder", "callbacks.progress")  # may differ from a run's own
Start = Callable[[DictConfig, Path], Any]
BASE: Final = "/experiment/"  # how a recipe names the one that it builds on
SLACK: Final = 1e-9  # of floating point


@dataclass(frozen=True)
class Paper:
    """The published numbers of a recipe: ``title``, and ``row`` of the table where they stand.

    A metric whose target is null is left out: one of a base that this row has not. The others pass within ``tolerance``
    of their targets, and anywhere above where ``or_above``. ``time`` is what a run takes, in words.
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
    paper: Paper


@dataclass(frozen=True)
class Outline:
    """A recipe as a list shows it; ``availability`` of its data: here, download or missing."""

    name: str
    paper: Paper
    data: str
    availability: str


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


def outlines() -> list[Outline]:
    """Those of ``experiments`` that name targets, without composing each."""
    told = {name: _outline(name) for name in experiments()}
    data = {name: composed([f"data={name}"]).data for name in {own["data"] for own in told.values() if own["paper"]}}
    there = {name: build.instantiate(config).availability() for name, config in data.items()}
    return [
        Outline(name, _paper(name, own["paper"]), own["data"], there[own["data"]])
        for name, own in told.items()
        if own["paper"]
    ]


def recipe(name: str, words: Sequence[str] = ()) -> Recipe:
    """The recipe ``name`` under the settings ``words``; refuses one without targets."""
    config = composed([f"experiment={name}", *words])
    if config.paper is None:
        raise InputError(
            f"experiment={name} names no published numbers; graftrec reproduce --list shows those that do."
        )
    told: dict[str, Any] = OmegaConf.to_container(config.paper)  # type: ignore[assignment]
    return Recipe(name, tuple(words), _paper(name, told))


def reproduce(recipe: Recipe, seeds: Sequence[int], folder: Path, start: Start = train) -> Reproduction:
    """A run for each of ``seeds`` under ``folder``, which keeps finished ones and continues others, and the verdict.

    ``start`` trains the run of a configuration in a folder.
    """
    configs = {seed: composed([f"experiment={recipe.name}", *recipe.words, f"seed={seed}"]) for seed in seeds}
    runs = {seed: RunFolder(folder / f"seed{seed}") for seed in seeds}
    for seed, run in runs.items():  # before any is trained
        _check_same(run, configs[seed])
    for seed, run in runs.items():
        if not run.metrics.is_file():
            start(configs[seed], run.path)
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
        changed=[word for word in recipe.words if not word.lstrip("+~").startswith(HARMLESS)],
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


def _outline(name: str) -> dict[str, Any]:
    """``paper`` and the name of the ``data`` that a recipe sets, itself or by the recipe that it builds on."""
    own = DictConfig(OmegaConf.load(config_folder() / "experiment" / f"{name}.yaml"))
    told: dict[str, Any] = {"paper": {}, "data": None}
    for entry in own.get("defaults", []):
        if isinstance(entry, str) and entry.startswith(BASE):
            told = _outline(entry.removeprefix(BASE))
        elif not isinstance(entry, str) and "override /data" in entry:
            told["data"] = entry["override /data"]
    merged = OmegaConf.merge(told["paper"], own.get("paper") or {})
    return {**told, "paper": OmegaConf.to_container(merged)}


def _paper(name: str, told: Mapping[str, Any]) -> Paper:
    if not isinstance(told.get("targets", {}), Mapping):
        raise InputError(f"paper.targets of experiment={name} must map metrics to numbers, not be {told['targets']}.")
    targets = {metric: target for metric, target in told.get("targets", {}).items() if target is not None}
    if not targets:
        raise InputError(
            f"paper.targets of experiment={name} is empty; give metrics, such as {{test/recall@20: 0.18}}."
        )
    for key, value in {"tolerance": told.get("tolerance"), **targets}.items():
        if not isinstance(value, int | float):
            raise InputError(f"paper.{key}={value} of experiment={name} must be a number, such as 0.002.")
    try:
        return Paper(**{**told, "targets": targets})
    except TypeError as error:
        raise InputError(f"paper of experiment={name}: {error}") from error


def _check_same(run: RunFolder, config: DictConfig) -> None:
    """Refuse a folder whose run has other settings."""
    if not run.config.is_file():
        return
    there, here = (dict(flat(content)) for content in (build.plain(run.read_config()), build.plain(config)))
    other = [key for key in sorted({*there, *here}) if there.get(key) != here.get(key) and not key.startswith(FREE)]
    if other:
        raise InputError(
            f"{run.path} holds a run with {other[0]}={there.get(other[0])}, and this command has {here.get(other[0])}; "
            f"give the same settings, another folder=..., or delete it."
        )

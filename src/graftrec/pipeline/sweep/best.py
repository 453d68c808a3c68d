"""The best trials as recipes, and the search space in W&B's words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import yaml
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial

from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.sweep.grammar import Space, word
from graftrec.pipeline.sweep.run import Sweep, state_of

LEAKY = "leaky"
HEADER = """# @package _global_
# Trial {number} of the sweep {name}: {values}.
# graftrec train --config-dir {folder} experiment={file}{deletions}
"""


def best_trials(sweep: Sweep) -> list[FrozenTrial]:
    """The feasible complete trials that no other one beats in every objective; the most balanced one first."""
    complete = [trial for trial in sweep.ledger.trials if state_of(trial) == "complete"]
    first = {str(trial.values): trial for trial in reversed(complete)}  # of equal ones the earliest
    if not first:
        return []
    trials = list(first.values())
    signs = [1 if direction == "maximize" else -1 for direction in sweep.settings.directions]
    points = np.array([trial.values for trial in trials]) * signs
    front = [i for i, p in enumerate(points) if not ((points >= p).all(1) & (points > p).any(1)).any()]
    return [trials[front[i]] for i in np.argsort(_distance(points[front]), kind="stable")]


def _distance(points: np.ndarray) -> np.ndarray:
    """Euclidean distance [n] of each point of a front to the best value of every objective, each scaled to 0..1."""
    span = np.ptp(points, axis=0)
    return np.linalg.norm((points.max(0) - points) / np.where(span == 0, 1, span), axis=1)


def write_recipes(sweep: Sweep, trials: Sequence[FrozenTrial]) -> None:
    """``experiment/best.yaml`` for the first trial; for a front of several also one file each."""
    names = {"best": trials[0]} | ({f"trial_{t.number}": t for t in trials} if len(trials) > 1 else {})
    for old in (sweep.folder / "experiment").glob("trial_*.yaml"):
        old.unlink()
    for name, trial in names.items():
        values = ", ".join(f"{n} = {v:.6g}" for n, v in zip(sweep.settings.objectives, trial.values, strict=True))
        seeds = f" ({sweep.settings.aggregate} of {sweep.settings.repeats} seeds)" * (sweep.settings.repeats > 1)
        words = sweep.space.overrides(trial.params)
        header = HEADER.format(
            number=trial.number,
            name=sweep.folder.name,
            values=values + seeds,
            folder=sweep.folder,
            file=name,
            deletions="".join(f" {word}" for word in words if word.startswith("~")),  # no file can say these
        )
        if "seed" not in sweep.space.distributions:
            words.append(f"seed={sweep.config.seed}")
        content = recipe(words, sweep.loader)
        if LEAKY in (tags := tags_of(sweep, trial)):  # chosen on the test set: so is what the file trains
            content["tags"] = tags
        text = header + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        RunFolder.write_text(sweep.folder / "experiment" / f"{name}.yaml", text, "hydra.sweep.dir")


def tags_of(sweep: Sweep, trial: FrozenTrial) -> list[str]:
    """Of the trial's runs, as their folders keep them."""
    number = trial.user_attrs.get("same_as", trial.number)
    facts = (RunFolder(path).facts for path in sorted(sweep.folder.glob(f"{number}_*")))
    return next((list(RunFolder.read_json(path)["tags"]) for path in facts if path.is_file()), [])


def recipe(words: Sequence[str], loader: ConfigLoader) -> dict[str, Any]:
    """Overrides of a command line as an experiment: groups in the defaults, settings below; ``~deletions`` left out."""
    defaults: list[Any] = []
    settings: dict[str, Any] = {}
    for override in OverridesParser.create(config_loader=loader).parse_overrides(list(words)):
        key, value = override.key_or_group, override.value()
        if override.is_delete():
            continue
        if key == "experiment":
            defaults[:0] = [] if value is None else [value]
        elif loader.get_group_options(key):
            package = f"@{override.package}" if override.package else ""
            change = "" if override.is_add() else "override "
            defaults.append({f"{change}/{key}{package}": value})
        else:
            _put(settings, key.split("."), value)
    return {**({"defaults": [*defaults, "_self_"] if _own(defaults) else defaults} if defaults else {}), **settings}


def _own(defaults: Sequence[Any]) -> bool:
    """Whether another experiment is underneath, whose settings come before these."""
    return any(isinstance(entry, str) for entry in defaults)


def _put(settings: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        settings = settings.setdefault(name, {})
    settings[path[-1]] = value


def write_wandb_sweep(sweep: Sweep) -> None:
    """The same search as a W&B sweep: ``wandb sweep wandb_sweep.yaml``. W&B takes the first objective only."""
    objective = sweep.settings.objectives[0]
    goal = sweep.settings.directions[0]
    content = {
        "name": sweep.folder.name,
        "command": ["graftrec", "train", "${args_no_hyphens}"],
        "method": "bayes",
        "metric": {"name": objective, "goal": goal},
        "run_cap": sweep.settings.n_trials,
        "parameters": wandb_parameters(sweep.space),
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    RunFolder.write_text(sweep.folder / "wandb_sweep.yaml", text, "hydra.sweep.dir")


def wandb_parameters(space: Space) -> dict[str, Mapping[str, Any]]:
    """The space in W&B's distributions; what is fixed is a value."""
    fixed = {key: {"value": value} for key, value in space.fixed.items()}
    return {**fixed, **{key: _wandb(distribution) for key, distribution in space.distributions.items()}}


def _wandb(distribution: BaseDistribution) -> dict[str, Any]:
    if isinstance(distribution, CategoricalDistribution):
        return {"values": [word(v) if not isinstance(v, int | float) else v for v in distribution.choices]}
    low, high, step, log = (getattr(distribution, name) for name in ("low", "high", "step", "log"))
    whole = isinstance(low, int)
    if whole and log:
        return {"distribution": "q_log_uniform_values", "min": low, "max": high, "q": 1}
    if log:
        return {"distribution": "log_uniform_values", "min": low, "max": high}
    if step in (None, 1) or (whole and step == 1):
        return {"distribution": "int_uniform" if whole else "uniform", "min": low, "max": high}
    return {"distribution": "q_uniform", "min": low, "max": high, "q": step}

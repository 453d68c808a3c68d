"""What a sweep needs before its first trial, from Hydra's configuration."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from graftrec.errors import InputError
from graftrec.pipeline import build
from graftrec.pipeline.sweep.grammar import Space
from graftrec.pipeline.sweep.ledger import MakeSampler, seeded
from graftrec.pipeline.sweep.settings import Settings

NO_PRUNER = "optuna.pruners.NopPruner"


def settings_of(config: DictConfig, given: Mapping[str, Any]) -> Settings:
    """The sweeper's settings, and what Hydra's others say where they say nothing."""
    plain: dict[str, Any] = {k: OmegaConf.to_container(v) if OmegaConf.is_config(v) else v for k, v in given.items()}
    objectives = plain.pop("objectives") or config.monitor
    limits = {name: float(limit) for name, limit in (plain.pop("constraints") or {}).items() if limit is not None}
    jobs = plain.pop("n_jobs") or config.hydra.launcher.get("n_jobs", 1)
    return Settings(
        objectives=[objectives] if isinstance(objectives, str) else list(objectives),
        constraints=limits,
        n_jobs=os.cpu_count() or 1 if jobs == -1 else jobs,
        **plain,
    )


def check_repeats(settings: Settings, space: Space) -> None:
    """Refuse two answers to the question of the seed."""
    if settings.repeats > 1 and "seed" in space.distributions:
        raise InputError("hydra.sweeper.repeats changes the seed, and so does the search space; leave one of them out.")


def check_pruner(pruner: DictConfig, settings: Settings) -> bool:
    """Whether trials may be pruned."""
    if pruner._target_ == NO_PRUNER:
        return False
    if len(settings.objectives) > 1:
        raise InputError(
            "A pruner compares one number an epoch, so Optuna prunes for one objective only, and there are "
            f"{len(settings.objectives)}: take hydra/sweeper/pruner=none, or leave one in hydra.sweeper.objectives."
        )
    if not settings.objectives[0].startswith("valid/"):
        raise InputError(
            f"{settings.objectives[0]} is known only at the end of a run, so it cannot prune; take "
            f"hydra/sweeper/pruner=none, or a validation metric."
        )
    return True


def folder_of(config: DictConfig, space: Space, settings: Settings) -> Path:
    """The sweep's folder: the one given, or one named by the question, so that the same command finds it again."""
    configured = str(OmegaConf.to_container(config.hydra.sweep, resolve=False)["dir"])  # type: ignore[index, call-overload]
    if "${now:" in configured:
        question = json.dumps([space.to_json(), list(settings.objectives), settings.repeats, settings.aggregate])
        chosen = config.hydra.runtime.choices.get("sweep") or "own"
        name = f"sweep_{chosen.replace('/', '_')}_{hashlib.sha256(question.encode()).hexdigest()[:8]}"
        with read_write(config.hydra), open_dict(config.hydra):
            config.hydra.sweep.dir = str(Path(config.hydra.sweep.dir).parent / name)
    return Path(config.hydra.sweep.dir).absolute()


def compose_all(config: DictConfig, loader: ConfigLoader, space: Space) -> None:
    """Every choice once: a wrong word is told now, not when it is drawn."""
    for params in space.samples():
        loader.load_sweep_config(config, space.overrides(params))


def sampler_of(node: DictConfig, space: Space) -> MakeSampler:
    """Makes the sampler for the trial of a number."""
    own = {"search_space": space.grid()} if node._target_.endswith(".GridSampler") else {}
    seed = node.get("seed")

    def make(number: int) -> Any:
        given = {} if seed is None else {"seed": seed if own else seeded(seed, number)}
        return build.instantiate(node, **own, **given)

    return make

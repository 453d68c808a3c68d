"""The sweep as one tracked run beside those of its trials."""

from typing import TYPE_CHECKING, Any

import polars as pl
from omegaconf import OmegaConf

from graftrec.pipeline import build
from graftrec.pipeline.sweep.run import Sweep
from graftrec.pipeline.tracking import RunInfo, Wandb, tracked_by_wandb

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


def track(sweep: Sweep, trials: pl.DataFrame, best: "FrozenTrial") -> None:
    """The table of trials and the best one, in the trials' group; W&B only, where ``logger`` has it."""
    trackers: dict[str, Any] = build.instantiate(sweep.config.get("logger")) or {}
    settings = {
        "objectives": list(sweep.settings.objectives),
        "n_trials": sweep.settings.n_trials,
        "space": sweep.space.to_json(),
    }
    tags = list(OmegaConf.to_container(sweep.config.tags))  # type: ignore[arg-type]
    info = RunInfo(sweep.folder, sweep.folder.name, settings, sweep.folder.name, "sweep", tags)
    for tracker in trackers.values():
        if isinstance(tracker, Wandb):
            values = dict(zip(sweep.settings.objectives, best.values, strict=True))
            summary = {f"best/{name}": value for name, value in {**values, **best.params}.items()}
            tracked_by_wandb(tracker, info, {"best/trial": best.number, **summary}, trials)

"""Hydra's hook at the end of a multirun: one table of all its runs."""

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig


class SweepSummary(Callback):
    """Prints and writes the summary of the sweep folder; a search by Optuna has its own."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        if "n_trials" in config.hydra.sweeper:
            return
        from graftrec.reporting.summary import print_summary

        print_summary(Path(config.hydra.sweep.dir).resolve())

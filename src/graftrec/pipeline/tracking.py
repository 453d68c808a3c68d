"""Loggers: csv always, W&B and TensorBoard by choice; closed in every case."""

import netrc
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import polars as pl
from pytorch_lightning.loggers import Logger

from graftrec.errors import InputError, check_choice
from graftrec.training.csv_logger import EpochCSVLogger
from graftrec.training.pruning import Pruned


@dataclass(frozen=True)
class RunInfo:
    """What trackers are told of a run."""

    folder: Path
    config: dict[str, Any]
    group: str
    job_type: str
    tags: Sequence[str]
    facts: dict[str, Any] = field(default_factory=dict)  # data id, hash, sizes


class Tracker(Protocol):
    """Opens a Lightning logger for a run and closes it."""

    def open(self, info: RunInfo) -> Logger: ...

    def close(self, failed: bool) -> None: ...


@contextmanager
def tracked(trackers: Mapping[str, Tracker], info: RunInfo) -> Iterator[list[Logger]]:
    """Loggers for the time of a run: csv and ``trackers``; each is closed, also when the run fails or is pruned."""
    opened: list[Tracker] = []
    failed = True
    try:
        loggers: list[Logger] = [EpochCSVLogger(info.folder / "metrics.csv")]
        for tracker in trackers.values():
            opened.append(tracker)
            loggers.append(tracker.open(info))
        yield loggers
        failed = False
    except Pruned:
        failed = False
        raise
    finally:
        for tracker in opened:
            tracker.close(failed)


@dataclass
class Wandb:
    """Weights & Biases. ``mode=auto`` is online where an API key is set in the environment, else offline."""

    project: str = "graftrec"
    entity: str | None = None
    mode: str = "auto"

    def __post_init__(self) -> None:
        check_choice("logger.wandb.mode", self.mode, ("auto", "online", "offline", "disabled"))

    def open(self, info: RunInfo) -> Logger:
        """Start one W&B run in the run folder; never prompts."""
        import wandb
        from pytorch_lightning.loggers import WandbLogger

        auto = os.environ.get("WANDB_MODE") or ("online" if _has_key() else "offline")
        mode = auto if self.mode == "auto" else self.mode
        if mode == "online" and not _has_key():
            raise InputError("logger.wandb.mode=online needs an API key; set WANDB_API_KEY, or leave the mode at auto.")
        known = info.folder / "wandb_id.txt"  # a resumed run stays the same W&B run
        if not known.is_file():
            known.write_text(secrets.token_hex(4))
        run = wandb.init(
            id=known.read_text(),
            resume="allow",
            project=self.project,
            entity=self.entity,
            name=info.folder.name,
            group=info.group,
            job_type=info.job_type,
            tags=list(info.tags),
            config={**info.config, **info.facts},
            dir=str(info.folder),
            mode=mode,  # type: ignore[arg-type]
            settings=wandb.Settings(silent=True, console="off"),
            reinit="finish_previous",
        )
        return WandbLogger(experiment=run)

    def close(self, failed: bool) -> None:
        """Finish the run; a crash is marked as one."""
        import wandb

        wandb.finish(exit_code=int(failed))


def tracked_by_wandb(tracker: Wandb, info: RunInfo, summary: dict[str, Any], trials: pl.DataFrame) -> None:
    """A run that has only a summary and a table."""
    import wandb

    failed = True
    try:
        run = tracker.open(info).experiment  # type: ignore[attr-defined]
        run.summary.update(summary)
        run.log({"trials": wandb.Table(columns=[*trials.columns], data=trials.rows())})
        failed = False
    finally:
        tracker.close(failed)


def _has_key() -> bool:
    """Whether W&B would find a key, in the environment or where ``wandb login`` put it."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        return netrc.netrc().authenticators("api.wandb.ai") is not None
    except (OSError, netrc.NetrcParseError):
        return False


@dataclass
class TensorBoard:
    """TensorBoard event files in the run folder."""

    _logger: Logger | None = None

    def open(self, info: RunInfo) -> Logger:
        """Start writing under ``tensorboard/``."""
        from pytorch_lightning.loggers import TensorBoardLogger

        self._logger = TensorBoardLogger(save_dir=info.folder, name="tensorboard", version="")
        return self._logger

    def close(self, failed: bool) -> None:
        """Flush and close the event file."""
        if self._logger is not None:
            self._logger.finalize("failed" if failed else "success")

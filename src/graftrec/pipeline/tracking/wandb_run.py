"""A run in Weights & Biases."""

import json
import netrc
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from pytorch_lightning.loggers import Logger

from graftrec.errors import InputError, check_choice
from graftrec.pipeline.tracking.base import RunInfo, survived, warn_of
from graftrec.pipeline.tracking.report import Report

if TYPE_CHECKING:
    import wandb

LONGEST: Final = 128  # characters of a name that W&B takes
ROWS: Final = 10_000  # of a table; the run folder has all


@dataclass
class Wandb:
    """Weights & Biases. ``mode=auto`` is online where an API key is set in the environment, else offline."""

    project: str = "graftrec"
    entity: str | None = None
    mode: str = "auto"
    _run: "wandb.Run | None" = None

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
        self._run = wandb.init(
            id=_id(info),
            resume="allow",
            project=self.project,
            entity=self.entity,
            name=info.name[:LONGEST],
            group=info.group,
            job_type=info.job_type,
            tags=list(info.tags),
            config={**info.config, **info.facts},
            dir=str(info.folder),
            mode=mode,  # type: ignore[arg-type]
            settings=wandb.Settings(silent=True, console="off"),
            reinit="finish_previous",
        )
        return WandbLogger(experiment=self._run)

    def report(self, report: Report) -> None:
        """Final numbers as the summary, tables, and the files that were made."""
        assert self._run is not None
        self._run.summary.update({**report.metrics, **report.costs, **report.baselines})
        with _staged_beside(self._run):
            self._run.log({name: _table(table) for name, table in report.tables.items()})
            _log_files(self._run, report)
            if not self._run.offline:  # W&B knows no versions of artifacts offline
                self._run.use_artifact(_data_artifact(report.facts["data"]))

    def close(self, status: str) -> None:
        """Finish the run; a crash is marked as one."""
        if self._run is not None:
            self._run.summary["status"] = status
            self._run.finish(exit_code=int(status == "failed"))


def tracked_by_wandb(tracker: Wandb, info: RunInfo, summary: dict[str, Any], trials: pl.DataFrame) -> None:
    """A run that has only a summary and a table: a sweep, which has ended whether or not W&B can be told."""
    status, failures = "failed", dict[str, str]()
    try:
        with survived("wandb", failures):
            run = tracker.open(info).experiment  # type: ignore[attr-defined]
            run.summary.update(summary)
            with _staged_beside(run):
                run.log({"trials": _table(trials)})
            status = "finished"
    finally:
        with survived("wandb", failures):
            tracker.close(status)
        warn_of(failures, f"The sweep in {info.folder} is whole; its command once more tells it again.")


@contextmanager
def _staged_beside(run: "wandb.Run") -> Iterator[None]:
    """What W&B would copy to the home folder until it is uploaded, for offline runs for ever, stays with the run."""
    if "WANDB_DATA_DIR" in os.environ:
        yield
        return
    os.environ["WANDB_DATA_DIR"] = str(Path(run.dir).parent)
    try:
        yield
    finally:
        del os.environ["WANDB_DATA_DIR"]


def _id(info: RunInfo) -> str:
    """Kept in the run folder: a resumed run stays the same W&B run."""
    known = info.folder / "wandb_id.txt"
    if not known.is_file():
        known.write_text(secrets.token_hex(4))
    return known.read_text()


def _table(table: pl.DataFrame) -> "wandb.Table":
    """At most ``ROWS`` rows, drawn evenly."""
    import wandb

    shown = table if len(table) <= ROWS else table.gather_every(-(-len(table) // ROWS))
    return wandb.Table(columns=[*shown.columns], data=shown.rows())


def _log_files(run: "wandb.Run", report: Report) -> None:
    """One artifact a file; the files stay where they are, W&B makes no copy before it uploads them."""
    import wandb

    data = report.facts["data"]
    about = {"run": run.name, "data_id": data["id"], "data_hash": data["hash"]}
    for kind, path in report.files.items():
        artifact = wandb.Artifact(f"{kind}-{run.id}", kind, metadata=about)
        artifact.add_file(str(path), policy="immutable", skip_cache=True)
        run.log_artifact(artifact)


def _data_artifact(data: Mapping[str, Any]) -> "wandb.Artifact":
    """Names the data set: all runs on equal data use the same version."""
    import wandb

    artifact = wandb.Artifact(re.sub(r"[^\w.-]", "-", data["id"]), "dataset", metadata={"hash": data["hash"]})
    with artifact.new_file("data.json") as file:
        json.dump(data, file)
    return artifact


def _has_key() -> bool:
    """Whether W&B would find a key, in the environment or where ``wandb login`` put it."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        return netrc.netrc().authenticators("api.wandb.ai") is not None
    except (OSError, netrc.NetrcParseError):
        return False

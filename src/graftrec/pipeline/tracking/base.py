"""What a tracker is, and the time of a run in which its trackers are open."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pytorch_lightning.loggers import Logger

from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.tracking.report import Report
from graftrec.training.csv_logger import EpochCSVLogger
from graftrec.training.pruning import Pruned


@dataclass(frozen=True)
class RunInfo:
    """What trackers are told of a run before it is trained."""

    folder: Path
    name: str
    config: dict[str, Any]
    group: str
    job_type: str
    tags: Sequence[str]
    facts: dict[str, Any] = field(default_factory=dict)  # data id and hash, environment, the feature store's key


class Tracker(Protocol):
    """Opens a Lightning logger for a run, is told the results, and closes it."""

    def open(self, info: RunInfo) -> Logger: ...

    def report(self, report: Report) -> None: ...

    def close(self, status: str) -> None:
        """``status``: finished, pruned or failed."""
        ...


@dataclass(frozen=True)
class Tracking:
    """The open trackers of a run and their loggers, the csv file's first.

    What a tracker cannot be told at the end is a failure of its own, not of the run: it is kept in ``failures``.
    """

    loggers: list[Logger]
    trackers: dict[str, Tracker] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)  # by tracker

    def report(self, run: RunFolder) -> None:
        """Tell all trackers what the finished run's folder holds."""
        report = Report.of(run)
        for name, tracker in self.trackers.items():
            with survived(name, self.failures):
                tracker.report(report)

    def close(self, status: str, run: RunFolder) -> None:
        """Close all trackers; their failures are told and kept in run.json."""
        for name, tracker in self.trackers.items():
            with survived(name, self.failures):
                tracker.close(status)
        if self.failures and run.facts.is_file():
            RunFolder.write_json(run.facts, {**RunFolder.read_json(run.facts), "tracking": self.failures})
        warn_of(self.failures, f"The run folder is whole; to tell it again: graftrec train resume={run.path}")


@contextmanager
def tracked(trackers: Mapping[str, Tracker], info: RunInfo) -> Iterator[Tracking]:
    """Open csv and ``trackers`` for the time of a run; each is closed, also when the run fails or is pruned."""
    tracking, status = Tracking([EpochCSVLogger(info.folder / "metrics.csv")]), "failed"
    try:
        for name, tracker in trackers.items():
            tracking.trackers[name] = tracker
            tracking.loggers.append(tracker.open(info))
        yield tracking
        status = "finished"
    except Pruned:
        status = "pruned"
        raise
    finally:
        tracking.close(status, RunFolder(info.folder))


@contextmanager
def survived(name: str, failures: dict[str, str]) -> Iterator[None]:
    """Note what fails inside, and go on; the first failure of ``name`` is the one that tells its cause."""
    try:
        yield
    except Exception as error:  # disk, network, account, a helper process that was killed: whatever W&B raises
        lines = str(error).strip().splitlines()
        failures.setdefault(name, ": ".join([type(error).__name__, *lines[:1]]))


def warn_of(failures: Mapping[str, str], advice: str) -> None:
    """Say which trackers were not told the end, and why."""
    for name, problem in failures.items():
        warnings.warn(f"logger.{name} was not told the end ({problem}). {advice}", stacklevel=2)

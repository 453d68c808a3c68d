"""What a tracker is, and the time of a run in which its trackers are open."""

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
    """The open trackers of a run and their loggers, the csv file's first."""

    loggers: list[Logger]
    trackers: list[Tracker]

    def report(self, run: RunFolder) -> None:
        """Tell all trackers what the finished run's folder holds."""
        report = Report.of(run)
        for tracker in self.trackers:
            tracker.report(report)


@contextmanager
def tracked(trackers: Mapping[str, Tracker], info: RunInfo) -> Iterator[Tracking]:
    """Open csv and ``trackers`` for the time of a run; each is closed, also when the run fails or is pruned."""
    tracking, status = Tracking([EpochCSVLogger(info.folder / "metrics.csv")], []), "failed"
    try:
        for tracker in trackers.values():
            tracking.trackers.append(tracker)
            tracking.loggers.append(tracker.open(info))
        yield tracking
        status = "finished"
    except Pruned:
        status = "pruned"
        raise
    finally:
        for tracker in tracking.trackers:
            tracker.close(status)

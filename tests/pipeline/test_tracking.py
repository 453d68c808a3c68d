"""The time in which trackers are open."""

from pathlib import Path

import polars as pl
import pytest

from graftrec.pipeline.tracking import RunInfo, Tracking, Wandb, tracked, tracked_by_wandb
from graftrec.training.pruning import Pruned
from tests.offline_wandb import OfflineRun


def info(folder: Path, name: str = "run") -> RunInfo:
    return RunInfo(folder, name, {"dim": 4}, "group", "train", ["tag"])


@pytest.mark.parametrize(
    ("error", "status", "code"), [(Pruned("no better"), "pruned", 0), (KeyboardInterrupt(), "failed", 1)]
)
def test_run_is_finished_whatever_ends_it(tmp_path: Path, error: BaseException, status: str, code: int) -> None:
    with pytest.raises(type(error)), tracked({"wandb": Wandb(mode="offline")}, info(tmp_path)):
        raise error
    run = OfflineRun(tmp_path)
    assert (run.exit_code, run.summary["status"]) == (code, status)


def test_what_was_logged_before_the_end_is_kept(tmp_path: Path) -> None:
    values = {"train/loss": 0.5, "epoch": 0}
    with pytest.raises(Pruned), tracked({"wandb": Wandb(mode="offline")}, info(tmp_path)) as tracking:
        _log_and_raise(tracking, values)
    assert OfflineRun(tmp_path).history["train/loss"].to_list() == [0.5]
    assert pl.read_csv(tmp_path / "metrics.csv").rows(named=True) == [values]


def _log_and_raise(tracking: Tracking, values: dict[str, float]) -> None:
    for logger in tracking.loggers:
        logger.log_metrics(values)
    raise Pruned


def test_long_tables_and_names_are_cut(tmp_path: Path) -> None:
    trials = pl.DataFrame({"number": range(20_001)})
    tracked_by_wandb(Wandb(mode="offline"), info(tmp_path, "x" * 200), {}, trials)
    run = OfflineRun(tmp_path)
    assert run.table("trials")["number"].to_list() == list(range(0, 20_001, 3))
    assert run.run["display_name"] == "x" * 128


def test_disabled_writes_nothing(tmp_path: Path) -> None:
    tracked_by_wandb(Wandb(mode="disabled"), info(tmp_path), {"best": 1.0}, pl.DataFrame({"number": [1]}))
    assert not list(tmp_path.rglob("*.wandb"))

"""Offline W&B runs: one a job, grouped, finished in every case."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.e2e.conftest import SMALL, Cli


def records(folder: Path) -> list[dict[str, Any]]:
    """All records of the one offline run under ``folder``."""
    (path,) = folder.glob("wandb/offline-run-*")
    program = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(path)]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_record(folder: Path) -> dict[str, Any]:
    """What W&B knows of the run itself."""
    found: dict[str, Any] = next(record["run"] for record in records(folder) if record["type"] == "run")
    return found


def exit_code(folder: Path) -> int:
    """The recorded end of the run."""
    (end,) = [record["exit"] for record in records(folder) if record["type"] == "exit"]
    return int(end.get("exit_code", 0))


def test_run_is_finished_and_carries_data_id_group_and_type(small_run: Path) -> None:
    run = run_record(small_run)
    assert (run["run_group"], run["job_type"], run["project"]) == ("synthetic/random-5core", "train", "graftrec")
    assert run["config"]["update"]["data_id"] == "synthetic/random-5core"
    assert exit_code(small_run) == 0


def test_crashed_run_is_finished_as_crashed(cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli("train", *SMALL, "objective=bpr", "optimizer.lr=1e38", f"hydra.run.dir={tmp_path}")
    assert "training diverged" in capsys.readouterr().err
    assert exit_code(tmp_path) == 1


def test_multirun_gives_one_grouped_run_a_job_and_a_summary(
    cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = tmp_path / "sweep"
    cli("train", "-m", *SMALL, "encoder=gcn,lightgcn", "seed=1,2", f"hydra.sweep.dir={sweep}")
    folders = sorted(path.parent for path in sweep.glob("*/metrics.json"))
    assert [folder.name for folder in folders] == ["0_gcn_seed1", "1_gcn_seed2", "2_lightgcn_seed1", "3_lightgcn_seed2"]
    assert {run_record(folder)["run_group"] for folder in folders} == {"sweep"}
    assert {exit_code(folder) for folder in folders} == {0}
    summary = pl.read_csv(sweep / "summary.csv")
    assert sorted(zip(summary["encoder"], summary["seed"], strict=True)) == [
        ("gcn", 1),
        ("gcn", 2),
        ("lightgcn", 1),
        ("lightgcn", 2),
    ]
    printed = capsys.readouterr().out.strip().splitlines()
    assert printed[-1] == str(sweep / "summary.csv")


def test_tensorboard_writes_event_files(cli: Cli, tmp_path: Path) -> None:
    cli("train", *SMALL, "logger=tensorboard", f"hydra.run.dir={tmp_path}")
    assert list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))
    assert not (tmp_path / "wandb").exists()

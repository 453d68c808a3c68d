"""A run that was killed ends with the numbers of one that was not."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl

from tests.e2e.conftest import SMALL, Cli

SETTINGS = [
    *(word for word in SMALL if not word.startswith(("trainer.max_epochs", "batch_size"))),
    "batch_size=8",  # long epochs, so that the kill falls inside one
    "encoder=gcn",
    "encoder.dropout=0.2",
    "scheduler=linear_decay",
    "trainer.max_epochs=4",
    "logger=csv",
]


def start(folder: Path, cache: Path) -> subprocess.Popen[bytes]:
    """A run in a process of its own."""
    words = ["train", *SETTINGS, f"hydra.run.dir={folder}", f"paths.cache={cache}"]
    code = f"import sys; sys.argv[1:] = {words!r}; from graftrec.cli.main import main; main()"
    return subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "OMP_NUM_THREADS": "1"})


def epochs_done(folder: Path) -> int:
    """Finished epochs by the learning curves."""
    curves = folder / "metrics.csv"
    return max(0, len(curves.read_text().splitlines()) - 1) if curves.is_file() else 0


def test_killed_and_resumed_run_gives_the_same_metrics(cli: Cli, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert start(whole, tmp_path).wait(timeout=300) == 0
    process = start(killed, tmp_path)
    deadline = time.monotonic() + 300
    while epochs_done(killed) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (killed / "metrics.json").exists()
    rows = (killed / "metrics.csv").read_text().splitlines()[1]
    code = f"import sys; sys.argv[1:] = ['train', 'resume={killed}']; from graftrec.cli.main import main; main()"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    metrics = [json.loads((folder / "metrics.json").read_text()) for folder in (whole, killed)]
    assert metrics[0] == metrics[1]
    assert (killed / "metrics.csv").read_text().splitlines()[1] == rows  # the curve before the kill is kept
    assert epochs_done(killed) == epochs_done(whole)
    seconds = pl.read_csv(killed / "metrics.csv")["cost/epoch_seconds"].sum()
    assert json.loads((killed / "run.json").read_text())["stages"]["train"]["seconds"] > seconds

"""``trainer=ddp`` from the command line: the run of one process, in two."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from tests.e2e.conftest import SMALL, Cli
from tests.e2e.test_resume import SETTINGS, epochs_done


def start(*words: str) -> subprocess.Popen[str]:
    """The command line in a process group of its own."""
    code = f"import sys; sys.argv[1:] = {['train', *words]!r}; from graftrec.cli.main import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def metrics_of(folder: Path) -> dict[str, float]:
    """The flat metrics of a run."""
    content: dict[str, float] = json.loads((folder / "metrics.json").read_text())
    return content


def files_of(folder: Path) -> set[str]:
    """Names of all files."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def processes_of(group: int) -> str:
    """Processes that are left of a group after two seconds: Python's own resource tracker needs a moment."""
    time.sleep(2)
    return subprocess.run(["pgrep", "-ag", str(group)], capture_output=True, text=True).stdout


def test_sweep_gives_the_runs_of_one_process(small_run: Path, tmp_path: Path) -> None:
    words = ["-m", *SMALL, "logger=csv", "trainer=ddp", "seed=0,1", f"paths.cache={tmp_path}"]
    process = start(*words, f"hydra.sweep.dir={tmp_path}/sweep", "hydra.sweep.subdir='seed${seed}'")
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert output.count("this run: ") == 2  # one process prints
    assert "Initializing" not in output
    assert metrics_of(tmp_path / "sweep" / "seed0") == pytest.approx(metrics_of(small_run), abs=1e-6)
    for folder in (tmp_path / "sweep" / "seed0", tmp_path / "sweep" / "seed1"):
        assert pl.read_csv(folder / "metrics.csv")["epoch"].to_list() == [0, 1, 2]
        assert files_of(folder) == {name for name in files_of(small_run) if "wandb" not in name}


def test_interrupted_and_resumed_run_is_that_of_one_process(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = start(*SETTINGS, "trainer=ddp", f"hydra.run.dir={folder}", f"paths.cache={tmp_path}")
    deadline = time.monotonic() + 200
    while epochs_done(folder) < 1 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Traceback" not in output
    assert output.strip().splitlines()[-1].strip() == f"graftrec train resume={folder}"
    assert processes_of(process.pid) == ""
    assert start(f"resume={folder}").wait(timeout=300) == 0
    cli("train", *SETTINGS, f"hydra.run.dir={tmp_path}/one")
    assert epochs_done(folder) == epochs_done(tmp_path / "one")
    assert metrics_of(folder) == pytest.approx(metrics_of(tmp_path / "one"), abs=1e-3)

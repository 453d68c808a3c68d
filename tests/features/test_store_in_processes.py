"""Processes that are killed, or encode at the same time."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from graftrec.features.store import FeatureStore

NUM_TEXTS, CHUNK = 60, 3
PROGRAM = """
import sys
from pathlib import Path
from tests.features.test_store_in_processes import encode
encode(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
"""


class SlowEncoder:
    """Writes each call into a file, and gives vectors that depend on the texts of the same call."""

    def __init__(self, calls: Path, seconds: float) -> None:
        self.calls, self.seconds = calls, seconds
        self.fingerprint = {"encoder": "slow"}

    def __call__(self, texts: list[str]) -> np.ndarray:
        with self.calls.open("a") as file:
            file.write("|".join(texts) + "\n")
        time.sleep(self.seconds)
        seeds = [sum(map(len, texts)), *"".join(texts).encode()]
        return np.random.default_rng(seeds).normal(size=(len(texts), 5)).astype(np.float32)


def encode(folder: Path, calls: Path, out: Path, seconds: float) -> None:
    """Encodes all texts and writes the features."""
    texts = [f"{'word ' * (n % 7)}{n}" for n in range(NUM_TEXTS)]
    np.save(out, FeatureStore(folder, CHUNK).get(SlowEncoder(calls, seconds), texts))


def start(folder: Path, name: str, seconds: float = 0.03) -> subprocess.Popen[str]:
    """A process that encodes for ``folder``/cache and writes ``name``.npy."""
    words = [folder / "cache", folder / "calls", folder / f"{name}.npy", seconds]
    command = [sys.executable, "-c", PROGRAM, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def calls(folder: Path) -> list[str]:
    """The texts of every call of an encoder."""
    path = folder / "calls"
    return path.read_text().splitlines() if path.is_file() else []


@pytest.fixture
def undisturbed(tmp_path: Path) -> np.ndarray:
    """Features of a run that nobody killed."""
    (tmp_path / "undisturbed").mkdir()
    encode(*(tmp_path / "undisturbed" / name for name in ("cache", "calls", "out.npy")), seconds=0)
    return np.load(tmp_path / "undisturbed" / "out.npy")


def test_killed_at_random_moments_it_loses_one_chunk_a_kill_and_ends_with_the_same_bits(
    tmp_path: Path, undisturbed: np.ndarray
) -> None:
    kills, moments = 0, random.Random(0)
    for _ in range(4):
        before, process = len(calls(tmp_path)), start(tmp_path, "out")
        while len(calls(tmp_path)) == before and process.poll() is None:
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.12))
        process.kill()
        kills += process.wait() == -signal.SIGKILL
    assert start(tmp_path, "out").wait() == 0
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), undisturbed)
    assert kills == 4
    assert NUM_TEXTS / CHUNK <= len(calls(tmp_path)) <= NUM_TEXTS / CHUNK + kills
    assert not list((tmp_path / "cache").rglob("*.partial"))


def test_two_processes_at_once_share_the_work(tmp_path: Path, undisturbed: np.ndarray) -> None:
    processes = [start(tmp_path, name) for name in ("one", "two")]
    messages = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], messages
    for name in ("one", "two"):
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}.npy"), undisturbed)
    assert sorted(calls(tmp_path)) == sorted(calls(tmp_path / "undisturbed"))  # none was encoded twice
    assert any("Another process is writing" in message for message in messages)


def test_it_removes_the_shards_of_killed_processes_and_no_file_that_another_is_writing(tmp_path: Path) -> None:
    encoder = SlowEncoder(tmp_path / "calls", seconds=0)
    store = FeatureStore(tmp_path / "cache", CHUNK)
    folder = store.path(encoder)
    folder.mkdir(parents=True)
    half_written, probe = folder / ".0a1b.safetensors.1.partial", folder / "..writable.1.partial"
    half_written.touch()
    probe.touch()
    store.get(encoder, ["a text"])
    assert not half_written.exists()
    assert probe.exists()

"""Learning rate, time, speed and memory of every epoch."""

import mmap
import os
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import polars as pl
import pytest
import torch
from pytorch_lightning import Callback
from pytorch_lightning.callbacks import Timer

from graftrec.data.dataset import Dataset
from graftrec.training.costs import EpochCosts
from graftrec.training.csv_logger import EpochCSVLogger
from graftrec.training.peak_memory import peak_memory_gib
from graftrec.training.schedulers import linear_decay
from tests.training.runs import data_module, fit, ranking_module


class Slow(Callback):
    """A validation of half a second."""

    def on_validation_start(self, *args: object) -> None:
        time.sleep(0.5)


@pytest.fixture(scope="module")
def table(synthetic: Dataset, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """metrics.csv of 2 epochs."""
    path, data = tmp_path_factory.mktemp("costs") / "metrics.csv", data_module(synthetic)
    module = ranking_module(data, optimizer=partial(torch.optim.Adam, lr=0.02), scheduler=linear_decay)
    fit(module, data, 2, EpochCSVLogger(path), [EpochCosts(), Slow()])
    return pl.read_csv(path)


def test_lr_is_that_of_the_epochs_first_step(table: pl.DataFrame) -> None:
    assert table["train/lr"].to_list() == pytest.approx([0.02, 0.01])


def test_validation_counts_as_time_but_not_for_speed(table: pl.DataFrame, synthetic: Dataset) -> None:
    for row in table.to_dicts():
        steps = len(synthetic.train) / row["cost/examples_per_second"]
        assert row["cost/epoch_seconds"] > 0.5 + steps


def test_an_epoch_that_is_cut_short_has_the_speed_of_its_steps(synthetic: Dataset, tmp_path: Path) -> None:
    data = data_module(synthetic)
    first_step = Timer(duration=timedelta(microseconds=1))
    fit(ranking_module(data), data, 2, EpochCSVLogger(tmp_path / "metrics.csv"), [EpochCosts(), first_step])
    (row,) = pl.read_csv(tmp_path / "metrics.csv").to_dicts()
    assert row["cost/examples_per_second"] > 1 / row["cost/epoch_seconds"]


def test_memory_is_the_process_peak(table: pl.DataFrame) -> None:
    peaks = table["cost/peak_gib"].to_list()
    assert 0.05 < peaks[0] <= peaks[1] <= peak_memory_gib() + 1e-3


def test_memory_that_was_freed_still_counts() -> None:
    with mmap.mmap(-1, 2**28) as block:  # 256 MiB that the allocator can't keep
        block[:: mmap.PAGESIZE] = bytes(2**28 // mmap.PAGESIZE)
    held = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**30
    assert peak_memory_gib() > held + 0.2

"""The benchmark of an epoch drives the pipeline as ``graftrec train`` does; it breaks where that changes."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SPEED = Path(__file__).parents[2] / "experiments" / "speed"
WORDS = (
    "data=synthetic",
    "features=none",
    "input=id",
    "baselines=none",
    "logger=[]",
    "batch_size=8",
    "dim=4",
    "trainer.check_val_every_n_epoch=2",  # the first epoch is not validated
)


@pytest.fixture
def epoch(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """experiments/speed/epoch.py, imported as when it is run."""
    monkeypatch.syspath_prepend(str(SPEED))
    yield importlib.import_module("epoch")
    for name in ("common", "epoch"):  # other experiments have a common.py too
        del sys.modules[name]


def test_the_timed_steps_are_steps_of_training(epoch: ModuleType) -> None:
    seconds, epoch_end, _, module = epoch.fit(epoch.config(*WORDS))
    assert seconds > 0
    assert epoch_end > 0
    assert module.trainer.global_step == epoch.WARM_UP + epoch.STEPS + 1

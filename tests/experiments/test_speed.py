"""The benchmark of an epoch drives the pipeline as ``graftrec train`` does; it breaks where that changes."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

SPEED = Path(__file__).parents[2] / "experiments" / "speed"
WORDS = ("data=synthetic", "features=none", "input=id", "baselines=none", "logger=[]", "batch_size=8", "dim=4")


@pytest.fixture
def epoch(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """experiments/speed/epoch.py, imported as when it is run."""
    monkeypatch.syspath_prepend(str(SPEED))
    for name in ("common", "epoch"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("epoch")


def test_the_timed_steps_are_steps_of_training(epoch: ModuleType) -> None:
    seconds, epoch_end, prepared, module = epoch.fit(epoch.config(*WORDS))
    assert seconds > 0
    assert epoch_end > 0
    assert module.trainer.global_step == epoch.WARM_UP + epoch.STEPS + 1
    assert module.graph is prepared.data.graph

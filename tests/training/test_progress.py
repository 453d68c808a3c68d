"""The progress bar."""

from unittest.mock import Mock

import pytest
from pytorch_lightning.callbacks import ProgressBar as LightningsBar

from graftrec.training.progress import ProgressBar


def test_the_version_number_of_the_logger_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LightningsBar, "get_metrics", lambda *_: {"v_num": 3134, "train/loss": 0.5})
    assert ProgressBar().get_metrics(Mock(), Mock()) == {"train/loss": 0.5}

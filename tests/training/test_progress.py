"""The progress bar."""

from pathlib import Path

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import RichProgressBar
from pytorch_lightning.loggers import CSVLogger

from graftrec.training.progress import ProgressBar


def test_the_version_number_of_the_logger_is_not_shown(tmp_path: Path) -> None:
    trainer = Trainer(accelerator="cpu", logger=CSVLogger(tmp_path, version=3134), enable_progress_bar=False)
    assert RichProgressBar().get_metrics(trainer, LightningModule()) == {"v_num": 3134}
    assert ProgressBar().get_metrics(trainer, LightningModule()) == {}

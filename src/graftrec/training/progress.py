"""The progress bar of training."""

from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import RichProgressBar


class ProgressBar(RichProgressBar):
    """Lightning's, without the version number of its logger."""

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> Any:
        return {name: value for name, value in super().get_metrics(trainer, pl_module).items() if name != "v_num"}

"""TensorBoard's event files."""

from dataclasses import dataclass

from pytorch_lightning.loggers import TensorBoardLogger

from graftrec.pipeline.tracking.base import RunInfo
from graftrec.pipeline.tracking.report import Report


@dataclass
class TensorBoard:
    """TensorBoard event files in the run folder."""

    _logger: TensorBoardLogger | None = None

    def open(self, info: RunInfo) -> TensorBoardLogger:
        """Start writing under ``tensorboard/``."""
        self._logger = TensorBoardLogger(save_dir=info.folder, name="tensorboard", version="")
        return self._logger

    def report(self, report: Report) -> None:
        """Nothing: it has the curves and the test metrics, and knows no tables."""

    def close(self, status: str) -> None:
        """Flush and close the event file."""
        if self._logger is not None:
            self._logger.finalize("failed" if status == "failed" else "success")

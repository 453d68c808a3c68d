"""Learning curves in one csv file that survives a resume."""

from pathlib import Path
from typing import Any

import polars as pl
from pytorch_lightning.loggers import Logger


class EpochCSVLogger(Logger):
    """One row an epoch in ``path``; rows from before a resume stay (Lightning's own logger deletes them).

    The file is rewritten under a temporary name and moved into place. Test metrics are not part of it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        rows = pl.read_csv(path).to_dicts() if path.is_file() else []
        self.rows: dict[int, dict[str, float]] = {int(row["epoch"]): row for row in rows}

    @property
    def name(self) -> str:
        return "csv"

    @property
    def version(self) -> str:
        return ""

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """The run folder's config.yaml has them."""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        curves = {name: value for name, value in metrics.items() if not name.startswith("test/")}
        if "epoch" not in curves or len(curves) == 1:
            return
        self.rows.setdefault(int(curves["epoch"]), {}).update(curves)
        partial = self.path.with_suffix(".partial")
        pl.DataFrame([self.rows[epoch] for epoch in sorted(self.rows)], infer_schema_length=None).write_csv(partial)
        partial.replace(self.path)

"""Learning curves in one csv file that survives a resume."""

from pathlib import Path
from typing import Any

import polars as pl
from pytorch_lightning.loggers import Logger

from graftrec.data.files import written
from graftrec.errors import InputError


class EpochCSVLogger(Logger):
    """One row an epoch in ``path``; rows from before a resume stay (Lightning's own logger deletes them).

    The file is rewritten under a temporary name and moved into place. Test metrics are not part of it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.rows: dict[int, dict[str, float]] = {}
        try:
            rows = pl.read_csv(path).to_dicts() if path.is_file() else []
            self.rows = {int(row["epoch"]): row for row in rows}
        except (pl.exceptions.PolarsError, OSError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path} is damaged ({error}); delete it to go on without the earlier epochs.") from error

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
        with written(self.path, "hydra.run.dir") as partial:
            pl.DataFrame([self.rows[epoch] for epoch in sorted(self.rows)], infer_schema_length=None).write_csv(partial)

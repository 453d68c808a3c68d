"""What trackers are told of a finished run: what its folder holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from graftrec.pipeline.run_folder import RunFolder


@dataclass(frozen=True)
class Report:
    """Read from the files, so that trackers and readers of the folder are told the same."""

    facts: Mapping[str, Any]  # run.json
    metrics: Mapping[str, float]  # metrics.json
    tables: Mapping[str, pl.DataFrame]  # per_user, recommendations, strata: those that the kind of run has
    files: Mapping[str, Path]  # by kind: model (the best checkpoint), embeddings

    @classmethod
    def of(cls, run: RunFolder) -> "Report":
        """Of a folder that is complete."""
        tables = {"per_user": run.per_user, "recommendations": run.examples, "strata": run.strata}
        files = {"model": run.best, "embeddings": run.embeddings}
        return cls(
            RunFolder.read_json(run.facts),
            RunFolder.read_json(run.metrics),
            {name: _read(path) for name, path in tables.items() if path.is_file()},
            {name: path for name, path in files.items() if path.is_file()},
        )

    @property
    def costs(self) -> dict[str, float]:
        """Seconds and peak memory by stage, epochs, parameters: flat names."""
        stages = {f"{name}_{what}": n for name, stage in self.facts["stages"].items() for what, n in stage.items()}
        epochs = {f"epochs_{name}": number for name, number in self.facts.get("epochs", {}).items()}
        sizes = {name: self.facts[name] for name in ("parameters",) if name in self.facts}
        return {f"cost/{name.replace(' ', '_')}": value for name, value in {**stages, **epochs, **sizes}.items()}

    @property
    def baselines(self) -> dict[str, float]:
        """Metrics of the simple recommenders, such as ``baseline/item-kNN/test/recall@20``."""
        beside = self.facts.get("baselines", {})
        return {f"baseline/{key}/{name}": n for key, made in beside.items() for name, n in made["metrics"].items()}


def _read(path: Path) -> pl.DataFrame:
    return pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)

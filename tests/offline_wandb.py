"""What an offline W&B run has recorded, read back from its files."""

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl


@dataclass(frozen=True)
class OfflineRun:
    """The one offline run under ``folder``."""

    folder: Path

    @property
    def path(self) -> Path:
        (found,) = self.folder.glob("wandb/offline-run-*")
        return found

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """Everything, in order."""
        program = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(self.path)]
        done = subprocess.run(program, capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def of_type(self, name: str) -> list[dict[str, Any]]:
        """Contents of the records of a type."""
        return [record[name] for record in self.records if record["type"] == name]

    @property
    def run(self) -> dict[str, Any]:
        """What W&B knows of the run itself."""
        return self.of_type("run")[0]

    @property
    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = self.run["config"]["update"]
        return config

    @property
    def exit_code(self) -> int:
        """The recorded end of the run; there is one."""
        (end,) = self.of_type("exit")
        return int(end.get("exit_code", 0))

    @property
    def summary(self) -> dict[str, Any]:
        """The last value of every name."""
        return {name: value for record in self.of_type("summary") for name, value in record.get("update", {}).items()}

    @property
    def history(self) -> pl.DataFrame:
        """Logged values, one row a call."""
        return pl.DataFrame([row["item"] for row in self.of_type("history")], infer_schema_length=None)

    def table(self, name: str) -> pl.DataFrame:
        """A logged table."""
        (path,) = self.path.glob(f"files/media/table/{name}_*.table.json")
        content = json.loads(path.read_text())
        return pl.DataFrame(content["data"], schema=content["columns"], orient="row", infer_schema_length=None)

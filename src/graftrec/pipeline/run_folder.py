"""The files of one run."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graftrec.errors import InputError


@dataclass(frozen=True)
class RunFolder:
    """Names of the files, and atomic writing of the small ones."""

    path: Path

    config = property(lambda self: self.path / "config.yaml")  # resolved
    dataset = property(lambda self: self.path / "dataset")  # vocabulary, split, text
    checkpoints = property(lambda self: self.path / "checkpoints")
    last = property(lambda self: self.path / "checkpoints" / "last.ckpt")
    best = property(lambda self: self.path / "checkpoints" / "best.ckpt")
    embeddings = property(lambda self: self.path / "embeddings.safetensors")
    curves = property(lambda self: self.path / "metrics.csv")  # one row an epoch
    metrics = property(lambda self: self.path / "metrics.json")  # flat: test/recall@20
    per_user = property(lambda self: self.path / "per_user.parquet")
    strata = property(lambda self: self.path / "strata.csv")  # test metrics by training degree, cold to warm
    head = property(lambda self: self.path / "head.safetensors")  # task=interest: weights of the logistic head
    pairs = property(lambda self: self.path / "pairs.parquet")  # task=interest: judged pairs and probabilities
    report = property(lambda self: self.path / "classification_report.txt")  # task=interest: test
    environment = property(lambda self: self.path / "environment.json")
    facts = property(lambda self: self.path / "run.json")  # status, data, sizes, cost, baselines

    def require(self, *names: str) -> None:
        """Refuse a folder that lacks one of its parts."""
        missing = [name for name in names if not getattr(self, name).exists()]
        if not self.path.is_dir():
            raise InputError(
                f"No run folder {self.path.absolute()}; graftrec train prints its folder on the last line."
            )
        if missing:
            file = getattr(self, missing[0]).name
            raise InputError(
                f"The run folder {self.path} has no {file}: the run was not finished. "
                f"Continue it with: graftrec train resume={self.path}"
            )

    @staticmethod
    def read_json(path: Path) -> dict[str, Any]:
        """Content of one of the json files."""
        try:
            return json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise InputError(f"{path} is damaged: {error}") from error

    @staticmethod
    def replace(path: Path, write: Callable[[Path], object]) -> None:
        """Let ``write`` make the file under a temporary name, then move it into place."""
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        partial.replace(path)

    @classmethod
    def write_text(cls, path: Path, text: str) -> None:
        """Write text atomically."""
        cls.replace(path, lambda partial: partial.write_text(text))

    @classmethod
    def write_json(cls, path: Path, content: dict[str, Any]) -> None:
        """Write json atomically."""
        cls.write_text(path, json.dumps(content, indent=2) + "\n")

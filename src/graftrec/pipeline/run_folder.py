"""The files of one run."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig

from graftrec.data.files import written
from graftrec.errors import InputError

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where it is there, is ten times as fast
SINCE = {"positives": ("each_pair", {"_target_": "graftrec.data.sampling.EachPair"})}  # what earlier versions did
NEEDED = ("data", "evaluation", "features", "paths", "seed", "tags")  # of config.yaml, whose own keys end with tags


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
    examples = property(lambda self: self.path / "recommendations.parquet")  # lists of a few users, with titles
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
                + (self.rewrite() if self.is_blend() else f"Continue it with: graftrec train resume={self.path}")
            )

    def is_blend(self) -> bool:
        """Whether two runs were blended here, which nothing continues."""
        return self.config.is_file() and "\nblend:" in self.config.read_text("utf-8", errors="replace")

    def read_config(self) -> DictConfig:
        """The resolved configuration; refuses a file that is cut short."""
        return DictConfig(self.read_settings())

    def read_settings(self) -> dict[str, Any]:
        """The resolved configuration as plain values: a hundred run folders a second.

        A run that no command line started may have no ``choices``: then they are the names of classes.
        """
        try:
            settings: dict[str, Any] = yaml.load(self.config.read_text("utf-8"), LOADER)
            missing = [name for name in NEEDED if name not in settings]
        except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
            raise InputError(f"{self.config} is damaged ({error}); train again into a new folder.") from error
        if missing:
            raise InputError(f"{self.config} is damaged: it has no {missing[0]}; train again into a new folder.")
        nodes = {group: node for group, node in settings.items() if isinstance(node, dict) and "_target_" in node}
        choices = {group: node["_target_"].rpartition(".")[2] for group, node in nodes.items()}
        settings = {"choices": choices, "overrides": [], **settings}
        for group, (choice, node) in SINCE.items():
            settings["choices"].setdefault(group, choice)
            settings.setdefault(group, node)
        return settings

    def data_hash(self) -> str | None:
        """Hash of the data that the run was started on; None where it has not come so far."""
        return self.read_json(self.facts).get("data", {}).get("hash") if self.facts.is_file() else None

    def rewrite(self) -> str:
        """What to type where a file that a run writes at its end is damaged."""
        if self.is_blend():
            return f"delete {self.path} and blend again: graftrec blend runs=[...]"
        return f"write it again: delete {self.metrics} and type graftrec train resume={self.path}"

    @staticmethod
    def read_json(path: Path) -> dict[str, Any]:
        """Content of one of the json files."""
        try:
            content = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path} is damaged: {error}; {RunFolder(path.parent).rewrite()}.") from error
        if not isinstance(content, dict):
            raise InputError(f"{path} is damaged: no mapping; {RunFolder(path.parent).rewrite()}.")
        return content

    @staticmethod
    def write_text(path: Path, text: str, setting: str = "hydra.run.dir") -> None:
        """Write under a temporary name, then move into place."""
        with written(path, setting) as partial:
            partial.write_text(text)

    def is_done(self) -> bool:
        """Complete, and its trackers were told."""
        return self.metrics.is_file() and "tracking" not in self.read_json(self.facts)

    def finish(self, facts: dict[str, Any], metrics: dict[str, float]) -> None:
        """Write run.json, then metrics.json, whose presence means that the run is complete, then say so in run.json."""
        self.write_json(self.facts, {"status": "running", **facts})
        self.write_json(self.metrics, metrics)
        self.write_json(self.facts, {"status": "finished", **facts})

    @classmethod
    def write_json(cls, path: Path, content: dict[str, Any], setting: str = "hydra.run.dir") -> None:
        """Write json atomically; ``setting`` chooses the folder."""
        cls.write_text(path, json.dumps(content, indent=2) + "\n", setting)

"""What a run is for: the parts of its story that differ between ranking and interest classification."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from omegaconf import DictConfig
from torch import Tensor

from graftrec.data.dataset import Dataset
from graftrec.features.geometry import Geometry
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.stages import Stages
from graftrec.scoring import Scorer
from graftrec.training.base import GraphModule
from graftrec.training.datamodule import GraphDataModule, HeldOut

if TYPE_CHECKING:
    from graftrec.pipeline.run import Run

Factors = tuple[Tensor, Tensor]  # user vectors [U, d], item vectors [I, d]


@dataclass(frozen=True)
class Prepared:
    """What stands before training starts."""

    dataset: Dataset
    data: GraphDataModule[Any]
    stages: Stages
    geometry: Mapping[str, Geometry] = field(default_factory=dict)  # of text vectors: encoded, conditioned
    adaptation: Mapping[str, Any] | None = None  # what adapting the language model did
    store_key: str | None = None  # of the texts' vectors in the feature store


class Result(Protocol):
    """Metrics of one held-out part, without the part's name."""

    @property
    def values(self) -> dict[str, float]: ...


class Task(Protocol):
    """One implementation a task; ``task=`` chooses it."""

    name: str
    choices: tuple[str, ...]  # the groups that name a run
    ignores: tuple[str, ...]  # the groups that have no effect
    files: tuple[str, ...]  # what evaluation needs of the run folder beside what every run has

    def negatives(self, config: DictConfig) -> set[str]:
        """The kinds of sampled negatives that the loss uses: per_positive, shared."""
        ...

    def held_out(self, config: DictConfig, dataset: Dataset, features: np.ndarray | None) -> tuple[HeldOut, HeldOut]:
        """Validation and test; ``features`` [I, F] of items."""
        ...

    def module(self, config: DictConfig, data: GraphDataModule[Any]) -> GraphModule:
        """The LightningModule."""
        ...

    def rehearse(self, config: DictConfig, module: Any, data: GraphDataModule[Any]) -> list[str]:
        """Try loss and metrics once, so that bad settings are refused early; names of the validation metrics."""
        ...

    def write(self, module: Any, factors: Factors, prepared: Prepared, run: RunFolder) -> Mapping[str, Result]:
        """Judge the tested best checkpoint and write the task's own files; results by part."""
        ...

    def baselines(self, config: DictConfig, prepared: Prepared) -> dict[str, Any]:
        """Results of simple recommenders by name: chosen, metrics, seconds."""
        ...

    def scorer(self, run: "Run", factors: Factors) -> Scorer:
        """The trained model, from the run folder."""
        ...

    def evaluate(self, run: "Run", **changes: Any) -> Mapping[str, Result]:
        """Results by part again, from the run folder; ``changes`` of the evaluation's settings."""
        ...

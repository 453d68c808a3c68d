"""What a sweep is asked for, checked before its first trial."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from graftrec.errors import InputError, check_choice
from graftrec.metrics.direction import COSTS, is_lower_better

AGGREGATES = ("mean", "lower_bound")


@dataclass(frozen=True)
class Settings:
    """The numbers of ``hydra/sweeper/graftrec_optuna.yaml``, under the same names."""

    n_trials: int
    objectives: Sequence[str]
    constraints: Mapping[str, float]  # upper limits of metrics or costs
    repeats: int = 1
    aggregate: str = "mean"
    n_jobs: int = 1
    max_failures: int = 10
    lost_after: float = 24.0

    def __post_init__(self) -> None:
        for name in ("n_trials", "repeats", "n_jobs", "max_failures"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise InputError(f"hydra.sweeper.{name}={value} must be a whole number >= 1.")
        check_choice("hydra.sweeper.aggregate", self.aggregate, AGGREGATES)
        if self.aggregate == "lower_bound" and self.repeats < 2:
            raise InputError("hydra.sweeper.aggregate=lower_bound needs a spread: set hydra.sweeper.repeats=3.")
        if not self.objectives:
            raise InputError("hydra.sweeper.objectives is empty; name a metric, such as [valid/recall@20].")
        for name in [*self.objectives, *self.constraints]:
            _check_metric(name)

    @property
    def directions(self) -> list[Literal["minimize", "maximize"]]:
        """What is better of each objective, in Optuna's words."""
        return ["minimize" if is_lower_better(name) else "maximize" for name in self.objectives]

    def value(self, name: str, runs: Sequence[float]) -> float:
        """One value of an objective from those of the seeds."""
        return aggregate(runs, 0.0 if self.aggregate == "mean" else 0.95, is_lower_better(name))


def _check_metric(name: str) -> None:
    if name.startswith("test/"):
        raise InputError(
            f"hydra.sweeper: {name} is measured on the test set, and a choice made there is no longer tested. Take "
            f"{name.replace('test/', 'valid/', 1)}; the best trial's test metrics are shown at the end."
        )
    if not name.startswith("valid/") and name not in COSTS:
        raise InputError(
            f"hydra.sweeper: {name!r} is unknown; name validation metrics, such as valid/recall@20, or costs: "
            f"{', '.join(COSTS)}."
        )


def aggregate(values: Sequence[float], confidence: float, lower_is_better: bool) -> float:
    """The mean over seeds, or with ``confidence`` its one-sided Student-t bound on the worse side."""
    mean = math.fsum(values) / len(values)
    if not confidence:
        return mean
    from scipy.stats import t

    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    margin = float(t.ppf(confidence, len(values) - 1)) * spread / math.sqrt(len(values))
    return mean + margin if lower_is_better else mean - margin

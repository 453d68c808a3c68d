"""The simple recommenders that stand beside every run, on the same split."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.progress import track

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.data.dataset import Dataset
from graftrec.errors import InputError, check_choice
from graftrec.metrics.direction import best
from graftrec.pipeline.run_folder import RunFolder
from graftrec.recommend.evaluation import RankingProtocol, RankingTask, evaluate

VERSION: Final = 5  # raise it where results change for equal settings


@dataclass(frozen=True)
class Tuned:
    """A recommender, and the settings of it that validation chooses among: all combinations of ``grid``.

    Without a grid the model's own settings are used. ``name`` stands in tables.
    """

    name: str
    model: Baseline
    grid: Mapping[str, Sequence[Any]] | None = None

    def __post_init__(self) -> None:
        known = [setting.name for setting in fields(self.model)]
        for setting, values in (self.grid or {}).items():
            check_choice(f"a setting of {self.name}'s grid", setting, known)
            if isinstance(values, str) or not isinstance(values, Sequence) or not values:
                raise InputError(f"{self.name}: grid.{setting}={values} must be a list of values, such as [10,20].")
        self.candidates()  # bad values are refused here

    def candidates(self) -> list[Baseline]:
        """One model a combination; the last setting varies fastest."""
        grid = self.grid or {}
        return [replace(self.model, **dict(zip(grid, values, strict=True))) for values in product(*grid.values())]

    def check_memory(self, user_degree: np.ndarray, item_degree: np.ndarray, available_gib: float | None) -> None:
        """Refuse what would not fit, with the estimate."""
        needed = self.model.memory_gib(user_degree, item_degree)
        if available_gib is not None and needed > available_gib:
            raise InputError(
                f"{self.name} needs about {needed:.1f} GiB for {len(user_degree):,} users and {len(item_degree):,} "
                f"items, and there are {available_gib:.1f} GiB; leave it out, keep fewer by filter.min_user or "
                f"filter.min_item, or go on anyway: memory_check=false."
            )

    def check_features(self, features: np.ndarray | None) -> None:
        """Refuse a model that reads texts where there are none."""
        if features is None and self.model.needs_features:
            raise InputError(f"{self.name} needs item features; choose features=minilm or another, or leave it out.")

    def describe(self, model: Baseline) -> str:
        """What was chosen, in words."""
        return ", ".join(f"{name} {_short(getattr(model, name))}" for name in self.grid or ())


@dataclass(frozen=True)
class Baselines:
    """Each of ``models`` tuned on validation by ``metric`` and tested. Those that need features are left out without.

    Where more users have validation items, ``tuning_users`` of them, evenly spread over the numbering, do.
    """

    models: Mapping[str, Tuned]
    metric: str = "ndcg"
    tuning_users: int = 5000

    def __call__(
        self, dataset: Dataset, protocol: RankingProtocol, features: np.ndarray | None, cache: Path
    ) -> dict[str, Any]:
        """By name: what was chosen, leaky (on the test set), test metrics, seconds. ``cache`` keeps each."""
        usable = [t for t in self.models.values() if features is not None or not t.model.needs_features]
        digest = None if features is None else hashlib.sha256(np.ascontiguousarray(features).tobytes()).hexdigest()
        common = {"data": dataset.hash, "leaky": dataset.leaky, **asdict(protocol), "features": digest}
        return {tuned.name: self._result(tuned, common, dataset, features, protocol, cache) for tuned in usable}

    def _result(
        self,
        tuned: Tuned,
        common: dict[str, Any],
        dataset: Dataset,
        features: np.ndarray | None,
        protocol: RankingProtocol,
        cache: Path,
    ) -> dict[str, Any]:
        """From the cache, else measured."""
        own = {"model": repr(tuned), "metric": self.metric, "tuning_users": self.tuning_users, "version": VERSION}
        key = hashlib.sha256(json.dumps({**common, **own}, sort_keys=True).encode()).hexdigest()[:24]
        path = cache / f"{key}.json"
        with suppress(InputError):  # absent, or damaged: measured again
            return RunFolder.read_json(path)
        start, data = time.perf_counter(), TrainingData(dataset.train, features)
        metric = f"{self.metric}@{max(protocol.k)}"
        model = choose(tuned, data, protocol.validation(dataset), metric, self.tuning_users)
        test = evaluate(model.fit(data), protocol.test(dataset, features)).values
        metrics = {f"test/{name}": value for name, value in test.items()}
        seconds = round(time.perf_counter() - start, 3)
        leaky = dataset.leaky and len(tuned.candidates()) > 1
        result = {"chosen": tuned.describe(model), "leaky": leaky, "metrics": metrics, "seconds": seconds}
        RunFolder.write_json(path, result, "paths.cache")
        return result


def choose(
    tuned: Tuned, data: TrainingData, validation: RankingTask, metric: str, max_users: int | None = None
) -> Baseline:
    """The settings with the best validation ``metric``; the first of equals. One model at a time is in memory."""
    candidates = tuned.candidates()
    if len(candidates) == 1:
        return candidates[0]
    values = [
        evaluate(model.fit(data), validation, max_users).values[metric]
        for model in track(candidates, f"Tuning {tuned.name}", transient=True)
    ]
    return candidates[best(values, metric)]


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)

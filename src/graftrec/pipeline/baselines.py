"""The simple recommenders that stand beside every run, on the same split."""

import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from graftrec.baselines.item_knn import ItemSimilarity, co_occurrence
from graftrec.baselines.popularity import Popularity
from graftrec.data.dataset import Dataset
from graftrec.errors import InputError
from graftrec.pipeline.run_folder import RunFolder
from graftrec.recommend.evaluation import RankingProtocol, RankingTask, evaluate
from graftrec.recommend.scoring import Scorer


@dataclass(frozen=True)
class Baselines:
    """Popularity, and item-kNN tuned on validation over ``neighbours`` x ``shrinkage`` by ``metric``.

    Where more users have validation items, ``tuning_users`` of them, evenly spread over the numbering, do.
    """

    neighbours: Sequence[int] = (10, 20, 50, 100, 200)
    shrinkage: Sequence[float] = (0.0, 10.0, 50.0)
    metric: str = "ndcg"
    tuning_users: int = 5000

    def __post_init__(self) -> None:
        if not self.neighbours or not self.shrinkage:
            raise InputError("baselines.neighbours and baselines.shrinkage must each hold a value; or baselines=none.")

    def __call__(
        self, dataset: Dataset, protocol: RankingProtocol, features: np.ndarray | None, cache: Path
    ) -> dict[str, Any]:
        """Results by name: test metrics, what was chosen, seconds. Kept in ``cache`` under the data's hash."""
        settings = {"data": dataset.hash, "leaky": dataset.leaky, **asdict(self), **asdict(protocol), "version": 3}
        if features is not None:  # they decide diversity
            settings["features"] = hashlib.sha256(np.ascontiguousarray(features).tobytes()).hexdigest()
        key = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:24]
        path = cache / f"{key}.json"
        with suppress(InputError):  # absent, or damaged: measured again
            return RunFolder.read_json(path)
        results = self._measure(dataset, protocol, protocol.test(dataset, features))
        RunFolder.write_json(path, results, "paths.cache")
        return results

    def _measure(self, dataset: Dataset, protocol: RankingProtocol, test: RankingTask) -> dict[str, Any]:
        start = time.perf_counter()
        popularity = _tested(Popularity(dataset.train), test, "", start)
        start = time.perf_counter()
        model, chosen = self._tune(dataset, protocol.validation(dataset))
        return {"popularity": popularity, "item-kNN": _tested(model, test, chosen, start)}

    def _tune(self, dataset: Dataset, task: RankingTask) -> tuple[Scorer, str]:
        """The item-kNN with the best validation metric; the first of equals."""
        metric = f"{self.metric}@{max(task.k)}"
        best: tuple[float, Scorer | None, str] = (-1.0, None, "")
        both = co_occurrence(dataset.train)
        for shrinkage in track(self.shrinkage, "Tuning item-kNN", transient=True):
            similarity = ItemSimilarity(dataset.train, both, shrinkage, max(self.neighbours))
            for neighbours in self.neighbours:
                model = similarity.nearest(neighbours)
                value = evaluate(model, task, self.tuning_users).values[metric]
                if value > best[0]:
                    best = (value, model, f"{neighbours} neighbours, shrinkage {shrinkage:g}")
        assert best[1] is not None
        return best[1], best[2]


def _tested(model: Scorer, test: RankingTask, chosen: str, start: float) -> dict[str, Any]:
    metrics = {f"test/{name}": value for name, value in evaluate(model, test).values.items()}
    return {"chosen": chosen, "metrics": metrics, "seconds": round(time.perf_counter() - start, 3)}

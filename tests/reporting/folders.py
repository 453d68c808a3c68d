"""Run folders made of numbers alone: the files that reports read, without a training."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import yaml

BASELINES = {
    "popularity": {"chosen": "", "metrics": {"test/recall@20": 0.1, "test/coverage@20": 0.02}, "seconds": 0.5},
    "item-kNN": {"chosen": "neighbours 50", "metrics": {"test/recall@20": 0.2, "test/coverage@20": 0.2}, "seconds": 2},
}


def make_run(folder: Path, metrics: Mapping[str, float], seed: int = 0, epochs: int = 3, **settings: Any) -> Path:
    """A finished ranking run; ``settings`` are its encoder and single values such as lr."""
    encoder = settings.pop("encoder", "lightgcn")
    overrides = [f"encoder={encoder}", *(f"{name}={value}" for name, value in settings.items()), f"seed={seed}"]
    config = {
        "data": {"name": "films"},
        "evaluation": {"k": [20], "mask": "train_and_valid", "max_users": None},
        "features": {},
        "paths": {"data": "data", "cache": "cache"},
        "seed": seed,
        "protocol": "clean",
        "tags": [],
        "encoder": {"_target_": encoder},
        **settings,
        "choices": {"task": "ranking", "data": "films", "encoder": encoder, "features": "none"},
        "overrides": overrides,
    }
    stages = {"train": {"seconds": 10.0, "peak_gib": 0.5}, "test": {"seconds": 1.0, "peak_gib": 0.75}}
    facts = {
        "status": "finished",
        "data": {"id": "films/random", "hash": "0a1b", "counts": {}},
        "sizes": {"users": 9, "items": 30, "train": 100, "valid": 9, "test": 18},
        "tags": [],
        "started": "2030-01-02T03:04:05",
        "stages": stages,
        "epochs": {"trained": epochs, "best": epochs},
        "parameters": 640,
        "baselines": BASELINES,
    }
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "metrics.json").write_text(json.dumps(dict(metrics)))
    _curves(epochs, metrics["valid/recall@20"]).write_csv(folder / "metrics.csv")
    rows = [("item degree", "0-5", 10, 0.05), ("item degree", "6-40", 8, 0.4), ("user degree", "3-20", 9, 0.2)]
    pl.DataFrame(rows, ["kind", "stratum", "size", "recall@20"], orient="row").write_csv(folder / "strata.csv")
    return folder


def _curves(epochs: int, last: float) -> pl.DataFrame:
    numbers = range(epochs)
    return pl.DataFrame(
        {
            "epoch": list(numbers),
            "train/loss": [2 - number / epochs for number in numbers],
            "valid/recall@20": [last * (number + 1) / epochs for number in numbers],
            "health/alignment": [1.0 + number / 10 for number in numbers],
        }
    )


def recommend(folder: Path, titles: list[str]) -> None:
    """Example lists of one user: the first title is the history, the second a hit, the others are not."""
    rows = [
        ("u1", "history" if rank == 0 else "recommended", max(rank, 1), f"i{rank}", title, 0.5, rank == 1)
        for rank, title in enumerate(titles)
    ]
    names = ["user", "list", "rank", "item", "title", "score", "hit"]
    pl.DataFrame(rows, names, orient="row").write_parquet(folder / "recommendations.parquet")


def values(recall: float, valid: float | None = None, coverage: float = 0.3) -> dict[str, float]:
    """Metrics of a run; ``valid`` is the validation recall, as the test's where it is not given."""
    known = {"recall@20": recall, "coverage@20": coverage, "num_users": 9}
    return {f"test/{name}": value for name, value in known.items()} | {
        "valid/recall@20": recall if valid is None else valid,
        "valid/coverage@20": coverage,
    }

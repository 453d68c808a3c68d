"""Six encoders with and without text on three data sets, beside popularity and the tuned item-kNN.

    python experiments/encoders_by_features/run.py [FOLDER] [data=movielens_small ...]

Runs go to FOLDER (outputs/encoders_by_features by default); a finished run is kept, an interrupted one goes
on, so the same command again continues. The tables are written beside this file.
"""

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from hydra import compose, initialize_config_dir
from rich.progress import track

from graftrec.pipeline.config import config_folder
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.train import train

HERE = Path(__file__).parent
DATA = ("movielens_small", "amazon_office", "online_retail")
ENCODERS = ("identity", "lightgcn", "gcn", "gin", "gat", "gatedgcn")
INPUTS = {"none": "id", "minilm": "id_plus_text"}  # features: input
SEEDS = {"ranking": (0, 1, 2), "interest": (0,)}
SETTINGS = [
    "batch_size=8192",
    "optimizer.lr=1e-2",
    "trainer.max_epochs=25",
    "trainer.enable_progress_bar=false",
    "callbacks.early_stopping.patience=5",
    "logger=[]",
    "threads=1",
]
METRICS = {
    "ranking": ("recall@20", "precision@20", "f1@20", "ndcg@20", "coverage@20"),
    "interest": tuple(f"{kind}/{name}" for kind in ("uniform", "popularity_matched") for name in ("f1", "roc_auc")),
}


@dataclass(frozen=True)
class Cell:
    """One run of the table."""

    data: str
    task: str
    encoder: str
    features: str
    seed: int

    @property
    def overrides(self) -> list[str]:
        """What is typed after ``graftrec train``."""
        return [*(f"{name}={value}" for name, value in vars(self).items()), f"input={INPUTS[self.features]}", *SETTINGS]

    def run(self, folder: Path) -> RunFolder:
        """Train it in ``folder`` unless that holds a finished run."""
        run = RunFolder(folder / "_".join(str(value) for value in vars(self).values()))
        if not run.metrics.is_file():
            train(compose("train", self.overrides), run.path)
        return run


def cells(data: tuple[str, ...]) -> Iterator[Cell]:
    """Every run, seed by seed, so that a part of them is a table already."""
    for name, task in itertools.product(data, SEEDS):
        for seed, encoder, features in itertools.product(SEEDS[task], ENCODERS, INPUTS):
            yield Cell(name, task, encoder, features, seed)


def rows(cell: Cell, run: RunFolder) -> Iterator[dict[str, object]]:
    """The run's test metrics, and those of the baselines that were computed beside it."""
    metrics, facts = RunFolder.read_json(run.metrics), RunFolder.read_json(run.facts)
    wanted = METRICS[cell.task]
    yield {**vars(cell), "epochs": facts["epochs"]["best"], "seconds": facts["stages"]["train"]["seconds"]} | {
        name: metrics[f"test/{name}"] for name in wanted
    }
    for name, baseline in facts["baselines"].items():
        found = {metric: baseline["metrics"].get(f"test/{metric}") for metric in wanted}
        yield {"data": cell.data, "task": cell.task, "encoder": name, "features": "none", "seed": 0, **found}


def table(results: pl.DataFrame, task: str) -> str:
    """Markdown: a row for each data set, encoder and features; mean ± standard deviation over seeds."""
    names = METRICS[task]
    of_task = results.filter(pl.col("task") == task).unique(
        ["data", "encoder", "features", "seed"], maintain_order=True
    )
    lines = [f"| data | encoder | features | {' | '.join(names)} | seeds |", "|---" * (len(names) + 4) + "|"]
    for key, runs in of_task.group_by("data", "encoder", "features", maintain_order=True):
        values = [_mean_and_deviation(runs[name]) for name in names]
        lines.append(f"| {' | '.join(map(str, key))} | {' | '.join(values)} | {len(runs)} |")
    return "\n".join(lines) + "\n"


def _mean_and_deviation(values: pl.Series) -> str:
    if values.null_count():
        return "n/a"
    mean = f"{values.mean():.4f}"
    return mean if len(values) == 1 else f"{mean} ± {values.std():.4f}"


def main(folder: Path, data: tuple[str, ...]) -> None:
    """Run what is missing; after every run, write the tables of what there is."""
    initialize_config_dir(str(config_folder()), version_base="1.3")
    found: list[dict[str, object]] = []
    for cell in track(list(cells(data)), "runs"):
        found += rows(cell, cell.run(folder))
    results = pl.DataFrame(found, infer_schema_length=None)
    results.write_csv(HERE / "results.csv", float_precision=6)
    for task in SEEDS:
        (HERE / f"{task}.md").write_text(table(results, task), encoding="utf-8")
        print(table(results, task))


if __name__ == "__main__":
    places = [word for word in sys.argv[1:] if not word.startswith("data=")]
    chosen = tuple(word.removeprefix("data=") for word in sys.argv[1:] if word.startswith("data="))
    main(Path(places[0] if places else "outputs/encoders_by_features"), chosen or DATA)

"""Six encoders with and without text on three data sets, beside popularity and the tuned item-kNN.

    python experiments/encoders_by_features/run.py [FOLDER] [data=movielens_small encoder=gcn,gin seed=0 ...]

Runs go to FOLDER (outputs/encoders_by_features by default); a finished run is kept, an interrupted one goes
on, so the same command again continues. Words such as ``encoder=gcn,gin`` choose some of the runs. After every
run the tables of all finished ones are written beside this file.
"""

import itertools
import sys
from collections.abc import Iterator, Mapping
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


TO_BEAT = {"ranking": ("item-kNN", "ndcg@20"), "interest": ("popularity", "uniform/roc_auc")}
KEY = ("data", "task", "encoder", "features", "seed")


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

    def chosen(self, words: Mapping[str, list[str]]) -> bool:
        """Whether every word, such as encoder: [gcn, gin], names this run's value."""
        return all(str(getattr(self, name)) in values for name, values in words.items())

    def folder(self, runs: Path) -> RunFolder:
        """Where it lies in ``runs``."""
        return RunFolder(runs / "_".join(str(value) for value in vars(self).values()))


def cells() -> Iterator[Cell]:
    """Every run, seed by seed, so that a part of them is a table already."""
    for name, task in itertools.product(DATA, SEEDS):
        for seed, encoder, features in itertools.product(SEEDS[task], ENCODERS, INPUTS):
            yield Cell(name, task, encoder, features, seed)


def rows(cell: Cell, run: RunFolder) -> Iterator[dict[str, object]]:
    """The run's test metrics, and those of the baselines that were computed beside it."""
    metrics, facts = RunFolder.read_json(run.metrics), RunFolder.read_json(run.facts)
    wanted = METRICS[cell.task]
    for name, baseline in facts["baselines"].items():
        found = {metric: baseline["metrics"].get(f"test/{metric}") for metric in wanted}
        yield {"data": cell.data, "task": cell.task, "encoder": name, "features": "none", "seed": 0, **found}
    cost = {"epochs": facts["epochs"]["best"], "seconds": facts["stages"]["train"]["seconds"]}
    yield {**vars(cell), **cost, **{name: metrics[f"test/{name}"] for name in wanted}}


def table(results: pl.DataFrame, task: str) -> str:
    """Markdown: a row for each data set, encoder and features; mean ± standard deviation over seeds.

    The last column compares one metric's mean with that of the baseline to beat.
    """
    names, (baseline, metric) = METRICS[task], TO_BEAT[task]
    to_beat = dict(results.filter(pl.col("encoder") == baseline).select("data", metric).iter_rows())
    lines = [
        f"| data | encoder | features | {' | '.join(names)} | seeds | {metric} to {baseline} |",
        "|---" * (len(names) + 5) + "|",
    ]
    for key, runs in results.group_by("data", "encoder", "features", maintain_order=True):
        values = [_mean_and_deviation(runs[name]) for name in names]
        change = runs[metric].mean() / to_beat[key[0]] - 1
        lines.append(f"| {' | '.join(map(str, [*key, *values, len(runs)]))} | {change:+.1%} |")
    return "\n".join(lines) + "\n"


def _mean_and_deviation(values: pl.Series) -> str:
    if values.null_count():
        return "n/a"
    mean = f"{values.mean():.4f}"
    return mean if len(values) == 1 else f"{mean} ± {values.std():.4f}"


def write_tables(runs: Path) -> None:
    """Tables of all finished runs."""
    finished = [(cell, cell.folder(runs)) for cell in cells() if cell.folder(runs).metrics.is_file()]
    found = [row for cell, run in finished for row in rows(cell, run)]
    results = pl.DataFrame(found, infer_schema_length=None).unique(list(KEY), keep="first", maintain_order=True)
    results.write_csv(HERE / "results.csv", float_precision=6)
    for task in results["task"].unique():
        (HERE / f"{task}.md").write_text(table(results.filter(pl.col("task") == task), task), encoding="utf-8")


def main(runs: Path, words: Mapping[str, list[str]]) -> None:
    """Train what is chosen and missing."""
    initialize_config_dir(str(config_folder()), version_base="1.3")
    for cell in track([cell for cell in cells() if cell.chosen(words)], "runs"):
        run = cell.folder(runs)
        if not run.metrics.is_file():
            train(compose("train", cell.overrides), run.path)
            write_tables(runs)
    write_tables(runs)
    print(*(path for path in sorted(HERE.iterdir()) if path.suffix in (".md", ".csv")), sep="\n")


if __name__ == "__main__":
    places = [word for word in sys.argv[1:] if "=" not in word]
    words = dict(word.split("=") for word in sys.argv[1:] if "=" in word)
    folder = Path(places[0] if places else "outputs/encoders_by_features")
    main(folder, {name: values.split(",") for name, values in words.items()})

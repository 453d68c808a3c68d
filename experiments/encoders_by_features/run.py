"""Six encoders with and without text on three data sets, beside popularity and the tuned item-kNN.

    python experiments/encoders_by_features/run.py

How to choose some of the runs and go on: see experiments/study.py.
"""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from study import UNTUNED, Cell, Finished, main, markdown, mean_and_deviation, with_earlier  # noqa: E402

DATA = ("movielens_small", "amazon_office", "online_retail")
ENCODERS = ("identity", "lightgcn", "gcn", "gin", "gat", "gatedgcn")
INPUTS = {"none": "id", "minilm": "id_plus_text"}  # features: input
SEEDS = {"ranking": (0, 1, 2), "interest": (0,)}
METRICS = {
    "ranking": ("recall@20", "precision@20", "f1@20", "ndcg@20", "coverage@20"),
    "interest": tuple(f"{kind}/{name}" for kind in ("uniform", "popularity_matched") for name in ("f1", "roc_auc")),
}
TO_BEAT = {"ranking": ("item-kNN", "ndcg@20"), "interest": ("popularity", "uniform/roc_auc")}
ORDER = {
    "data": DATA,
    "task": tuple(SEEDS),
    "encoder": ("popularity", "item-kNN", *ENCODERS),
    "features": tuple(INPUTS),
}
KEY = ("data", "task", "encoder", "features", "seed")


def cells() -> Iterator[Cell]:
    """Every run, seed by seed, so that a part of them is a table already."""
    for name, task in itertools.product(DATA, SEEDS):
        for seed, encoder, features in itertools.product(SEEDS[task], ENCODERS, INPUTS):
            values = dict(zip(KEY, (name, task, encoder, features, seed), strict=True))
            words = (f"{key}={value}" for key, value in values.items())
            yield Cell(values, (*words, f"input={INPUTS[features]}", *UNTUNED))


def table(results: pl.DataFrame, task: str) -> str:
    """A row for each data set, encoder and features; mean ± standard deviation over seeds.

    The last column compares one metric's mean with that of the baseline to beat.
    """
    names, (baseline, metric) = METRICS[task], TO_BEAT[task]
    to_beat = dict(results.filter(pl.col("encoder") == baseline).select("data", metric).iter_rows())
    lines = []
    for key, runs in results.group_by("data", "encoder", "features", maintain_order=True):
        change = runs[metric].mean() / to_beat[key[0]] - 1
        lines.append([*key, *(mean_and_deviation(runs[name]) for name in names), len(runs), f"{change:+.1%}"])
    return markdown(["data", "encoder", "features", *names, "seeds", f"{metric} to {baseline}"], lines)


def report(finished: list[Finished]) -> None:
    """results.csv with every run, and a table for each task."""
    found = []
    for done in finished:
        metrics = METRICS[str(done.cell.values["task"])]
        beside = done.baseline_rows(metrics, "encoder")
        found += [*({"features": "none", "seed": 0, **row} for row in beside), done.row(metrics)]
    results = with_earlier(pl.DataFrame(found, infer_schema_length=None), HERE / "results.csv", KEY)
    order = [pl.col(name).cast(pl.Enum(names)) for name, names in ORDER.items()]
    results = results.sort(*order, "seed", maintain_order=True)
    first = [*KEY, *METRICS["ranking"], "epochs", "seconds"]
    results.select(*first, pl.exclude(first)).write_csv(HERE / "results.csv", float_precision=6)
    for task in results["task"].unique():
        (HERE / f"{task}.md").write_text(table(results.filter(pl.col("task") == task), task), encoding="utf-8")


if __name__ == "__main__":
    main(HERE, list(cells()), report)

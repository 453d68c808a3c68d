"""Encoder x objective: which matters more for full ranking, how nodes are encoded or what is optimised?

    python experiments/encoder_by_objective/run.py

Every pair runs at three learning rates with one seed; the rate with the best validation NDCG runs again with two more.
Beside each run's metrics, of inner products, stand those of the power of the items' norms that is best in validation.
How to choose some of the runs and go on: see experiments/study.py. Writes results.csv, table.md and shares.md.
"""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from study import (  # noqa: E402
    RATES,
    SEEDS,
    Cell,
    Finished,
    best_rate,
    edge,
    markdown,
    mean_and_deviation,
    search,
    with_earlier,
)

ENCODERS = {  # by data: on online_retail the encoders with attention or gates would take hours
    "rlmrec_amazon": ("identity", "lightgcn", "gcn", "gin", "gat", "gatedgcn"),
    "online_retail": ("identity", "lightgcn", "gcn"),
}
OBJECTIVES = ("bpr", "bce", "softmax", "directau", "xsimgcl")
KEY = ("data", "encoder", "objective", "rate", "seed")
METRICS = ("recall@20", "precision@20", "f1@20", "ndcg@20", "coverage@20")
POWERED = ("recall@20", "ndcg@20")  # with the items' norms to the best power
SETTINGS = (
    "features=none",
    "input=id",
    "batch_size=8192",
    "trainer.max_epochs=25",
    "trainer.enable_progress_bar=false",
    "callbacks.early_stopping.patience=5",
    "baselines=strong",
    "logger=[]",
    "threads=1",
)


def cell(data: str, encoder: str, objective: str, rate: str, seed: int) -> Cell:
    """One run."""
    named = [f"data={data}", f"encoder={encoder}", f"objective={objective}", f"optimizer.lr={rate}", f"seed={seed}"]
    if (encoder, objective) == ("identity", "xsimgcl"):  # it has no layer 1
        named.append("objective.terms.xsimgcl.layer=0")
    return Cell(dict(zip(KEY, (data, encoder, objective, rate, seed), strict=True)), (*named, *SETTINGS))


def searched() -> Iterator[Cell]:
    """Every pair at every rate, with the first seed."""
    for data, encoders in ENCODERS.items():
        for objective, encoder, rate in itertools.product(OBJECTIVES, encoders, RATES):
            yield cell(data, encoder, objective, rate, SEEDS[0])


def table(results: pl.DataFrame) -> str:
    """Test metrics of each pair at its best rate, mean ± standard deviation over seeds."""
    lines = []
    for (*pair, objective), runs in results.group_by(KEY[:3], maintain_order=True):
        rate = best_rate(runs) if objective else ""
        chosen = runs.filter(pl.col("rate") == rate)
        means = (mean_and_deviation(chosen[name]) for name in METRICS)
        powers = (
            "" if chosen["power"].null_count() else ", ".join(f"{power:g}" for power in sorted(set(chosen["power"])))
        )
        powered = [mean_and_deviation(chosen[f"powered {name}"]) if powers else "" for name in POWERED]
        lines.append([*pair, objective, rate, *means, len(chosen), edge(runs, rate), powers, *powered])
    names = ("rate at an edge", "power", *(f"{name} with it" for name in POWERED))
    return markdown([*KEY[:4], *METRICS, "seeds", *names], lines)


def shares(results: pl.DataFrame) -> str:
    """Shares of the variance of recall@20 between the pairs' means: eta squared of encoder, objective, interaction."""
    lines = []
    trained = results.filter(pl.col("objective") != "")
    for (data,), runs in trained.group_by("data", maintain_order=True):
        chosen = pl.concat(pair.filter(pl.col("rate") == best_rate(pair)) for _, pair in runs.group_by(KEY[1:3]))
        for name, objectives in (("all five", OBJECTIVES), ("bpr, bce, softmax", OBJECTIVES[:3])):
            cells = chosen.filter(pl.col("objective").is_in(objectives)).group_by(KEY[1:3]).agg(pl.mean(METRICS[0]))
            if min(cells[by].n_unique() for by in ("encoder", "objective")) < 2:
                continue
            parts = [of_means(cells, by) for by in ("encoder", "objective")]
            spreads = [f"{part:.0%}" for part in (*parts, 1 - sum(parts))]
            lines.append([data, name, len(cells), *spreads])
    return markdown(["data", "objectives", "pairs", "encoder", "objective", "interaction"], lines)


def of_means(cells: pl.DataFrame, by: str) -> float:
    """The variance of the means over ``by``, of the whole variance of ``cells``."""
    return cells.group_by(by).agg(pl.mean(METRICS[0]))[METRICS[0]].var(0) / cells[METRICS[0]].var(0)


def report(finished: list[Finished]) -> None:
    """results.csv with every run, and the table."""
    rows = []
    for done in finished:
        beside = done.baseline_rows(METRICS, "encoder")
        rows += [{"objective": "", "rate": "", "seed": 0, **row} for row in beside]
        rows.append(done.searched_row(METRICS, POWERED))
    if not rows:
        return
    results = with_earlier(pl.DataFrame(rows, infer_schema_length=None), HERE / "results.csv", KEY)
    results = results.sort(
        "data",
        pl.col("objective") != "",
        "objective",
        "encoder",
        maintain_order=True,
        descending=[True, False, False, False],
    )
    results.select(*KEY, pl.exclude(KEY)).write_csv(HERE / "results.csv", float_precision=6)
    (HERE / "table.md").write_text(table(results), encoding="utf-8")
    (HERE / "shares.md").write_text(shares(results), encoding="utf-8")


if __name__ == "__main__":
    search(HERE, list(searched()), KEY, cell, report)

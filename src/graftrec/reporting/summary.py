"""Many run folders, one table."""

from pathlib import Path

import polars as pl
from rich.table import Table
from rich.text import Text

from graftrec.pipeline.run import Run, load_run
from graftrec.reporting.tables import SHOWN, console, short

CHOICES = (
    "encoder", "input", "features", "adapt", "conditioning", "tabular", "objective", "head", "positives", "negatives",
    "weighting", "graph", "scorer", "split", "experiment",
)  # fmt: skip
SHOWN_OF_INTEREST = ("roc_auc", "f1")
SHOWN_OF_COLD = ("cold/recall", "cold/ndcg")


def summarize(runs: list[Run]) -> pl.DataFrame:
    """One row a run: task, data set, overrides, choices, seed, test metrics, seconds, path."""
    return pl.DataFrame([_row(run) for run in runs], infer_schema_length=None)


def print_summary(folder: Path) -> None:
    """All finished runs under ``folder``, their means over seeds, and the baselines of their data.

    Written to ``summary.csv`` too. Tasks, and data sets with different ids, never share a table.
    """
    runs = [load_run(path.parent) for path in sorted(folder.rglob("metrics.json"))]
    out = console()
    if not runs:
        out.print(f"No finished run under {folder}")
        return
    frame = summarize(runs)
    frame.write_csv(folder / "summary.csv")
    for (task, data), rows in frame.group_by("task", "data", maintain_order=True):
        alike = (run for run in runs if (run.task.name, run.facts["data"]["id"]) == (task, data))
        out.print(_table(str(data), rows, next(alike).facts["baselines"]))
    out.print(Text(str(folder / "summary.csv")), soft_wrap=True)


def mean_and_std(rows: pl.DataFrame, by: list[str], metrics: list[str]) -> pl.DataFrame:
    """Mean and sample standard deviation over the seeds of each combination of ``by``, columns ``x`` and ``x_std``."""
    means = [pl.col(metric).mean() for metric in metrics]
    spreads = [pl.col(metric).std().alias(f"{metric}_std") for metric in metrics]
    return rows.group_by(by, maintain_order=True).agg(pl.len().alias("seeds"), *means, *spreads)


def _table(data: str, rows: pl.DataFrame, baselines: dict[str, dict[str, dict[str, float]]]) -> Table:
    rows = rows[[column.name for column in rows if column.null_count() < len(rows)]]  # not those of other tasks
    metrics, title = _shown(rows.columns)
    settings = [c for c in rows.columns if c in CHOICES or c.startswith("override:")]
    varying = [c for c in settings if rows[c].n_unique() > 1] or ["encoder"]
    heads = (c.removeprefix("override:") for c in varying)
    table = Table(*heads, "seed", *map(short, metrics), "seconds", title=f"{data}, {title}")
    blank = [""] * len(varying)
    for name, result in baselines.items():
        cells = (f"{result['metrics'][m]:.4f}" if m in result["metrics"] else "" for m in metrics)
        table.add_row(name, *blank, *cells, f"{result['seconds']:.1f}")
    table.add_section()
    for row in rows.iter_rows(named=True):
        cells = (f"{row[m]:.4f}" for m in metrics)
        table.add_row(*(Text(str(row[c])) for c in varying), str(row["seed"]), *cells, f"{row['seconds']:.1f}")
    if rows["seed"].n_unique() > 1:
        table.add_section()
        for row in mean_and_std(rows, varying, metrics).iter_rows(named=True):
            cells = (f"{row[m]:.4f} ±{row[f'{m}_std'] or 0:.4f}" for m in metrics)
            table.add_row(*(Text(str(row[c])) for c in varying), f"mean of {row['seeds']}", *cells)
    return table


def _shown(columns: list[str]) -> tuple[list[str], str]:
    """The metrics that a summary shows, and what they were measured on."""
    lengths = [int(name.split("@")[1]) for name in columns if name.startswith("test/recall@")]
    if not lengths:
        return [name for name in columns if name.split("/")[-1] in SHOWN_OF_INTEREST], "interest classification"
    names = (f"test/{name}@{max(lengths)}" for name in (*SHOWN, *SHOWN_OF_COLD))
    return [name for name in names if name in columns], f"lists of {max(lengths)}"


def _row(run: Run) -> dict[str, object]:
    choices = {name: run.config.choices.get(name) for name in CHOICES}
    if "model" in run.facts:  # without training
        choices = {**dict.fromkeys(CHOICES), "encoder": run.facts["model"]["name"], "split": choices["split"]}
    given = dict(word.lstrip("+~").split("=", 1) for word in run.config.overrides if "=" in word)
    settings = {
        f"override:{name}": value
        for name, value in given.items()
        if name not in {*CHOICES, "seed", "data", "task", "baseline"}
    }
    metrics = {name: value for name, value in run.metrics.items() if name.startswith("test/")}
    return {
        "task": run.task.name,
        "data": run.facts["data"]["id"],
        **choices,
        **settings,
        "seed": run.config.seed,
        **metrics,
        **_text_vectors(run),
        "seconds": run.facts["stages"]["train"]["seconds"],
        "folder": str(run.folder.path),
    }


def _text_vectors(run: Run) -> dict[str, float]:
    """Shape of the vectors that the input read; runs of earlier versions don't tell."""
    known = run.facts.get("text_vectors") or {}
    read = known.get("conditioned", known.get("encoded", {}))
    return {f"text_{name}": value for name, value in read.items()}

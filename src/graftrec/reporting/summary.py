"""Many run folders, one table."""

from pathlib import Path

import polars as pl
from rich.table import Table
from rich.text import Text

from graftrec.pipeline.run import Run, load_run
from graftrec.reporting.tables import SHOWN, console


def summarize(folder: Path) -> pl.DataFrame:
    """One row a finished run under ``folder``: choices, seed, test metrics, seconds, path."""
    runs = [load_run(path.parent) for path in sorted(folder.rglob("metrics.json"))]
    return pl.DataFrame([_row(run) for run in runs], infer_schema_length=None)


def print_summary(folder: Path) -> None:
    """The summary table by recall, also written to ``summary.csv``; data sets are never mixed in one table."""
    frame = summarize(folder)
    out = console()
    if frame.is_empty():
        out.print(f"No finished run under {folder}")
        return
    frame.write_csv(folder / "summary.csv")
    for (data,), runs in frame.group_by("data", maintain_order=True):
        k = max(int(name.split("@")[1]) for name in runs.columns if name.startswith("test/recall@"))
        columns = [column for column in (f"test/{name}@{k}" for name in SHOWN) if column in runs.columns]
        varying = [c for c in ("encoder", "input", "features", "objective", "seed") if runs[c].n_unique() > 1]
        table = Table("run", *varying, *(c.removeprefix("test/") for c in columns), "seconds", title=str(data))
        for row in runs.sort(f"test/recall@{k}", descending=True).iter_rows(named=True):
            cells = [
                *(str(row[c]) for c in varying),
                *("" if row[c] is None else f"{row[c]:.4f}" for c in columns),
                f"{row['seconds']:.1f}",
            ]
            table.add_row(*map(Text, [Path(row["folder"]).name, *cells]))
        out.print(table)
    out.print(Text(str(folder / "summary.csv")), soft_wrap=True)


def _row(run: Run) -> dict[str, object]:
    choices = {name: run.config.choices[name] for name in ("encoder", "input", "features", "objective")}
    metrics = {name: value for name, value in run.metrics.items() if name.startswith("test/")}
    return {
        "data": run.facts["data"]["id"],
        **choices,
        "seed": run.config.seed,
        **metrics,
        "seconds": run.facts["stages"]["train"]["seconds"],
        "folder": str(run.folder.path),
    }

"""``graftrec report``: all finished runs under a folder as tables for people, papers and spreadsheets."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl
from rich.text import Text

from graftrec.data.files import written
from graftrec.errors import InputError
from graftrec.reporting.render import DAGGER, latex, markdown, terminal
from graftrec.reporting.runs import SETUP, find_runs, read_baselines, read_runs
from graftrec.reporting.sheets import Sheet, make_sheet, marked, metrics_of
from graftrec.reporting.tables import console
from graftrec.reporting.variants import chosen, judged_alike, latest, means, print_left_out

NEEDS: Final = "% needs \\usepackage{booktabs}\n\n"


def report(folder: Path) -> None:
    """Write ``FOLDER/report``: table.md, table.tex, table.csv (variants and baselines), runs.csv; show the tables.

    One table for each data set, protocol and other part of ``SETUP``.
    """
    found = find_runs(folder)
    if not found:
        raise InputError(f"{folder} holds no finished run; graftrec train prints the folder of its run.")
    everything, baselines = read_runs(found), read_baselines(found)
    once = latest(everything)
    runs = chosen(once)
    sheets = make_sheets(runs, baselines)
    texts = {
        "table.md": "\n".join(map(markdown, sheets)),
        "table.tex": NEEDS + "\n".join(map(latex, sheets)),
        "table.csv": averages(runs, baselines).write_csv(),
        "runs.csv": everything.write_csv(),
    }
    for name, text in texts.items():
        with written(folder / "report" / name, "FOLDER") as partial:
            partial.write_text(text, "utf-8")
    _print(sheets, (len(everything) - len(once), len(once) - len(runs)), [folder / "report" / name for name in texts])


def make_sheets(runs: pl.DataFrame, baselines: pl.DataFrame) -> list[Sheet]:
    """One for each ``SETUP``, in the order of the runs; one for each of their list lengths where none is common."""
    sheets = []
    for _, part in runs.group_by(SETUP, maintain_order=True):
        for alike in judged_alike(part):
            sheet = make_sheet(alike, baselines, metrics_of(alike))
            sheets.append(replace(sheet, marked=marked(sheet, alike)))
    return sheets


def averages(runs: pl.DataFrame, baselines: pl.DataFrame) -> pl.DataFrame:
    """Means and deviations of all test metrics: a row a variant, and a row a baseline beside runs (no ``seeds``)."""
    metrics = [name for name in runs.columns if name.startswith("test/")]
    return pl.concat([means(runs, metrics).drop("variant"), baselines], how="diagonal_relaxed")


def _print(sheets: Sequence[Sheet], left_out: tuple[int, int], files: Sequence[Path]) -> None:
    out = console()
    for sheet in sheets:
        out.print(f"\n[bold]{sheet.title}[/]", highlight=False)
        out.print(terminal(sheet))
    if any(sheet.marked for sheet in sheets):
        out.print(f"† {DAGGER}", highlight=False)
    print_left_out(*left_out)
    for file in files:
        out.print(Text(str(file)), soft_wrap=True)

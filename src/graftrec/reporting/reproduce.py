"""Published numbers beside ours in the terminal."""

from collections.abc import Iterable

from rich.table import Column, Table
from rich.text import Text

from graftrec.pipeline.reproduce import Outline, Reproduction, Verdict
from graftrec.reporting.tables import console

AVAILABLE = {"here": "yes", "download": "will be downloaded", "missing": "no"}


def print_reproduction(result: Reproduction) -> None:
    """One row a metric, then what it took; the folder on the last line."""
    out = console()
    leaky = " (leaky: validated on the test set)" if result.leaky else ""
    title = f"{result.recipe} on {result.data}{leaky}"
    table = Table("metric", "target", "got", "difference", "tolerance", "verdict", title=title)
    for verdict in result.metrics:
        table.add_row(*_cells(verdict))
    out.print(table)
    if result.changed:
        out.print(Text(f"changed: {' '.join(result.changed)}", style="bold yellow"))
    seeds = ", ".join(map(str, result.seeds))
    out.print(f"seeds {seeds}; {result.seconds:,.0f} s; target: {result.title}, {result.row}", highlight=False)
    out.print(Text(result.folder), soft_wrap=True)


def _cells(verdict: Verdict) -> tuple[str, ...]:
    spread = "" if verdict.std is None else f" ± {verdict.std:.4f}"
    words = "[bold green]pass[/]" if verdict.passed else "[bold red]fail[/]"
    numbers = (f"{verdict.target:.4f}", f"{verdict.got:.4f}{spread}", f"{verdict.difference:+.4f}")
    return verdict.metric, *numbers, f"{verdict.tolerance:g}{' or above' if verdict.or_above else ''}", words


def print_recipes(recipes: Iterable[Outline]) -> None:
    """What can be reproduced, and whether its data is on this machine."""
    table = Table(Column("recipe", no_wrap=True), "published", "targets", Column("data", no_wrap=True), "here", "time")
    for one in recipes:
        targets = "\n".join(f"{name.removeprefix('test/')} {value:.4f}" for name, value in one.paper.targets.items())
        published, there = f"{one.paper.title}: {one.paper.row}", AVAILABLE[one.availability]
        table.add_row(*map(Text, (one.name, published, targets, one.data, there, one.paper.time)))
    console().print(table)

"""A comparison in the terminal."""

from typing import Final

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from graftrec.reporting.comparison import Comparison, shown_p, verdict
from graftrec.reporting.render import terminal
from graftrec.reporting.sheets import Sheet, make_sheet
from graftrec.reporting.significance import RESAMPLES
from graftrec.reporting.tables import console
from graftrec.reporting.variants import ACCURACY, by_degree, print_left_out

NOTE: Final = (
    "Each user's value is a mean over seeds. interval: 95%, paired bootstrap, {:,} resamples of users. p: Wilcoxon "
    "signed-rank, users without a difference left out; Holm: corrected for {}. effect: "
    "matched-pairs rank-biserial, -1 to 1, of the users that differ. seeds: pairs of runs in which the first is better."
)
DEGREES: Final = {
    "user degree": "training items of the user (users)",
    "item degree": "training users of the item (test pairs)",
}


def print_comparison(comparison: Comparison) -> None:
    """Means, tests, values by degree, and one sentence on each difference."""
    out, metrics = console(), [f"test/{name}@{comparison.k}" for name in ACCURACY]
    sheet = make_sheet(comparison.runs, comparison.baselines, list(dict.fromkeys([comparison.column, *metrics])))
    users = next(iter(comparison.differences.values())).users
    out.print(f"[bold]{sheet.title}[/], {users:,} test users", highlight=False)
    out.print(terminal(sheet))
    print_left_out(*comparison.left_out)
    out.print(Text(f"\n{comparison.metric}: {comparison.reference}, minus"))
    out.print(_tests(comparison))
    out.print(NOTE.format(RESAMPLES, _family(comparison)), style="dim", highlight=False)
    _print_degrees(comparison, out)
    out.print(f"\nIs the difference in {comparison.metric} real?", highlight=False)
    for label in comparison.differences:
        out.print(Text(f"- {verdict(comparison, label)}"))
    _print_better_baselines(comparison, sheet, out)


def _family(comparison: Comparison) -> str:
    """The tests that Holm's correction counts."""
    kind = "all pairs of variants, since the first is the best of them" if comparison.best else "this table's tests"
    return f"{kind} ({comparison.tests})"


def _tests(comparison: Comparison) -> Table:
    """One row a variant: the difference of the reference to it."""
    heads = ("difference", "in %", "interval", "p", "Holm", "effect", "users differ", "seeds")
    table = Table("this variant", *heads)
    for label, found in comparison.differences.items():
        won, pairs = comparison.wins(label)
        cells = (f"{found.mean:+.4f}", f"{comparison.percent(label):+.1f}", f"{found.low:+.4f} {found.high:+.4f}")
        share = f"{100 * found.differing / found.users:.0f}%"
        tested = (shown_p(found.p), shown_p(found.holm), f"{found.effect:+.2f}", share, f"{won} of {pairs}")
        table.add_row(Text(label), *cells, *tested)
    return table


def _print_degrees(comparison: Comparison, out: Console) -> None:
    """Differences by training degree, cold to warm; items have recall alone."""
    for kind, metric in {"user degree": comparison.metric, "item degree": f"recall@{comparison.k}"}.items():
        strata = by_degree(comparison.runs, kind, metric)
        own = strata.filter(pl.col("label") == comparison.reference)
        heads = (f"{name} ({size:,})" for name, size in own.select("stratum", "size").iter_rows())
        out.print(Text(f"\n{metric} by {DEGREES[kind]}: {comparison.reference}, minus"))
        table = Table("this variant", *heads)
        for label in comparison.differences:
            gained = own[metric] - strata.filter(pl.col("label") == label)[metric]
            table.add_row(Text(label), *(f"{value:+.4f}" for value in gained))
        out.print(table)


def _print_better_baselines(comparison: Comparison, sheet: Sheet, out: Console) -> None:
    """Say where a simple recommender is above the best variant: it has no per-user values to be tested by."""
    rows, value = sheet.rows, pl.col(comparison.column)
    best = rows.filter(pl.col("seeds").is_not_null())[comparison.column].max()
    for name, reached in rows.filter(pl.col("seeds").is_null() & (value > best)).select("label", value).iter_rows():
        told = f"is above all of them ({reached:.4f}); train it with baseline= to test it."
        out.print(Text(f"- Not tested: {name}, beside the runs, {told}"))

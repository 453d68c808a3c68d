"""The best variants of a folder in the terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.table import Table
from rich.text import Text

from graftrec.errors import InputError, check_choice
from graftrec.reporting.dashboard.collect import short_labels
from graftrec.reporting.dashboard.groups import Group, Spread, Variant, read_groups
from graftrec.reporting.runs import find_all
from graftrec.reporting.tables import console

BESIDE: Final = ("ndcg", "coverage", "roc_auc")  # beside the metric by which rows are sorted


def print_leaderboard(folder: Path, metric: str | None, top: int) -> None:
    """One table for each task and data set: the ``top`` best on validation, beside the best baseline on test."""
    if not isinstance(top, int) or top < 1:
        raise InputError(f"top={top} must be a whole number >= 1.")
    groups = read_groups(find_all([folder]))
    if metric is not None:
        check_choice("metric", metric, dict.fromkeys(name for group in groups for name in group.metrics))
    for group in groups:
        if metric is None or metric in group.metrics:
            console().print(table(group, metric or group.metrics[0], top))


def table(group: Group, metric: str, top: int) -> Table:
    """Rows by validation; means and standard deviations over seeds; differences on test to the best baseline."""
    ranked, baseline = group.ranked(metric), group.best_baseline(metric)
    others = [name for name in group.metrics if name.split("/")[-1].split("@")[0] in BESIDE and name != metric]
    shown = ranked[:top]
    more = f", the first {top} of {len(ranked):,}" if len(ranked) > top else ""
    heads = [f"valid {metric}", f"test {metric}", "to baseline", *others, "seeds", "seconds"]
    made = Table(title=f"{group.setup['data']}, {group.setup['task']}: sorted by validation {metric}{more}")
    made.add_column("variant", overflow="fold", min_width=24)
    for title in heads:
        made.add_column(title, justify="right")
    for variant, label in zip(shown, short_labels([variant.label for variant in shown]), strict=True):
        made.add_row(Text(label), *_cells(variant, metric, others, baseline))
    if baseline is not None and baseline not in shown:
        made.add_section()
        made.add_row(Text(f"{baseline.label} (best baseline)"), *_cells(baseline, metric, others, None))
    return made


def _cells(variant: Variant, metric: str, others: Sequence[str], baseline: Variant | None) -> list[str]:
    test = [_text(variant.test.get(name)) for name in (metric, *others)]
    seconds = variant.cost["seconds"][0]
    to_baseline = _difference(variant, baseline, metric)
    seeds = str(len(variant.runs) or "")
    return [_text(variant.valid.get(metric)), test[0], to_baseline, *test[1:], seeds, f"{seconds:.0f}"]


def _text(spread: Spread | None) -> str:
    if spread is None:
        return ""
    mean, std = spread
    return f"{mean:.4f}" if std is None else f"{mean:.4f} ±{std:.4f}"


def _difference(variant: Variant, baseline: Variant | None, metric: str) -> str:
    if baseline is None or baseline is variant or metric not in variant.test:
        return ""
    return f"{variant.test[metric][0] - baseline.test[metric][0]:+.4f}"

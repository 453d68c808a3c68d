"""One table of variants and baselines that were judged alike, before it is written anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from graftrec.pipeline.run_folder import RunFolder
from graftrec.reporting.runs import SETUP
from graftrec.reporting.significance import ALPHA, holm, paired_difference, rank_biserial, wilcoxon
from graftrec.reporting.summary import SHOWN_OF_INTEREST
from graftrec.reporting.variants import ACCURACY, check_length, means, not_run, paired

DIGITS = 4  # of metrics that are shown: values that are equal here are equally good


@dataclass(frozen=True, eq=False)
class Sheet:
    """``rows``: label, trained, seeds (null: a baseline beside runs), seconds, metrics and ``<metric>_std``.

    Those from a random start first (trained), then those without, each best first by the first of ``metrics`` (columns
    such as ``test/recall@20``). In the ``marked`` ones the best is significantly better than the second.
    """

    title: str
    metrics: Sequence[str]
    rows: pl.DataFrame
    marked: frozenset[str] = field(default_factory=frozenset)

    def places(self, metric: str) -> list[int]:
        """1 for the best rows by the digits that are shown, 2 for the second best, else 0."""
        shown = [None if value is None else round(value, DIGITS) for value in self.rows[metric]]
        order = sorted({value for value in shown if value is not None}, reverse=True)[:2]
        return [order.index(value) + 1 if value in order else 0 for value in shown]


def make_sheet(runs: pl.DataFrame, baselines: pl.DataFrame, metrics: Sequence[str]) -> Sheet:
    """``runs`` of one setup; of ``baselines`` beside them those that are not among the runs."""
    first = runs.row(0, named=True)
    setup = pl.all_horizontal(*(pl.col(name) == first[name] for name in SETUP))
    beside = not_run(baselines.filter(setup), runs, metrics[0])
    rows = pl.concat([means(runs, metrics), beside.with_columns(trained=False, seeds=None)], how="diagonal_relaxed")
    missing = [pl.lit(None, pl.Float64).alias(name) for name in metrics if name not in rows.columns]
    ordered = rows.with_columns(missing).sort("trained", metrics[0], descending=True, nulls_last=True)
    columns = ["label", "trained", "seeds", "seconds", *metrics, *(f"{name}_std" for name in metrics)]
    return Sheet(_title(first), metrics, ordered.select(columns))


def _title(setup: dict[str, Any]) -> str:
    """The data, and how it was judged."""
    users = "" if setup["max_users"] == "all" else f", {setup['max_users']} users"
    task = "" if setup["task"] == "ranking" else f", task {setup['task']}"
    return f"{setup['data']} (hash {setup['hash']}), protocol {setup['protocol']}, mask {setup['mask']}{users}{task}"


def metrics_of(runs: pl.DataFrame) -> list[str]:
    """The columns to show of runs of one setup; of ranking at the largest length that all have."""
    runs = runs[[column.name for column in runs if column.null_count() < len(runs)]]
    if runs["task"][0] == "ranking":
        k = check_length(runs)
        return [f"test/{name}@{k}" for name in ACCURACY]
    return [name for name in runs.columns if name.startswith("test/") and name.split("/")[-1] in SHOWN_OF_INTEREST]


def marked(sheet: Sheet, runs: pl.DataFrame) -> frozenset[str]:
    """Metrics whose best is better than the second with every seed, for more users, and at 5%.

    By Wilcoxon's test, Holm over all pairs of rows and all metrics, since the two are chosen by what they reached.
    One seed of what is trained from a random start is not every seed.

    Where the best or the second has no per-user values, such as a baseline beside runs, nothing is tested.
    """
    p_values = {metric: p for metric in sheet.metrics if (p := _p_of_best(sheet, runs, metric)) is not None}
    pairs = len(sheet.rows) * (len(sheet.rows) - 1) // 2
    corrected = holm(np.array(list(p_values.values())), pairs * len(sheet.metrics))
    small = [metric for metric, p in zip(p_values, corrected, strict=True) if p < ALPHA]
    return frozenset(metric for metric in small if _with_every_seed(sheet, runs, metric))


def _best_two(sheet: Sheet, metric: str) -> pl.DataFrame:
    return sheet.rows.sort(metric, descending=True, nulls_last=True).head(2)


def _with_every_seed(sheet: Sheet, runs: pl.DataFrame, metric: str) -> bool:
    """Whether each run of the best is above each of the second, several of each that is trained."""
    two = _best_two(sheet, metric)
    if (two["trained"] & (two["seeds"] < 2)).any():
        return False
    best, second = (runs.filter(pl.col("label") == label)[metric] for label in two["label"])
    return best.to_numpy().min() > second.to_numpy().max()


def _p_of_best(sheet: Sheet, runs: pl.DataFrame, metric: str) -> float | None:
    """Of the best row against the next; None where that cannot be tested, or where what is shown is no better."""
    two = _best_two(sheet, metric)
    if len(two) < 2 or two["seeds"].null_count() or two[metric].null_count():
        return None
    if two[metric].round(DIGITS).n_unique() == 1:
        return None
    chosen = runs.filter(pl.col("label").is_in(two["label"].to_list()))
    if not all(RunFolder(Path(path)).per_user.is_file() for path in chosen["path"]):
        return None
    values = paired(chosen, metric.removeprefix("test/"))
    best, second = (values[label] for label in two["label"])
    difference = paired_difference(best, second)
    return wilcoxon(difference) if rank_biserial(difference) > 0 else None

"""Variants that may be compared, as rows of a leaderboard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from graftrec.metrics.direction import is_lower_better
from graftrec.pipeline.run_folder import RunFolder
from graftrec.reporting.runs import SETUP, read_baselines, read_runs
from graftrec.reporting.variants import means, not_run

OF_RANKING: Final = (
    "recall", "ndcg", "precision", "f1", "hit_rate", "map", "mrr", "coverage", "novelty", "diversity", "gini",
)  # fmt: skip
OF_INTEREST: Final = ("roc_auc", "average_precision", "f1", "accuracy", "precision", "recall", "log_loss")

Spread = tuple[float, float | None]  # mean and sample standard deviation over seeds; None of one seed


@dataclass(frozen=True)
class Variant:
    """One row of a leaderboard. A baseline that stands beside runs has no runs of its own, no validation values."""

    label: str
    trained: bool
    test: Mapping[str, Spread]
    valid: Mapping[str, Spread] = field(default_factory=dict)
    cost: Mapping[str, Spread] = field(default_factory=dict)  # seconds of training, peak_gib
    runs: Sequence[str] = ()  # folders, by seed


@dataclass(frozen=True)
class Group:
    """Variants of one task, data set, split and protocol. ``metrics``: the first one tells most."""

    setup: Mapping[str, str]
    k: int | None  # length of the longest lists
    metrics: Sequence[str]
    variants: Sequence[Variant]
    baselines: Sequence[Variant]

    def ranked(self, metric: str) -> list[Variant]:
        """Variants with runs, the best on validation first."""
        return _ranked([variant for variant in self.variants if metric in variant.valid], metric, "valid")

    def best_baseline(self, metric: str) -> Variant | None:
        """The best on test, of all that need no training: those that stand beside runs have no validation values."""
        simple = [*self.baselines, *(variant for variant in self.variants if not variant.trained)]
        return next(iter(_ranked([one for one in simple if metric in one.test], metric, "test")), None)


def read_groups(folders: Sequence[Path]) -> list[Group]:
    """The finished runs in ``folders``, in groups that may be compared, the one with most runs first."""
    if not folders:
        return []
    runs, beside = read_runs(folders), read_baselines(folders)
    runs = runs.with_columns(peak_gib=pl.Series([_peak(path) for path in runs["path"]]))
    parts = [rows for _, rows in runs.group_by(SETUP, maintain_order=True)]
    return [_group(rows, beside) for rows in sorted(parts, key=len, reverse=True)]


def _group(runs: pl.DataFrame, beside: pl.DataFrame) -> Group:
    setup = runs.select(SETUP).row(0, named=True)
    measured = [name for name in runs.columns if "/" in name and runs[name].null_count() < len(runs)]
    tested = [name.removeprefix("test/") for name in measured if name.startswith("test/")]
    k = max((int(name.split("@")[1]) for name in tested if name.startswith("recall@")), default=None)
    metrics = [name for name in _order(tested, k) if name in tested]
    frame = means(runs, [*measured, "peak_gib"])
    paths = dict(runs.sort("seed", maintain_order=True).group_by("variant").agg("path").iter_rows())
    variants = [_variant(row, metrics, paths[row["variant"]]) for row in frame.iter_rows(named=True)]
    if not beside.is_empty():
        beside = not_run(beside.filter(**setup), runs, f"test/{metrics[0]}")
    return Group(setup, k, metrics, variants, [_variant(row, metrics) for row in beside.iter_rows(named=True)])


def _order(tested: Sequence[str], k: int | None) -> list[str]:
    """Metrics that are shown, where they are there, the most telling first."""
    if k is not None:
        return [f"{candidates}{name}@{k}" for candidates in ("", "cold/") for name in OF_RANKING]
    kinds = dict.fromkeys(name.split("/")[0] for name in tested if "/" in name)
    return [f"{kind}/{name}" for kind in kinds for name in OF_INTEREST]


def _variant(row: Mapping[str, Any], metrics: Sequence[str], paths: Sequence[str] = ()) -> Variant:
    test, valid = ({name: f"{part}/{name}" for name in metrics} for part in ("test", "valid"))
    cost = {name: name for name in ("seconds", "peak_gib")}
    return Variant(
        row["label"],
        row.get("trained", False),
        test=_spreads(row, test),
        valid=_spreads(row, valid),
        cost=_spreads(row, cost),
        runs=tuple(paths),
    )


def _spreads(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Spread]:
    return {
        name: (row[column], row.get(f"{column}_std")) for name, column in columns.items() if row.get(column) is not None
    }


def _peak(path: str) -> float:
    """Largest resident memory of any stage of a run, GiB."""
    stages = RunFolder.read_json(RunFolder(Path(path)).facts)["stages"]
    return float(max(stage["peak_gib"] for stage in stages.values()))


def _ranked(variants: Sequence[Variant], metric: str, part: str) -> list[Variant]:
    sign = 1 if is_lower_better(metric) else -1
    return sorted(variants, key=lambda variant: sign * getattr(variant, part)[metric][0])

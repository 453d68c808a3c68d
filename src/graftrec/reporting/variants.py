"""Runs that differ in seed alone, taken together: means, per-user values, values by degree."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from graftrec.errors import InputError, check_choice
from graftrec.metrics.direction import best
from graftrec.pipeline.run_folder import RunFolder
from graftrec.reporting.runs import SETUP
from graftrec.reporting.tables import console

ACCURACY: Final = ("recall", "precision", "f1", "ndcg")
ALIKE: Final = {  # what to change where runs differ in it
    "task": "compare runs of one task",
    "data": "train them with the same data=, filter=, split= and data.split_seed",
    "hash": "train them on the same files",
    "protocol": "train them with the same protocol=; (leaky): validated on the test set",
    "mask": "train them with the same evaluation.mask",
    "max_users": "train them with the same evaluation.max_users",
}


def check_comparable(runs: pl.DataFrame) -> None:
    """Refuse runs of which one had an easier task than another: says what each has, and what to change."""
    for name in SETUP:
        if runs[name].n_unique() > 1:
            groups = runs.group_by(name, maintain_order=True).agg("path")
            has = "\n".join(_has(value, paths) for value, paths in groups.iter_rows())
            raise InputError(f"These runs differ in {name} and cannot be compared; {ALIKE[name]}.\n{has}")


def _has(value: str, paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
    return f"  {value}: {paths[0]}{more}"


def check_length(runs: pl.DataFrame, k: int | None = None) -> int:
    """The list length to compare at: ``k``, or the largest that all runs have."""
    paths: dict[tuple[int, ...], list[str]] = {}
    for row in runs.iter_rows(named=True):
        paths.setdefault(_lengths(row), []).append(row["path"])
    common = set.intersection(*map(set, paths))
    if k in common or (k is None and common):
        return k or max(common)
    wanted = "These runs have no list length in common" if k is None else f"Not all runs were judged at k={k}"
    has = "\n".join(_has(f"k={list(lengths)}", found) for lengths, found in paths.items())
    raise InputError(f"{wanted}; choose k= of all, or train with the same evaluation.k.\n{has}")


def _lengths(row: dict[str, object]) -> tuple[int, ...]:
    names = (name for name, value in row.items() if name.startswith("test/recall@") and value is not None)
    return tuple(sorted(int(name.split("@")[1]) for name in names))


def latest(runs: pl.DataFrame) -> pl.DataFrame:
    """Of runs with the same settings and seed the one that was started last: a repetition is no other seed."""
    key = [*SETUP, "variant", "start"]
    started = runs.with_row_index("order").sort("started", nulls_last=False, maintain_order=True)
    return started.unique(key, keep="last", maintain_order=True).sort("order").drop("order")


def chosen(runs: pl.DataFrame, named: Sequence[str] = ()) -> pl.DataFrame:
    """Of a sweep's trials those of the variant that is best on validation: others would be chosen among on test.

    Runs whose folders are ``named`` one by one stay.
    """
    kept = {Path(path).expanduser().resolve() for path in named}
    left_out: list[str] = []
    for (aim, _), trials in runs.filter(pl.col("sweep").is_not_null()).group_by("aim", "sweep", maintain_order=True):
        if aim in trials.columns:
            values = trials.group_by("variant", maintain_order=True).agg(pl.col(str(aim)).mean())
            winner = values["variant"][best(values[str(aim)].to_list(), str(aim))]
            left_out += trials.filter(pl.col("variant") != winner)["path"].to_list()
    return runs.filter(~pl.col("path").is_in([path for path in left_out if Path(path).resolve() not in kept]))


def print_left_out(repeated: int, trials: int) -> None:
    """Say how many runs ``latest`` and ``chosen`` left out."""
    if repeated:
        console().print(f"Left out: {repeated:,} run(s) repeated by a later one with the same settings and seed.")
    if trials:
        console().print(f"Left out: {trials:,} trial(s) of sweeps, other than the best on validation of each.")


def judged_alike(runs: pl.DataFrame) -> list[pl.DataFrame]:
    """``runs`` that have a list length in common, or a part for each set of lengths."""
    lengths = [_lengths(row) for row in runs.iter_rows(named=True)]
    if set.intersection(*map(set, lengths)) or not any(lengths):
        return [runs]
    return [runs.filter(pl.Series(own == one for own in lengths)) for one in dict.fromkeys(lengths)]


def means(runs: pl.DataFrame, metrics: Sequence[str]) -> pl.DataFrame:
    """One row a variant: label, trained, seeds, mean seconds, metrics, their sample deviations ``<metric>_std``."""
    kept = [name for name in metrics if name in runs.columns]
    spreads = [pl.col(name).std().alias(f"{name}_std") for name in kept]
    return runs.group_by([*SETUP, "variant"], maintain_order=True).agg(
        pl.col("label", "trained").first(), pl.len().alias("seeds"), pl.col("seconds").mean(),
        *[pl.col(name).mean() for name in kept], *spreads,
    )  # fmt: skip


def not_run(baselines: pl.DataFrame, runs: pl.DataFrame, metric: str) -> pl.DataFrame:
    """``baselines`` without those that are among ``runs`` too, with the same value of ``metric``."""
    if not len(baselines):
        return baselines
    key = [*SETUP, "label", "rounded"]
    known = runs.with_columns(label="model", rounded=pl.col(metric).round(9)).select(key)
    return baselines.with_columns(rounded=pl.col(metric).round(9)).join(known, on=key, how="anti").drop("rounded")


def per_user(paths: Sequence[str], metric: str) -> pl.DataFrame:
    """Columns user and ``metric``, the user's mean over the runs in ``paths``; sorted by user."""
    parts = [_of_users(RunFolder(Path(path)), metric) for path in paths]
    together = pl.concat(parts).group_by("user").agg(pl.col(metric).cast(pl.Float64).mean(), pl.len().alias("runs"))
    if (together["runs"] != len(paths)).any():
        raise InputError(
            f"{paths[0]} and the runs of its other seeds were judged on different users; train them again."
        )
    return together.select("user", metric).sort("user")


def _of_users(run: RunFolder, metric: str) -> pl.DataFrame:
    run.require("per_user")
    try:
        frame = pl.read_parquet(run.per_user)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{run.per_user} is damaged: {error}; {run.rewrite()}.") from error
    check_choice("metric", metric, [name for name in frame.columns if "@" in name])
    return frame.select("user", metric)


def paired(runs: pl.DataFrame, metric: str) -> dict[str, np.ndarray]:
    """Values [U] of each variant by its label, of the same users in the same order."""
    frames = {label: per_user(paths, metric) for label, paths in paths_of(runs).items()}
    first_label, first = next(iter(frames.items()))
    for label, frame in frames.items():
        if not frame["user"].equals(first["user"]):
            raise InputError(
                f"{first_label!r} was judged on {len(first):,} users, {label!r} on {len(frame):,}, and they are not "
                f"the same; train them again with the same data and evaluation.max_users."
            )
    return {label: frame[metric].to_numpy() for label, frame in frames.items()}


def by_degree(runs: pl.DataFrame, kind: str, metric: str) -> pl.DataFrame:
    """Columns label, stratum, size, ``metric``: means over each variant's runs, cold to warm.

    ``kind``: user degree, or item degree, which has recall alone.
    """
    tables = [
        pl.concat([_strata(RunFolder(Path(path)), metric).filter(pl.col("kind") == kind) for path in paths])
        .group_by("stratum", maintain_order=True)
        .agg(pl.col("size").first(), pl.col(metric).mean())
        .with_columns(label=pl.lit(label))
        for label, paths in paths_of(runs).items()
    ]
    return pl.concat(tables)


def _strata(run: RunFolder, metric: str) -> pl.DataFrame:
    run.require("strata")
    try:
        frame = pl.read_csv(run.strata, schema_overrides={"stratum": pl.String})
        return frame.select("kind", "stratum", "size", pl.col(metric).cast(pl.Float64))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{run.strata} is damaged: {error}; {run.rewrite()}.") from error


def paths_of(runs: pl.DataFrame) -> dict[str, list[str]]:
    """The runs of each variant by its label."""
    groups = runs.group_by("label", maintain_order=True).agg("path")
    return dict(groups.iter_rows())
